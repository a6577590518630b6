"""Each morning's risks as whoever plans the visits may know them: by age, and by the alerts of measured predictors.

A life of age a fails within h more with probability 1 - S(a + h) / S(a), S being its law's survival function. An alert
changes that by Bayes: it was right as often as its curve says, and then the failure comes as its lead times tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc, log_ndtr, ndtr

from twinloop.contracts import AlertCurve, RiskTable
from twinloop.contracts.risk_table import SCHEMA
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.simulation.fleet.morning import Morning
from twinloop.simulation.fleet.vehicle import Component
from twinloop.simulation.model.wear import Wear
from twinloop.simulation.model.wear_process import gamma_parameters, weibull_parameters, wiener_parameters

Floats = NDArray[np.float64]
HORIZONS = (10.0, 20.0, 40.0, 80.0)


def survival(wear: Wear, age_min: ArrayLike) -> Floats:
    """Probability that a new part lives longer than each of these minutes of work.

    gamma: the regularised incomplete gamma function; wiener: inverse Gaussian; weibull: as named. Shocks enter by their
    mean: they lower the limit as time goes on.
    """
    age = np.maximum(np.asarray(age_min, np.float64), 1e-9)
    limit = np.full_like(age, wear.limit)
    if wear.shocks is not None:
        limit = np.maximum(limit - age / wear.shocks.every_min * wear.shocks.jump, 0.0)
    if wear.kind == "weibull":
        shape, scale = weibull_parameters(wear)
        alive: Floats = np.exp(-((age / scale) ** shape)) * (limit > 0)
        return alive
    if wear.kind == "gamma":
        rate, unit = gamma_parameters(wear)
        return np.asarray(gammainc(rate * age, limit / unit), np.float64)
    drift, deviation = wiener_parameters(wear)
    spread = deviation * np.sqrt(age)
    # One logarithm: for a small spread of the lives its two parts overflow and vanish.
    reflected = np.exp(2 * drift * limit / deviation**2 + log_ndtr(-(limit + drift * age) / spread))
    passed: Floats = np.clip(ndtr((limit - drift * age) / spread) - reflected, 0.0, 1.0)
    return passed


@dataclass(frozen=True, eq=False)
class Foresight:
    """curves: component → its predictor at its operating point. horizons_hours: of driving. severity: as in an FMEA."""

    curves: Mapping[str, AlertCurve] = field(default_factory=dict)
    horizons_hours: tuple[float, ...] = HORIZONS
    severity: int = 5

    def risks(self, morning: Morning) -> RiskTable:
        """One row per vehicle, component and horizon, hours of driving from this morning on; intervals are points."""
        fleet, horizons = morning.fleet, np.array(self.horizons_hours)
        shape = (len(fleet.vehicles), len(fleet.components), len(horizons))
        probability = np.empty(shape)
        for place, component in enumerate(fleet.components):
            alerted = np.where(morning.due[:, place], morning.due_since_min[:, place], np.nan)
            probability[:, place] = self._failing(component, morning.age_min[:, place], alerted, horizons)
        vehicles, parts, hours = np.meshgrid(*(np.arange(size) for size in shape), indexing="ij")
        told = np.clip(probability.ravel(), 0.0, 1.0)
        columns = {
            "asset": np.array(fleet.names)[vehicles.ravel()],
            "component": np.array(fleet.parts)[parts.ravel()],
            "horizon_hours": horizons[hours.ravel()],
            **dict.fromkeys(("probability", "low", "high"), told),
            "severity": np.full(told.size, self.severity),
            "cost": np.array([c.failure for c in fleet.components], np.float64)[parts.ravel()],
        }
        return RiskTable.of(pl.DataFrame(columns, schema=SCHEMA), issued_min=morning.time_min)

    def _failing(self, component: Component, age: Floats, alerted: Floats, horizons: Floats) -> Floats:
        """[vehicles, horizons] by age [vehicles] and minutes since the alert, NaN without one."""
        ahead = horizons * MINUTES_PER_HOUR
        alive = np.maximum(survival(component.wear, age), 1e-12)[:, None]
        by_age = 1 - survival(component.wear, age[:, None] + ahead) / alive
        curve = self.curves.get(component.name)
        if curve is None:
            return by_age
        recall, lead = curve.recall_at(), curve.lead_at()
        false = curve.false_alarms_at() / curve.hours_per_month * component.wear.mean_life_min / MINUTES_PER_HOUR
        right = recall / (recall + false) if recall else 0.0

        def longer(hours: Floats) -> Floats:
            return 1 - np.interp(hours, lead, curve.lead_levels, left=0.0, right=1.0)

        since = alerted[:, None] / MINUTES_PER_HOUR
        known = right * longer(since) + 1 - right
        after = (right * (longer(since) - longer(since + horizons)) + (1 - right) * by_age) / np.maximum(known, 1e-12)
        before = by_age * (1 - recall * longer(horizons / 2))
        risk: Floats = np.where(np.isfinite(since), after, before)
        return risk
