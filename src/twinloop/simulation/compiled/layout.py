"""From a line and its gate to the records the kernel starts from, and to the streams it draws from.

A stream that cannot matter (one class, one variant, no inspection) is not drawn: streams are independent.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.replication.streams import Streams
from twinloop.simulation.compiled.records import (
    ARRIVE,
    BRANCHES,
    BUFFER,
    FETCH,
    INSPECTOR,
    MACHINE,
    NONE,
    PLAIN,
    REPAIRER,
    ROUTES,
    SERIAL,
    UNLIMITED,
    Floats,
    Records,
    Rules,
)
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.rework import success_by_class
from twinloop.simulation.engine.source import variant_sequence
from twinloop.simulation.events.log import NO_PART, STARVED
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.routing import LEAVES, paths
from twinloop.simulation.model.station import Station

Sampler = Callable[[int], Floats]


@dataclass(frozen=True, eq=False)
class Stream:
    """One stream of numbers: `sampler` opens it, `per_minute` is about how many are used, `source` names durations.

    Only durations have a source: they are checked.
    """

    sampler: Callable[[Streams], Sampler]
    per_minute: float
    source: str = ""


@dataclass(frozen=True, eq=False)
class Layout:
    """What all replications of a line start from.

    crew: its size, 0 when every machine has its own repairer.
    """

    machines: Records
    buffers: Records
    rules: Rules
    streams: tuple[Stream, ...]
    crew: int

    def luck(self, row: int) -> Callable[[Streams], Sampler]:
        """Opens a stream of numbers by part: one for each visit to rework, then one for each look."""
        visits = self.rules.rework_times
        return _uniform("part", f"rework {row}") if row < visits else _normal("part", f"look {row - visits}")


def _durations(entity: str, purpose: str, distribution: Distribution, per_minute: float) -> Stream:
    def sampler(streams: Streams) -> Sampler:
        rng = streams.generator(entity, purpose)
        return lambda count: distribution.sample(rng, count)

    return Stream(sampler, per_minute, f"{entity}: {purpose}")


def _uniform(entity: str, purpose: str) -> Callable[[Streams], Sampler]:
    return lambda streams: streams.generator(entity, purpose).random


def _normal(entity: str, purpose: str) -> Callable[[Streams], Sampler]:
    return lambda streams: streams.generator(entity, purpose).standard_normal


def _variants(line: Line) -> Callable[[Streams], Sampler]:
    def sampler(streams: Streams) -> Sampler:
        sequence = variant_sequence(line.source, streams)
        return lambda count: np.fromiter(islice(sequence, count), dtype=np.float64, count=count)

    return sampler


class _Drawing:
    """Collects streams and numbers them."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []

    def add(self, stream: Stream) -> int:
        self.streams.append(stream)
        return len(self.streams) - 1


def layout(line: Line, gate: Gate, *, latency_min: float) -> Layout:
    """The records and streams of a line. Raises InputError when it names classes the gate does not know."""
    count, drawing = len(line.stations), _Drawing()
    success = success_by_class(line, gate.classes)
    buffers = _buffers(line)
    rework_queue = 2 * count if line.rework else NONE
    names = iter(entities(line)[1:])
    per_part = max(line.minutes_per_part(line.bottleneck), 1e-9)
    if line.source.interarrival:
        per_part = max(per_part, line.source.interarrival.average)
    places = [(station, position) for position, station in enumerate(line.stations) for _ in range(station.servers)]
    machines = np.zeros(1 + len(places) + (line.rework.servers if line.rework else 0), dtype=MACHINE)
    machines["state"], machines["noted"], machines["step"] = STARVED, NO_PART, FETCH
    machines["left"] = np.inf
    for field in ("cycle", "failure", "repair", "setup", "part", "variant", "waits_for", "next"):
        machines[field] = NONE
    machines[0]["step"] = ARRIVE
    for machine, (station, position) in zip(machines[1:], places, strict=False):
        machine["station"], machine["inlet"] = position, position
        machine["outlet"] = count + position if line.routed or position == count - 1 else position + 1
        machine["kind"] = INSPECTOR if station.inspects else PLAIN
        machine["extra"] = latency_min if station.inspects else 0.0
        _add_durations(machine, next(names), station, drawing, 1 / (per_part * station.servers))
    if line.rework:
        station = Station(name=line.rework.name, cycle=line.rework.cycle)
        for machine in machines[1 + len(places) :]:
            machine["station"], machine["inlet"], machine["outlet"] = count, rework_queue, line.return_position
            machine["kind"] = REPAIRER
            _add_durations(machine, next(names), station, drawing, 0.1 / (per_part * line.rework.servers))
    arrival = NONE
    if line.source.interarrival:
        between = line.source.interarrival
        arrival = drawing.add(_durations("source", "interarrival", between, 1 / between.average))
    several = Stream(_variants(line), 1 / per_part)
    classes = Stream(_uniform("part", "class"), 1 / per_part)
    difficulty = Stream(_normal("part", "difficulty"), 1 / per_part)
    routing = BRANCHES if line.branching else ROUTES if line.routed else SERIAL
    limits, outlets = _branches(line)
    rules = Rules(
        factors=np.array([variant.cycle_factor for variant in line.source.variants]),
        upper_share=np.array(gate.upper_share),
        accept_z=np.array(gate.accept_z),
        reject_z=np.array(gate.reject_z),
        success=np.array(success or [0.0]),
        part_weight=gate.part_weight,
        look_weight=gate.look_weight,
        max_looks=line.inspection.max_looks,
        undecided_rejects=int(line.inspection.undecided == "reject"),
        rework_queue=rework_queue,
        rework_times=line.rework.max_times if line.rework else 0,
        rework_waits=int(line.rework is not None and line.rework.when_full == "wait"),
        routing=routing,
        routes=_routes(line),
        limits=limits,
        outlets=outlets,
        branch=np.array(
            [
                drawing.add(Stream(_uniform(station.name, "branch"), 1 / per_part)) if station.next else NONE
                for station in line.stations
            ]
        ),
        entries=np.array(line.entries),
        arrival=arrival,
        variant=drawing.add(several) if len(line.source.variants) > 1 else NONE,
        condition=drawing.add(classes) if gate.upper_share[0] < 1 else NONE,
        difficulty=drawing.add(difficulty) if line.inspecting is not None else NONE,
    )
    return Layout(machines, buffers, rules, tuple(drawing.streams), line.crew.size if line.crew else 0)


