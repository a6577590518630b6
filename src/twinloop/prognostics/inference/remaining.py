"""How long each component has left by a hazard model: median and interval of the law that its days make.

Until the horizon the law is what the model says day by day, S(d) = Π(1 − h); beyond it life goes on as the component's
age tells (its Weibull law, given that it has lived so long), as no member says anything of those days.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.prognostics.inference.risks import Asked
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.table import component_age
from twinloop.prognostics.models.weibull import Weibull

Floats = NDArray[np.float64]
# Shares of the law that have failed at the low end, the median and the high end: an interval of 80 %.
LEVELS = (0.1, 0.5, 0.9)
LEAST_HAZARD = 1e-12
REMAINING: dict[str, Any] = {
    "asset": pl.String,
    "component": pl.String,
    "median_h": pl.Float64,
    "low_h": pl.Float64,
    "high_h": pl.Float64,
    "within_horizon": pl.Boolean,
}


def remaining_life(told: Asked) -> pl.DataFrame:
    """Of every asset's components, hours left from its row on by the lives' clock (REMAINING), least first.

    within_horizon: whether the median lies where the model's days reach; beyond, it rests on age.
    """
    model, table, rows, parts = told.model, told.table, told.rows, [pl.DataFrame(schema=REMAINING)]
    for name, members in told.members.items():
        age = component_age(table, told.lives, name)[rows]
        hours = hours_left(model.pooled(name, members), age, model.components[name].age, model.settings)
        low, median, high = hours.T
        columns = {
            "asset": np.array(table.assets)[table.unit[rows]],
            "component": pl.repeat(name, len(rows), eager=True),
            "median_h": median,
            "low_h": low,
            "high_h": high,
            "within_horizon": median <= model.settings.days * model.settings.period_h,
        }
        parts.append(pl.DataFrame(columns, schema=REMAINING))
    return pl.concat(parts).sort("median_h", "asset", "component")


def hours_left(hazard: Floats, age_h: Floats, law: Weibull, settings: HazardSettings) -> Floats:
    """[N, 3] hours at LEVELS by hazards [N, D] of the days ahead and, beyond them, the law at ages [N] + D days.

    Within a day failures come evenly in cumulative hazard.
    """
    days, period = settings.days, settings.period_h
    daily = -np.log1p(-np.clip(hazard, LEAST_HAZARD, 1 - LEAST_HAZARD))
    cumulative = np.hstack([np.zeros((len(hazard), 1)), daily.cumsum(axis=1)])
    wanted = -np.log1p(-np.array(LEVELS))
    hours = np.empty((len(hazard), len(LEVELS)))
    ends = period * np.arange(days + 1)
    horizon = days * period
    for row, course in enumerate(cumulative):
        hours[row] = np.interp(wanted, course, ends)
    rest = wanted - cumulative[:, -1:]
    # H(t) = (t / scale)^shape, so the hour at which it has grown by `rest` since the horizon is found in closed form.
    at = np.maximum(age_h, 0.0)[:, None] + horizon
    beyond = law.scale * ((at / law.scale) ** law.shape + np.maximum(rest, 0.0)) ** (1 / law.shape) - at
    left: Floats = np.where(rest > 0, horizon + np.maximum(beyond, 0.0), hours)
    return left
