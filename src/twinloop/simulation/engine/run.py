"""One replication: builds the line from its description, runs it, and makes sure that something happened."""

from dataclasses import dataclass

import numpy as np
import simpy
from numpy.typing import NDArray

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.build import build
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.progress import check_progress
from twinloop.simulation.events.kpi import outcome
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line

MS_PER_MINUTE = 60_000


def simulate(
    line: Line,
    gate: Gate,
    *,
    seed: int,
    replication: int,
    minutes: float,
    latency_ms: float = 0.0,
    silent: bool = False,
    drawn: bool = True,
) -> EventLog:
    """The event log of `minutes` of production, a pure function of its arguments; `silent` leaves it empty.

    drawn: whether a joint table that is resampled is drawn anew, or taken as it is.
    Raises InputError when the line names classes the gate does not know, RunError for a line that stops
    for good, a line that no part leaves, and a duration that is not a finite number ≥ 0.
    """
    env = simpy.Environment()
    log = EventLog(entities=entities(line), classes=gate.classes, horizon=minutes, silent=silent)
    plant = build(env, log, line, gate, Streams(seed, replication), latency_min=latency_ms / MS_PER_MINUTE, drawn=drawn)
    env.run(until=minutes)
    env.step()  # SimPy puts the event that ends a run back in front of what comes next
    for machine in plant.machines:
        machine.finish(minutes)
    check_progress(plant)
    return log


@dataclass(frozen=True)
class Run:
    """One replication to be done, measured from minute `start` (the warm-up's end) to the horizon.

    drawn: whether it uses a draw of what was measured (a joint table that is resampled), or the estimate.
    """

    line: Line
    gate: Gate
    latency_ms: float
    economy: Economy
    seed: int
    replication: int
    start: float
    horizon: float
    drawn: bool = True

    def __call__(self) -> tuple[dict[str, float], NDArray[np.float64]]:
        """Key figures and ASIDES, and the minutes [entities, STATES]."""
        return outcome(self.log(), self.line, self.economy, start=self.start)

    def log(self) -> EventLog:
        """The event log of the replication."""
        return simulate(
            self.line,
            self.gate,
            seed=self.seed,
            replication=self.replication,
            minutes=self.horizon,
            latency_ms=self.latency_ms,
            drawn=self.drawn,
        )
