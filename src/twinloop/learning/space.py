"""A searched quantity as Optuna's distribution."""

import optuna

from twinloop.learning.settings import Dimension


def distribution(dimension: Dimension) -> optuna.distributions.BaseDistribution:
    """What Optuna draws the quantity from: its range, or its list of choices."""
    if dimension.kind == "categorical":
        return optuna.distributions.CategoricalDistribution(dimension.choices)
    low, high = dimension.extremes
    if dimension.kind == "int":
        return optuna.distributions.IntDistribution(int(low), int(high), log=dimension.log)
    return optuna.distributions.FloatDistribution(float(low), float(high), log=dimension.log)
