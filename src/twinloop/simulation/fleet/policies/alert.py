"""Alerts: each component is renewed when its failure predictor alerts, rightly or not, or else at a fixed age."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from twinloop.contracts import AlertCurve
from twinloop.contracts.clock import check_clock
from twinloop.errors import InputError
from twinloop.simulation.fleet.lives import Lives, Unit
from twinloop.simulation.fleet.policies.policy import NEVER, PerComponent
from twinloop.simulation.fleet.vehicle import Fleet
from twinloop.simulation.maintenance.prediction import predictor_of
from twinloop.simulation.model.policies.predictive import alert_age
from twinloop.simulation.model.predictor import Predictor

MOST_TRIED = 11


@dataclass(frozen=True, eq=False)
class Alert(PerComponent):
    """values: component → threshold of its predictor's score. curves: component → what that predictor gets wrong.

    intervals: component → minutes of driving after which it is due where no alert is heeded; never for those left out.
    Raises InputError for a curve by the calendar: components wear by the hours that they drive.
    """

    curves: Mapping[str, AlertCurve] = field(default_factory=dict)
    intervals: Mapping[str, float] = field(default_factory=dict)
    unit = "a threshold"

    @classmethod
    def of(cls, curves: Mapping[str, AlertCurve], *, intervals: Mapping[str, float] | None = None) -> "Alert":
        """Every curve at its operating point."""
        return cls({name: curve.threshold for name, curve in curves.items()}, curves, intervals or {})

    @property
    def draws(self) -> int:
        return max((curve.draws for curve in self.curves.values()), default=0)

    def check(self, fleet: Fleet) -> None:
        for name in (*self.values, *self.curves, *self.intervals):
            fleet.component(name)
        for name, threshold in self.values.items():
            if threshold < NEVER and name not in self.curves:
                raise InputError(f"Alert: {name}: expected an alert curve for its threshold {threshold:g}: give one")
            if not threshold == threshold:
                raise InputError(f"Alert: {name}: expected a number as its threshold, got {threshold}")
        for name, interval in self.intervals.items():
            if not interval >= 0:
                raise InputError(f"Alert: intervals: {name} = {interval}: expected minutes of driving ≥ 0")
        for name, curve in self.curves.items():
            check_clock(f"alert curve of {name}", curve.clock, expected="work", remedy="components wear by driving")

    @cached_property
    def predictors(self) -> dict[str, Predictor]:
        """By component, at its threshold."""
        return {
            name: predictor_of(curve.at(self.values[name]))
            for name, curve in self.curves.items()
            if self.values.get(name, NEVER) < NEVER
        }

    def due_age(self, lives: Lives, vehicle: int, component: int, number: int, unit: Unit, *, draw: int = 0) -> float:
        name = lives.fleet.components[component].name
        predictor = self.predictors.get(name)
        if predictor is None:
            return self.intervals.get(name, NEVER)
        chosen = 1 + (draw - 1) % predictor.draws if draw and predictor.draws else 0
        rng = lives.streams.generator(lives.entity(vehicle, component), f"alert {number}")
        return alert_age(predictor, unit.path.life_min, rng, draw=chosen)

    def grid(self, fleet: Fleet, component: int) -> list[float]:
        curve = self.curves.get(fleet.components[component].name)
        if curve is None:
            return [NEVER]
        count = len(curve.thresholds)
        places = np.unique(np.linspace(0, count - 1, min(MOST_TRIED, count)).round().astype(int))
        return [*curve.thresholds[places].tolist(), NEVER]
