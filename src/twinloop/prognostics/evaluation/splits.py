"""Training and test that share neither assets nor time: what is judged is new in both, with a gap between."""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.models.table import FeatureTable


class Split(NamedTuple):
    """Masks [N] of rows. train: assets of training until the gap; test: assets of test after the cut."""

    train: NDArray[np.bool_]
    test: NDArray[np.bool_]
    cut_min: float


def unit_time_split(table: FeatureTable, *, test_share: float, time_share: float, gap_min: float, seed: int) -> Split:
    """A share of the assets is for test, and of those only the last share of the time; `gap_min` before it is nobody's.

    The gap must be at least the horizon: a training label must not look into the test's time. Raises InputError where
    either side is left without a row.
    """
    units = np.unique(table.unit)
    drawn = np.random.default_rng(seed).permutation(units)[: max(round(test_share * len(units)), 1)]
    of_test = np.isin(table.unit, drawn)
    begin, end = float(table.time_min.min()), float(table.time_min.max())
    cut = end - time_share * (end - begin)
    split = Split(~of_test & (table.time_min <= cut - gap_min), of_test & (table.time_min > cut), cut)
    if not split.train.any() or not split.test.any():
        raise InputError(
            f"split: {int(split.train.sum())} rows for training and {int(split.test.sum())} for test: expected some of "
            "both: give more assets, a longer record, or a shorter gap"
        )
    return split


def lives_until(lives: pl.DataFrame, minute: float) -> pl.DataFrame:
    """Lives as they were known at that minute: what ended later was cut there, what began later is not known."""
    begun = lives.filter(pl.col("begin_min") < minute)
    return begun.with_columns(
        failed=pl.col("failed") & (pl.col("end_min") <= minute), end_min=pl.min_horizontal("end_min", pl.lit(minute))
    )
