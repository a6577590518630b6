"""What a careless split would promise: rows of one asset on both sides, beside the same classifier judged honestly."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.numbers import Interval
from twinloop.prognostics.evaluation.foretelling import average_precision, outcome
from twinloop.prognostics.evaluation.resampling import drawn_rows, mean_of_known, spread
from twinloop.prognostics.models.boosting import boosted, fit_boosted
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.table import FeatureTable, ahead

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
LEAKY, HONEST = "leaky", "honest"


class Split(NamedTuple):
    """Area under precision over recall on one side of a split, with its interval over assets and its draws."""

    area: Interval
    drawn: Floats


class Beside(NamedTuple):
    """Of one component, or of all: rows dealt out at random, and assets held out."""

    leaky: Split
    honest: Split

    @property
    def promise(self) -> Interval:
        """How much more the leaky split promises."""
        return spread(self.leaky.area.mean - self.honest.area.mean, self.leaky.drawn - self.honest.drawn)


def leaky_beside_honest(
    table: FeatureTable,
    lives: pl.DataFrame,
    component: str,
    train: Rows,
    test: Rows,
    settings: HazardSettings,
    *,
    draws: int,
    seed: int,
) -> Beside | None:
    """The same boosted trees twice, for failing within the horizon; None where a side has no failure or only such.

    lives: as they ended. The leaky split deals the rows of both sides out anew, as many to each.
    """
    known = outcome(ahead(table, lives, component), horizon_h=settings.days * settings.period_h)
    happened = np.zeros(len(table), dtype=np.bool_)
    happened[known.row] = known.happened
    units, everyone = np.unique(table.unit[test]), np.unique(table.unit[np.concatenate([train, test])])
    train, test = (rows[np.isin(rows, known.row)] for rows in (train, test))
    both = np.random.default_rng(seed).permutation(np.concatenate([train, test]))
    values = table.selected(table.varying)
    found = []
    for learnt, judged, drawn_from in ((both[: len(train)], both[len(train) :], everyone), (train, test, units)):
        if len({*happened[learnt].tolist()}) < 2 or not happened[judged].any():
            return None
        booster = fit_boosted(
            values[learnt], happened[learnt].astype(np.float32), settings.boost, seed=seed, objective="binary:logistic"
        )
        came, said = happened[judged], boosted(booster, values[judged])
        samples = drawn_rows(table.unit[judged], draws=draws, seed=seed, units=drawn_from)
        drawn = np.array([average_precision(came[sample], said[sample]) for sample in samples])
        found.append(Split(spread(average_precision(came, said), drawn), drawn))
    return Beside(*found)


def over_components(splits: Sequence[Beside]) -> Beside:
    """The means over components; each side has drawn its assets in common."""
    sides = []
    for own in zip(*splits, strict=True):
        drawn = mean_of_known([one.drawn for one in own])
        sides.append(Split(spread(float(np.mean([one.area.mean for one in own])), drawn), drawn))
    return Beside(*sides)
