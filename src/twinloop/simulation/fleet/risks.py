"""Each morning's risks as whoever plans the visits may know them: by age, and by the alerts of measured predictors.

A life of age a fails within h more with probability 1 - S(a + h) / S(a), S being its law's survival function. What has
been said of it changes that by Bayes. An alert at age b is one of a life λ as likely as f(λ), the density of lives,
times that of an alert at b in such a life, and false as often as false alarms come at any age; a life without one is
the likelier to be missed by its predictor the longer it should have been warned of.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
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
from twinloop.simulation.maintenance.prediction import predictor_of
from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.wear import Wear
from twinloop.simulation.model.wear_process import gamma_parameters, weibull_parameters, wiener_parameters

Floats = NDArray[np.float64]
HORIZONS = (10.0, 20.0, 40.0, 80.0)
# Steps ahead over which lives are summed, ever longer ones, and the span over which a density is taken, of a mean life:
# alerts that always come at one age are told by quantiles between which their age strays by a few hundredths.
AHEAD, STEP = 3.0 * np.linspace(0.0, 1.0, 61) ** 1.5, 0.05
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


def failing_by_age(wear: Wear, age_min: Floats, ahead_min: Floats) -> Floats:
    """[k, H] probability that a life that lasted until age [k] fails within each time [H] from then on."""
    alive, then = survival(wear, age_min)[:, None], survival(wear, age_min[:, None] + ahead_min)
    risk: Floats = 1 - then / np.maximum(alive, TINY)
    return risk


class Warnings(NamedTuple):
    """What a predictor says of lives of one law; its estimate is what is known."""

    predictor: Predictor
    wear: Wear

    def quiet(self, age_min: ArrayLike) -> Floats:
        """Probability that a life lasts, and no right alert is given, until each age."""
        age = np.asarray(age_min, np.float64)[..., None]
        share, life = self._failing(age, AHEAD * self.wear.mean_life_min)
        quiet: Floats = (share * (1 - self.predictor.alerted(life, age))).sum(axis=-1)
        return quiet

    def in_time(self, notice_min: float) -> float:
        """Probability that a new part's failure is rightly alerted so many minutes before it comes, or more."""
        share, life = self._failing(np.zeros(1), AHEAD * self.wear.mean_life_min)
        return float((share * self.predictor.alerted(life, life - notice_min) * (life > notice_min)).sum())

    def failing(self, age_min: Floats, notice_min: Floats, ahead_min: Floats) -> Floats:
        """[k, H] probability that a life without an alert until age [k] fails within each time [H], none coming [k]
        minutes before."""
        age, steps = age_min[:, None], self._steps(ahead_min)
        share, life = self._failing(age, steps)
        unwarned = 1 - self.predictor.alerted(life, np.maximum(life - notice_min[:, None], age))
        return _until(share * unwarned, steps, ahead_min) / np.maximum(self.quiet(age_min)[:, None], TINY)

    def failing_alerted(self, begun_min: Floats, since_min: Floats, ahead_min: Floats) -> Floats:
        """[k, H] the same of one that was alerted at age `begun_min` [k], `since_min` [k] ago."""
        age, steps = begun_min + since_min, self._steps(ahead_min)
        right, false = self.meant(begun_min, since_min, steps)
        failing = _until(right, steps, ahead_min) + false[:, None] * failing_by_age(self.wear, age, ahead_min)
        risk: Floats = failing / np.maximum(right.sum(axis=-1) + false, TINY)[:, None]
        return risk

    def meant(self, begun_min: Floats, since_min: Floats, steps: Floats) -> tuple[Floats, Floats]:
        """Density at ages [k] of first alerts whose lives lasted `since_min` [k] more.

        [k, n] of right ones whose failure then came within each step [n + 1] ahead, and [k] of false ones.
        """
        step = STEP * self.wear.mean_life_min
        share, life = self._failing((begun_min + since_min)[:, None], steps)
        sooner, later = (self.predictor.alerted(life, begun_min[:, None] + side) for side in (-step / 2, step / 2))
        lasting = survival(self.wear, begun_min + since_min) / np.maximum(survival(self.wear, begun_min), TINY)
        rate = max(self.predictor.false_alarms_per_hour[0] / MINUTES_PER_HOUR, RAREST / self.wear.mean_life_min)
        return share * (later - sooner) / step, rate * self.quiet(begun_min) * lasting

    def _steps(self, ahead_min: Floats) -> Floats:
        return np.union1d(AHEAD * self.wear.mean_life_min, ahead_min)

    def _failing(self, age: Floats, steps: Floats) -> tuple[Floats, Floats]:
        """Of new parts, the share that fails in each step ahead of an age [..., 1], and the age in its middle."""
        ends = age + steps
        return -np.diff(survival(self.wear, ends), axis=-1), (ends[..., 1:] + ends[..., :-1]) / 2


def _until(share: Floats, steps: Floats, ahead: Floats) -> Floats:
    """[k, H] sums of what happens in steps [k, n] until each time ahead [H], which is an end of one."""
    total: Floats = np.pad(share.cumsum(axis=-1), ((0, 0), (1, 0)))[:, np.searchsorted(steps, ahead)]
    return total


@dataclass(frozen=True, eq=False)
class Foresight:
    """curves: component → its predictor at its operating point. horizons_hours: of driving. severity: as in an FMEA."""

    curves: Mapping[str, AlertCurve] = field(default_factory=dict)
    horizons_hours: tuple[float, ...] = HORIZONS
    severity: int = 5

    @cached_property
    def predictors(self) -> dict[str, Predictor]:
        """By component, at its operating point."""
        return {name: predictor_of(curve) for name, curve in self.curves.items()}

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
        wear, predictor = component.wear, self.predictors.get(component.name)
        if predictor is None:
            return failing_by_age(wear, age, ahead)
        known = Warnings(predictor, wear)
        risk = known.failing(age, notice, ahead)
        some = np.flatnonzero(np.isfinite(alerted))
        if len(some):
            begun = np.maximum(age[some] - alerted[some], 0.0)
            risk[some] = known.failing_alerted(begun, alerted[some], ahead)
        return np.clip(risk, 0.0, 1.0)
