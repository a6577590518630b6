"""One replication: builds the line from its description, runs it, and makes sure that something happened.

A line that can only wait is not an idle line: when every machine waits for another, or no part ever
leaves, the run stops and says what waits for what.
"""

import simpy

from twinloop.errors import RunError
from twinloop.simulation.engine.build import arrivals, entities, machines_of, maker
from twinloop.simulation.engine.entities import Buffer, SaturatedQueue
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.machines import Machine
from twinloop.simulation.engine.streams import Streams
from twinloop.simulation.events.log import BLOCKED, EVENTS, SCRAP, SHIP, STARVED, EventLog
from twinloop.simulation.model.line import Line

MS_PER_MINUTE = 60_000
NEVER = float("inf")


def simulate(
    line: Line, gate: Gate, *, seed: int, replication: int, minutes: float, latency_ms: float = 0.0
) -> EventLog:
    """The event log of `minutes` of production, a pure function of its arguments.

    Raises InputError when the line names classes the gate does not know, RunError for a line that stops
    for good, a line that no part leaves, and a duration that is not a finite number ≥ 0.
    """
    env = simpy.Environment()
    log = EventLog(entities=entities(line), classes=gate.classes, horizon=minutes)
    streams = Streams(seed, replication)
    make = maker(env, log, line.source, gate, streams)
    queue = (
        SaturatedQueue(env, "the source", make)
        if line.source.interarrival is None
        else Buffer(env, "the source", NEVER)
    )
    machines = machines_of(env, log, line, gate, streams, queue, latency_ms / MS_PER_MINUTE)
    if line.source.interarrival is not None:
        between = streams.durations("source", "interarrival", line.source.interarrival)
        env.process(arrivals(env, queue, make, between))
    env.run(until=minutes)
    for machine in machines:
        machine.finish(minutes)
    _check_progress(line, log, machines)
    return log


def _check_progress(line: Line, log: EventLog, machines: list[Machine]) -> None:
    states = {machine.state for machine in machines}
    if BLOCKED in states and states <= {STARVED, BLOCKED}:
        raise RunError(
            f"simulate: {line.name} stands still from minute {log.time.max():.1f} on: {_who_waits(machines)}: "
            "enlarge a buffer of the loop or set rework.when_full: scrap"
        )
    if not ((log.event == SHIP) | (log.event == SCRAP)).any():
        raise RunError(
            f"simulate: no part left {line.name} within {log.horizon:g} minutes: {_who_waits(machines)}: "
            "simulate more days, or check cycle, repair and interarrival times"
        )


def _who_waits(machines: list[Machine]) -> str:
    blocked = [machine for machine in machines if machine.state == BLOCKED]
    working = [machine for machine in machines if machine.state not in (STARVED, BLOCKED)]
    lines = [f"{machine.name} is still {EVENTS[machine.state]}" for machine in working]
    lines += [
        f"{machine.name} waits for {machine.waits_for}" for machine in blocked or machines if machine not in working
    ]
    return "; ".join(lines)
