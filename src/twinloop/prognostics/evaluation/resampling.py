"""The bootstrap over assets (Efron, 1979): rows of one asset are no independent evidence, so whole assets are drawn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twinloop.numbers import Interval

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
ENDS = (0.025, 0.975)


def drawn_rows(unit: Rows, *, draws: int, seed: int, units: Rows | None = None) -> list[Rows]:
    """Places of the rows of each draw, by the unit [K] of every row; an asset drawn twice is in it twice.

    units: those that are drawn from, of these rows unless given; one without a row adds none.
    """
    known = np.unique(unit) if units is None else units
    places = [np.flatnonzero(unit == one) for one in known]
    rng = np.random.default_rng(seed)
    return [np.concatenate([places[k] for k in rng.integers(len(known), size=len(known))]) for _ in range(draws)]


def drawn_counts(assets: int, *, draws: int, seed: int) -> Rows:
    """[draws, assets] how often each asset is drawn."""
    return np.random.default_rng(seed).multinomial(assets, np.full(assets, 1 / assets), size=draws)


def spread(estimate: float, drawn: Floats) -> Interval:
    """The estimate with the 95 % interval of its draws; those that are NaN tell nothing.

    Draws of whole assets are biased where there are few: the interval reaches to its estimate.
    """
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return Interval(estimate, estimate, estimate)
    low, high = np.quantile(known, ENDS)
    return Interval(estimate, min(float(low), estimate), max(float(high), estimate))


def mean_of_known(drawn: Sequence[Floats]) -> Floats:
    """[draws] mean over several arrays of draws, in each draw over those that are known; NaN where none is."""
    table = np.stack(drawn)
    known = np.isfinite(table)
    total = np.where(known, table, 0.0).sum(axis=0)
    mean: Floats = np.divide(total, known.sum(axis=0), out=np.full(table.shape[1], np.nan), where=known.any(axis=0))
    return mean
