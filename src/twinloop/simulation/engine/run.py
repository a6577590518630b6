"""One replication: builds the line from its description, runs it, and makes sure that something happened."""

import simpy

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.build import build
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.progress import check_progress
from twinloop.simulation.events.log import EventLog
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
) -> EventLog:
    """The event log of `minutes` of production, a pure function of its arguments; `silent` leaves it empty.

    Raises InputError when the line names classes the gate does not know, RunError for a line that stops
    for good, a line that no part leaves, and a duration that is not a finite number ≥ 0.
    """
    env = simpy.Environment()
    log = EventLog(entities=entities(line), classes=gate.classes, horizon=minutes, silent=silent)
    plant = build(env, log, line, gate, Streams(seed, replication), latency_min=latency_ms / MS_PER_MINUTE)
    env.run(until=minutes)
    env.step()  # SimPy puts the event that ends a run back in front of what comes next
    for machine in plant.machines:
        machine.finish(minutes)
    check_progress(plant)
    return log
