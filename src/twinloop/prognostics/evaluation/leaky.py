"""What a careless split would promise: rows of one asset on both sides, beside the same classifier judged honestly."""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.prognostics.evaluation.foretelling import average_precision, outcome
from twinloop.prognostics.models.boosting import boosted, fit_boosted
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.table import FeatureTable, ahead

Rows = NDArray[np.int64]


class Beside(NamedTuple):
    """Area under precision over recall of one component: rows dealt out at random, and assets held out."""

    leaky: float
    honest: float


def leaky_beside_honest(
    table: FeatureTable,
    lives: pl.DataFrame,
    component: str,
    train: Rows,
    test: Rows,
    settings: HazardSettings,
    *,
    seed: int,
) -> Beside | None:
    """The same boosted trees twice, for failing within the horizon; None where a side has no failure or only such.

    lives: as they ended. The leaky split deals the rows of both sides out anew, as many to each.
    """
    known = outcome(ahead(table, lives, component), horizon_h=settings.days * settings.period_h)
    happened = np.zeros(len(table), dtype=np.bool_)
    happened[known.row] = known.happened
    train, test = (rows[np.isin(rows, known.row)] for rows in (train, test))
    both = np.random.default_rng(seed).permutation(np.concatenate([train, test]))
    values = table.selected(table.varying)
    found = []
    for learnt, judged in ((both[: len(train)], both[len(train) :]), (train, test)):
        if len({*happened[learnt].tolist()}) < 2 or not happened[judged].any():
            return None
        booster = fit_boosted(
            values[learnt], happened[learnt].astype(np.float32), settings.boost, seed=seed, objective="binary:logistic"
        )
        found.append(average_precision(happened[judged], boosted(booster, values[judged])))
    return Beside(*found)
