"""From a line and its gate to the records the kernel starts from, and to the streams it draws from.

A stream that cannot matter (one class, one variant, no inspection) is not drawn: streams are independent.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, chain, islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.replication.streams import Streams
from twinloop.simulation.compiled.records import (
    ARRIVE,
    BEGIN,
    BRANCHES,
    BUFFER,
    CLOCK,
    CREW,
    DELAY,
    FETCH,
    INSPECTOR,
    LEAVER,
    MACHINE,
    NONE,
    PLAIN,
    RELEASED,
    REPAIRER,
    ROUTES,
    SERIAL,
    STOCK,
    TEAM,
    TEAM_RECORD,
    UNLIMITED,
    Floats,
    Records,
    Rules,
)
from twinloop.simulation.compiled.ways import branches, outlet, routes, timed
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.rework import success_by_class
from twinloop.simulation.engine.source import initial_variants, variant_sequence
from twinloop.simulation.events.log import NO_PART, STARVED
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.joint import drawn_table
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.resources import Shift
from twinloop.simulation.model.routing import paths
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

    machines: the source, the machines, a clock for each group of people with shifts, then a leaver for each station of
    unlimited servers. crew: its size, 0 when every machine has its own repairer. shifts: of every clock, in its order;
    `day` is how long theirs is. rows: key and joint table of a replication.
    """

    machines: Records
    buffers: Records
    rules: Rules
    streams: tuple[Stream, ...]
    crew: int
    crew_on_shift: bool
    teams: Records
    people: int
    stocks: Records
    shifts: tuple[tuple[Shift, ...], ...]
    day: float
    rows: Callable[[Streams, bool], tuple[int, Floats]]

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


def _difficulty(unlike_share: float) -> Callable[[Streams], Sampler]:
    """source.maker: NaN for the parts that are unlike anything learnt."""
    if not unlike_share:
        return _normal("part", "difficulty")

    def sampler(streams: Streams) -> Sampler:
        usual = streams.generator("part", "difficulty").standard_normal
        strange = streams.generator("part", "unlike").random
        return lambda count: np.where(strange(count) < unlike_share, np.nan, usual(count))

    return sampler


