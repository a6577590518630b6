"""A predictor at work on simulated telemetry: its alerts in the very lives that the policies of a replication meet.

It checks what an AlertCurve says in a few numbers. The fleet is driven to failure, its telemetry is made and scored
window by window, and in each life an alert comes at the driving age at which its score is first at the threshold: the
k-th life of a component is the same under every policy. All parts are new when that begins, so that every life is seen
whole. What this leaves out: a sensor that several components share shows the others as worn as they were there, not as
the policy would have kept them; and noise and weather are those of the day on which the age was reached there. A life
beyond the telemetry's end has no alert.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.features.reference import Reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.stream import features
from twinloop.prognostics.inference.scores import scored
from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.table import FeatureTable
from twinloop.simulation.fleet.engine import simulate
from twinloop.simulation.fleet.history import FleetHistory
from twinloop.simulation.fleet.lives import Lives, Unit
from twinloop.simulation.fleet.policies import Alert, RunToFailure
from twinloop.simulation.fleet.policies.policy import NEVER, PerComponent
from twinloop.simulation.fleet.recorded import recorded
from twinloop.simulation.fleet.scenario import Scenario
from twinloop.simulation.fleet.sensors import Sensing, sensor_faults
from twinloop.simulation.fleet.vehicle import Fleet
from twinloop.simulation.fleet.watching import scored_services
from twinloop.simulation.fleet.world import World

Floats = NDArray[np.float64]


class Scorer(Protocol):
    """Any callable of this form; one that is used by several processes can be pickled."""

    def __call__(self, history: FleetHistory) -> pl.DataFrame:
        """asset, component, time_min and score of every window; a higher score means that failure is nearer."""


@dataclass(frozen=True)
class HazardScorer:
    """The hazard model that `export_hazard` wrote into a folder, on features as it was trained on.

    reference, settings: of these features.
    """

    folder: Path
    reference: Reference
    settings: FeatureSettings

    @cached_property
    def model(self) -> HazardModel:
        """On ONNX Runtime, opened when it is first asked for."""
        # Whoever simulates fleets without a predictor must not pay for its imports.
        from twinloop.prognostics.inference.graphs import open_hazard

        return open_hazard(self.folder)

    def __call__(self, history: FleetHistory) -> pl.DataFrame:
        record = recorded(history)
        table = FeatureTable.of(features(record.telemetry, self.reference, self.settings, events=record.events))
        return scored(self.model, table, record.lives)


class _Rises(NamedTuple):
    """Ages [n] in minutes of driving at which a life's score was higher than ever before, and these scores [n]."""

    age: Floats
    score: Floats


@dataclass(frozen=True, eq=False)
class Scored(PerComponent):
    """values: component → threshold of its score. days: of telemetry, some three times those of a run: lives that are
    not renewed last longer, and a vehicle stands longer when it fails.

    intervals: component → minutes of driving after which it is due where no alert is heeded; never for those left out.
    """

    scorer: Scorer
    days: int = 1200
    sensing: Sensing = field(default_factory=Sensing)
    intervals: Mapping[str, float] = field(default_factory=dict)
    unit = "a threshold"
    _rises: dict[tuple[int, int], dict[tuple[int, int, int], _Rises]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, alert: Alert, scorer: Scorer, *, days: int, sensing: Sensing | None = None) -> "Scored":
        """The thresholds and intervals of an Alert, heeded by scores instead of its curves."""
        return cls(alert.values, scorer, days, sensing or Sensing(), alert.intervals)

    def check(self, fleet: Fleet) -> None:
        super().check(fleet)
        for name in self.values:
            if fleet.components[fleet.component(name)].wear.restoration < 1:
                raise InputError(
                    f"Scored: {name}: expected repairs that make it as good as new: its k-th life depends on the policy"
                )

    def due_age(self, lives: Lives, vehicle: int, component: int, number: int, unit: Unit, *, draw: int = 0) -> float:
        name = lives.fleet.components[component].name
        threshold = self.values.get(name, NEVER)
        if threshold == NEVER:
            return self.intervals.get(name, NEVER)
        rises = self._watched(lives).get((vehicle, component, number))
        if rises is None:
            return NEVER
        first = int(np.searchsorted(rises.score, threshold, side="left"))
        return float(rises.age[first]) if first < len(rises.age) else NEVER

    def _watched(self, lives: Lives) -> Mapping[tuple[int, int, int], _Rises]:
        """Of every life of a replication, by vehicle, component and number."""
        key = lives.streams.seed, lives.streams.replication
        if key not in self._rises:
            self._rises[key] = self._scores(lives)
        return self._rises[key]

    def _scores(self, lives: Lives) -> dict[tuple[int, int, int], _Rises]:
        fleet, streams, found = dataclasses.replace(lives.fleet, used=False), lives.streams, {}
        world = World.of(fleet, days=self.days, seed=streams.seed, replication=streams.replication)
        record = simulate(dataclasses.replace(world, lives=lives), RunToFailure())
        history = FleetHistory(record, Scenario(), self.sensing, sensor_faults(record, self.sensing))
        scores = self.scorer(history)
        for (component,), own in scores.partition_by("component", as_dict=True).items():
            for part, _, odometer, score in scored_services(history, str(component), own):
                age = odometer - part.begin_odometer
                found[part.vehicle, part.component, part.number] = _rises(age, score)
        return found


def _rises(age: Floats, score: Floats) -> _Rises:
    highest = np.maximum.accumulate(score)
    new = np.append(True, highest[1:] > highest[:-1])
    return _Rises(age[new], score[new])
