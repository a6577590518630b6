"""Which setting mattered: how much of the differences between a study's trials each explains alone."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr


def importances(trials: pl.DataFrame, names: Sequence[str], *, score: str) -> dict[str, float]:
    """Setting → share of the trials' differences in `score` that it explains alone: ρ² of ranks, η² for named choices.

    trials: finished ones. Settings that did not vary are left out; empty where nothing varied.
    """
    ranks = rankdata(trials[score].to_numpy()) if len(trials) else np.empty(0)
    strengths = {name: _explained(trials[name], ranks) for name in names if trials[name].n_unique() > 1}
    total = sum(strengths.values())
    return {name: strength / total for name, strength in strengths.items()} if total else {}


def _explained(column: pl.Series, ranks: NDArray[np.float64]) -> float:
    spread = float(((ranks - ranks.mean()) ** 2).sum())
    if spread == 0:
        return 0.0
    if column.dtype.is_numeric():
        return float(spearmanr(column.to_numpy(), ranks).statistic) ** 2
    names = column.cast(pl.String).to_numpy()
    between = sum(
        (names == name).sum() * (ranks[names == name].mean() - ranks.mean()) ** 2 for name in np.unique(names)
    )
    return float(between / spread)
