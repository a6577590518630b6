"""Runs of a line to failure under the eyes of its sensors: what predictors learn from, and what they are judged by."""

from collections.abc import Iterator
from typing import NamedTuple

from twinloop.contracts import OperatingCurve, Telemetry
from twinloop.simulation.degradation.history import History, histories
from twinloop.simulation.degradation.lived import Lived, lived
from twinloop.simulation.degradation.sensors import telemetry
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import simulate
from twinloop.simulation.maintenance.foresight import Foresight, learn
from twinloop.simulation.maintenance.settings import ForesightSettings
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.physics import Physics

# Far from the replications that are compared: what a predictor learnt from is not what it is judged by.
LEARNING_REPLICATION = 1_000_000


class WatchedRun(NamedTuple):
    """One run: its machines that wear, what their sensors showed, and the lives of each as a predictor sees them."""

    machines: tuple[History, ...]
    telemetry: Telemetry
    lives: tuple[tuple[Lived, ...], ...]

    @property
    def all_lives(self) -> list[Lived]:
        """Those of all machines."""
        return [one for lives in self.lives for one in lives]

    @property
    def standing(self) -> list[Lived]:
        """The life that each machine is in at the end, under the machine's name."""
        return [
            lives[-1].until(lives[-1].end_min, asset=machine.asset)
            for machine, lives in zip(self.machines, self.lives, strict=True)
        ]


def watch(
    line: Line,
    physics: Physics,
    *,
    days: float,
    runs: int,
    seed: int,
    first: int = LEARNING_REPLICATION,
    curve: OperatingCurve | None = None,
) -> Iterator[WatchedRun]:
    """Runs of so many days with the replications from `first` on."""
    gate, minutes = Gate.of(line.inspection.curve(curve)), days * line.minutes_per_day
    for number in range(first, first + runs):
        log = simulate(line, gate, seed=seed, replication=number, minutes=minutes)
        machines = tuple(h for h in histories(line, log, seed=seed, replication=number) if h.lives)
        shown = telemetry(line, log, physics, seed=seed, replication=number)
        lives = tuple(
            tuple(lived(h, shown.of_asset(h.asset), sample_min=physics.sample_min, run=str(number))) for h in machines
        )
        yield WatchedRun(machines, shown, lives)


def foreseen(
    line: Line,
    physics: Physics,
    settings: ForesightSettings,
    *,
    seed: int,
    first: int = LEARNING_REPLICATION,
    curve: OperatingCurve | None = None,
) -> tuple[Foresight, list[WatchedRun]]:
    """A predictor of the line's machines that wear, and the fresh runs to judge it by.

    Raises InputError where none of them failed while it was to learn, or was to be judged.
    """
    runs = settings.runs
    learning = watch(line, physics, days=settings.days, runs=runs, seed=seed, first=first, curve=curve)
    foresight = learn([one for run in learning for one in run.all_lives], settings, seed=seed)
    return foresight, list(
        watch(line, physics, days=settings.days, runs=runs, seed=seed, first=first + runs, curve=curve)
    )