def _variants(line: Line) -> Callable[[Streams], Sampler]:
    def sampler(streams: Streams) -> Sampler:
        # Orders have an end, but a block of numbers is drawn whole.
        sequence = chain(initial_variants(line), variant_sequence(line.source, streams), repeat(0))
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
    groups = [group.shifts for group in line.operators if group.shifts]
    clocks = [*groups, *([line.crew.shifts] if line.crew and line.crew.shifts else [])]
    count_machines = len(places) + (line.rework.servers if line.rework else 0)
    delays = [number for number, (station, _) in enumerate(places, start=1) if station.unlimited]
    machines = np.zeros(1 + count_machines + len(clocks) + len(delays), dtype=MACHINE)
    # Per machine and variant: streams of cycles, factors on them, streams of changes.
    shape = (len(machines), len(line.source.variants))
    cycles, factors = np.full(shape, NONE, dtype=np.int64), np.ones(shape)
    setups = np.full((*shape, shape[1]), NONE, dtype=np.int64)
    machines["state"], machines["noted"], machines["step"] = STARVED, NO_PART, FETCH
    machines["left"] = np.inf
    for field in ("failure", "repair", "part", "variant", "waits_for", "next", "operator", "leaver"):
        machines[field] = NONE
    machines["speed"] = 1.0
    machines[0]["step"] = BEGIN
    machines[0]["after_work"] = ARRIVE if line.source.interarrival else RELEASED if line.source.orders else NONE
    for number, machine in enumerate(machines[1 + count_machines :][: len(clocks)]):
        machine["step"], machine["inlet"], machine["outlet"] = CLOCK, number, number
        machine["kind"] = TEAM if number < len(groups) else CREW
    by_clock = [number for number, group in enumerate(line.operators) if group.shifts]
    for machine, team in zip(machines[1 + count_machines :], by_clock, strict=False):
        machine["outlet"] = team

    def add_station(number: int, station: Station, server: int, name: str, per_minute: float) -> None:
        machine, own = (
            machines[number],
            _times(name, station, drawing, line, min(per_minute, 1 / station.cycle.average)),
        )
        cycles[number], factors[number], setups[number] = own
        machine["sets_up"] = bool(station.setup or station.setups)
        machine["speed"] = station.speeds[server] if station.speeds else 1.0
        machine["staffed"] = any(station.name in group.skills for group in line.operators)
        _add_failures(machine, name, station, drawing)

    for number, (machine, (station, position)) in enumerate(zip(machines[1:], places, strict=False), start=1):
        machine["station"], machine["inlet"] = position, position
        machine["outlet"] = outlet(line, position)
        machine["kind"] = INSPECTOR if station.inspects else DELAY if station.unlimited else PLAIN
        machine["extra"] = latency_min if station.inspects else 0.0
        server = number - 1 - sum(other.servers for other in line.stations[:position])
        add_station(number, station, server, next(names), 1 / (per_part * station.servers))
    if line.rework:
        station = Station(name=line.rework.name, cycle=line.rework.cycle)
        for number in range(1 + len(places), 1 + count_machines):
            machine = machines[number]
            machine["station"], machine["inlet"], machine["outlet"] = count, rework_queue, line.return_position
            machine["kind"] = REPAIRER
            add_station(number, station, 0, next(names), 0.1 / (per_part * line.rework.servers))
    for leaver, number in enumerate(delays, start=len(machines) - len(delays)):
        machines[number]["leaver"] = leaver
        machines[leaver] = machines[number]
        machines[leaver]["kind"] = LEAVER
    arrival = NONE
    if line.source.interarrival:
        between = line.source.interarrival
        arrival = drawing.add(_durations("source", "interarrival", between, 1 / between.average))
    several = Stream(_variants(line), 1 / per_part)
    classes = Stream(_uniform("part", "class"), 1 / per_part)
    difficulty = Stream(_difficulty(line.inspection.unlike_share), 1 / per_part)
    routing = BRANCHES if line.branching else ROUTES if line.routed else SERIAL
    limits, outlets = branches(line)
    stations = [station.name for station in line.stations] + ([line.rework.name] if line.rework else [])
    initial, initial_steps = _initial(line)
    needed, per_part_needed = _needs(line, places, len(machines))
    drawing_of_stocks = [
        drawing.add(_durations(material.name, "lead time", material.lead_time, 1 / material.lead_time.average))
        if material.lead_time
        else NONE
        for material in line.materials
    ]
    rules = Rules(
        factors=factors,
        cycles=cycles,
        setups=setups,
        priorities=np.array([variant.priority for variant in line.source.variants]),
        order_priorities=np.array(
            [line.source.priority(number, 0) for number in range(line.source.ordered)], dtype=np.int64
        ),
        order_min=np.array([order.release_min for order in line.source.released]),
        order_parts=np.array([order.quantity for order in line.source.released], dtype=np.int64),
        initial=initial,
        initial_steps=initial_steps,
        population=line.source.population or 0,
        loses=int(line.source.when_full == "lose"),
        skills=np.array(
            [[int(name in group.skills) for name in stations] for group in line.operators] or [[0] * len(stations)],
            dtype=np.int64,
        ),
        needed=needed,
        per_part=per_part_needed,
        first_person=1 + count_machines,
        first_stock=1 + count_machines + sum(group.count for group in line.operators),
        machines=count_machines,
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
        routes=routes(line),
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
        first_span=len(entities(line)) - len(line.spans),
        **timed(line)._asdict(),
    )
    return Layout(
        machines,
        buffers,
        rules,
        tuple(drawing.streams),
        crew=line.crew.size if line.crew else 0,
        crew_on_shift=not (line.crew and line.crew.shifts),
        teams=_teams(line),
        people=sum(group.count for group in line.operators),
        stocks=_stocks(line, drawing_of_stocks),
        shifts=tuple(clocks),
        day=line.minutes_per_day,
        rows=partial(_rows, line),
    )


def _rows(line: Line, streams: Streams, drawn: bool) -> tuple[int, Floats]:
    if line.joint is None:
        return 0, np.zeros((1, 1))
    key, table = drawn_table(line.joint, line.stations, streams, drawn=drawn)
    return key, np.ascontiguousarray(table)


def _teams(line: Line) -> Records:
    teams, first = np.zeros(len(line.operators), dtype=TEAM_RECORD), 0
    for team, group in zip(teams, line.operators, strict=True):
        team["on_shift"], team["first"], team["count"] = not group.shifts, first, group.count
        team["free"] = group.count
        first += group.count
    return teams