def _add_durations(machine: Any, name: str, station: Station, drawing: _Drawing, per_minute: float) -> None:
    per_minute = min(per_minute, 1 / station.cycle.average)
    machine["cycle"] = drawing.add(_durations(name, "cycle", station.cycle, per_minute))
    machine["priority"] = station.repair_priority
    if station.failure and station.repair:
        rate = 1 / station.failure.average
        machine["failure"] = drawing.add(_durations(name, "failure", station.failure, rate))
        machine["repair"] = drawing.add(_durations(name, "repair", station.repair, rate))
        machine["calendar"] = station.failure_clock == "calendar"
    if station.setup:
        machine["setup"] = drawing.add(_durations(name, "setup", station.setup, per_minute))


def _buffers(line: Line) -> Records:
    """What lies before every station, the way out behind every station, and the queue of rework."""
    count = len(line.stations)
    buffers = np.zeros(2 * count + (1 if line.rework else 0), dtype=BUFFER)
    for field in ("first", "last", "first_giver", "last_giver", "first_taker", "last_taker"):
        buffers[field] = NONE
    *firsts, after_last = accumulate((station.servers for station in line.stations), initial=1)
    for position, (station, first) in enumerate(zip(line.stations, firsts, strict=True)):
        room = station.queue if line.routed else (UNLIMITED, *line.buffers)[position]
        buffers[position]["capacity"] = UNLIMITED if room is None else room
        buffers[position]["entity"] = first
        buffers[position]["saturated"] = line.saturated and position in line.entries
        buffers[count + position]["ships"] = 1
        buffers[count + position]["entity"] = first + station.servers - 1
    if line.rework:
        buffers[-1]["capacity"], buffers[-1]["entity"] = line.rework.buffer, after_last
    return buffers


def _routes(line: Line) -> NDArray[np.int64]:
    """[variants, steps] where a part goes after each visit of its route."""
    ways, count = paths(line.stations, line.source.variants), len(line.stations)
    routes = np.full((len(ways), max(map(len, ways))), NONE, dtype=np.int64)
    for row, way in zip(routes, ways, strict=True):
        row[: len(way)] = [*way[1:], count + way[-1]]
    return routes


def _branches(line: Line) -> tuple[Floats, NDArray[np.int64]]:
    """[stations, branches] upper limits of the uniform draw, and where each branch leads; the rest leaves."""
    names, count = [station.name for station in line.stations], len(line.stations)
    width = 1 + max(len(station.next) for station in line.stations)
    limits = np.full((count, width), np.inf)
    outlets = np.full((count, width), NONE, dtype=np.int64)
    for position, station in enumerate(line.stations):
        upto = accumulate(station.next.values())
        ways = [(limit, names.index(name)) for name, limit in zip(station.next, upto, strict=True)]
        if math.fsum(station.next.values()) < LEAVES:
            ways.append((np.inf, count + position))
        limits[position, : len(ways) - 1] = [limit for limit, _ in ways[:-1]]
        outlets[position, : len(ways)] = [place for _, place in ways]
    return limits, outlets
