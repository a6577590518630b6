"""Each morning's risks as whoever plans the visits may know them: by age, and by the alerts of measured predictors.

A life of age a fails within h more with probability 1 - S(a + h) / S(a), S being its law's survival function. What has
been said of it changes that by Bayes. An alert at age b is one of a failure a lead time L later as likely as f(b + L),
the density of lives, and false as often as false alarms come at any age; a life without one is the likelier to be
missed by its predictor the longer it should have been warned of.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

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
# Lead times by which a curve's quantiles are told, and the span over which a density is taken, of a mean life.
LEADS, STEP = 64, 0.02
# Per mean life: so rarely any predictor gives a false alarm; a life that outlasts all leads then has its age's risk.
RAREST = 1e-6
TINY = 1e-12


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


class Warnings(NamedTuple):
    """What a predictor at its operating point says of lives: minutes of lead, [n] as likely each; recall; and false
    alarms per minute of driving, at any age alike."""

    lead_min: Floats
    recall: float
    false: float

    @classmethod
    def of(cls, curve: AlertCurve) -> "Warnings":
        """Those of the curve's estimate."""
        levels = (np.arange(LEADS) + 0.5) / LEADS
        lead = np.interp(levels, curve.lead_levels, curve.lead_at()) * MINUTES_PER_HOUR
        return cls(lead, curve.recall_at(), curve.false_alarms_at() / curve.hours_per_month / MINUTES_PER_HOUR)

    def quiet(self, wear: Wear, age_min: ArrayLike) -> Floats:
        """Probability that a life lasts, and no right alert is given, until each age: (1 - r)·S(a) + r·E[S(a + L)]."""
        age = np.asarray(age_min, np.float64)
        later = survival(wear, age[..., None] + self.lead_min).mean(axis=-1)
        quiet: Floats = (1 - self.recall) * survival(wear, age) + self.recall * later
        return quiet

    def meant(self, wear: Wear, age_min: Floats) -> tuple[Floats, Floats]:
        """Of first alerts at ages [k]: density of right ones by lead [k, n], r·f(a + L) / n, and of false ones [k]."""
        step = STEP * wear.mean_life_min
        fails = age_min[:, None] + self.lead_min
        density = np.maximum(survival(wear, fails - step / 2) - survival(wear, fails + step / 2), 0.0) / step
        false = max(self.false, RAREST / wear.mean_life_min) * self.quiet(wear, age_min)
        return self.recall * density / len(self.lead_min), false


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
        notice = fleet.driving_hours(morning.day, morning.earliest_day - morning.day)[:, -1] * MINUTES_PER_HOUR
        for place, component in enumerate(fleet.components):
            alerted = np.where(morning.due[:, place], morning.due_since_min[:, place], np.nan)
            age = morning.age_min[:, place]
            probability[:, place] = self._failing(component, age, alerted, notice, horizons * MINUTES_PER_HOUR)
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

    def _failing(self, component: Component, age: Floats, alerted: Floats, notice: Floats, ahead: Floats) -> Floats:
        """[vehicles, horizons] by age [vehicles], minutes since the alert, NaN without one, and those until a visit.

        Without an alert a failure counts where none comes in time for a visit.
        """
        wear, curve = component.wear, self.curves.get(component.name)
        alive, then = survival(wear, age)[:, None], survival(wear, age[:, None] + ahead)
        by_age = 1 - then / np.maximum(alive, TINY)
        if curve is None:
            return by_age
        known = Warnings.of(curve)
        late = survival(wear, age[:, None] + known.lead_min) * (known.lead_min <= notice[:, None])
        missed = (1 - known.recall) * (alive - then)
        warned_late = known.recall * np.maximum(late[:, None] - then[:, :, None], 0.0).mean(axis=-1)
        risk: Floats = (missed + warned_late) / np.maximum(known.quiet(wear, age)[:, None], TINY)
        some = np.flatnonzero(np.isfinite(alerted))
        if len(some):
            risk[some] = self._alerted(known, wear, age[some], alerted[some], ahead, by_age[some])
        return np.clip(risk, 0.0, 1.0)

    def _alerted(
        self, known: Warnings, wear: Wear, age: Floats, since: Floats, ahead: Floats, by_age: Floats
    ) -> Floats:
        """[k, horizons] of those with an alert."""
        begun = np.maximum(age - since, 0.0)
        right, false = known.meant(wear, begun)
        false = (false * survival(wear, age) / np.maximum(survival(wear, begun), TINY))[:, None]
        right = right * (known.lead_min > since[:, None])
        soon = known.lead_min <= since[:, None, None] + ahead[:, None]
        failing = (right[:, None] * soon).sum(axis=-1) + false * by_age
        risk: Floats = failing / np.maximum(right.sum(axis=-1)[:, None] + false, TINY)
        return risk