def _stocks(line: Line, leads: Sequence[int]) -> Records:
    stocks = np.zeros(len(line.materials), dtype=STOCK)
    for stock, material, lead in zip(stocks, line.materials, leads, strict=True):
        stock["level"] = stock["position"] = material.initial
        stock["reorder_at"], stock["order_quantity"] = material.reorder_at, material.order_quantity
        stock["lead"], stock["first_waiting"], stock["last_waiting"] = lead, NONE, NONE
    return stocks


def _needs(line: Line, places: Sequence[tuple[Station, int]], machines: int) -> tuple[NDArray[np.int64], Floats]:
    """[machines, materials] stocks that a part needs, -1 behind the last, and how much of each."""
    width = 1 + max(len(station.materials) for station in line.stations)
    needed, per_part = np.full((machines, width), NONE, dtype=np.int64), np.zeros((machines, width))
    names = [material.name for material in line.materials]
    for number, (station, _) in enumerate(places, start=1):
        for place, (name, quantity) in enumerate(station.materials.items()):
            needed[number, place], per_part[number, place] = names.index(name), quantity
    return needed, per_part


def _initial(line: Line) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[parts] that are there at the start: where each waits, and at which step of its route."""
    names, variants = [station.name for station in line.stations], initial_variants(line)
    where = [names.index(parts.station) for parts in line.initial for _ in range(parts.quantity)]
    ways = paths(line.stations, line.source.variants)
    follows = line.routed and not line.branching
    steps = [ways[variant].index(at) if follows else 0 for at, variant in zip(where, variants, strict=True)]
    return np.array(where, dtype=np.int64), np.array(steps, dtype=np.int64)


def _times(
    name: str, station: Station, drawing: _Drawing, line: Line, per_minute: float
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Per variant the stream of a machine's cycles and the factor on it, and the streams [V, V] of its set-ups."""
    variants = [variant.name for variant in line.source.variants]
    joint = line.joint is not None and station.name in line.joint.stations
    plain = NONE if joint else drawing.add(_durations(name, "cycle", station.cycle, per_minute))
    streams = [
        drawing.add(_durations(name, f"cycle {variant}", own, per_minute))
        if (own := station.cycles.get(variant))
        else plain
        for variant in variants
    ]
    factors = [1.0 if variant.name in station.cycles else variant.cycle_factor for variant in line.source.variants]
    setups = np.full((len(variants), len(variants)), NONE, dtype=np.int64)
    if station.setup:
        setups[:] = drawing.add(_durations(name, "setup", station.setup, per_minute))
    for before, onward in station.setups.items():
        for after, time in onward.items():
            stream = drawing.add(_durations(name, f"setup {before} to {after}", time, per_minute))
            setups[variants.index(before), variants.index(after)] = stream
    return np.array(streams), np.array(factors), setups


def _add_failures(machine: Any, name: str, station: Station, drawing: _Drawing) -> None:
    machine["priority"] = station.repair_priority
    if station.failure and station.repair:
        rate = 1 / station.failure.average
        machine["failure"] = drawing.add(_durations(name, "failure", station.failure, rate))
        machine["repair"] = drawing.add(_durations(name, "repair", station.repair, rate))
        machine["calendar"] = station.failure_clock == "calendar"


def _buffers(line: Line) -> Records:
    """What lies before every station, the way out behind every station, and the queue of rework."""
    count = len(line.stations)
    buffers = np.zeros(2 * count + (1 if line.rework else 0), dtype=BUFFER)
    for field in ("first", "last", "first_giver", "last_giver", "first_taker", "last_taker"):
        buffers[field] = NONE
    *firsts, after_last = accumulate((station.servers for station in line.stations), initial=1)
    for position, (station, first) in enumerate(zip(line.stations, firsts, strict=True)):
        room = line.rooms[position]
        buffers[position]["capacity"] = UNLIMITED if room == math.inf else int(room)
        buffers[position]["entity"] = first
        buffers[position]["saturated"] = line.saturated and position in line.entries
        buffers[count + position]["ships"] = 1
        buffers[count + position]["entity"] = first + station.servers - 1
    if line.rework:
        buffers[-1]["capacity"], buffers[-1]["entity"] = line.rework.buffer, after_last
    return buffers
