"""A line that starts in the middle: the twin's step from mirror to forecast.

Buffers, machines and parts are those of a LineState, simulated or replayed from a real log. What is under way has a
rest drawn given how long it has lasted; what nobody can have seen (a part's difficulty, a class that was not told) is
drawn given the looks it has had. From there on everything has luck of its own. Where a log does not tell, a repair
is taken to last since its breakdown, and machines that wait for the same thing to be served in their order.
"""

import bisect
import math

import numpy as np
import simpy

from twinloop.errors import InputError, unknown
from twinloop.replication.streams import Streams
from twinloop.simulation.engine.build import Plant, build
from twinloop.simulation.engine.entities import Part
from twinloop.simulation.engine.inspection import Gate, Inspector
from twinloop.simulation.engine.machines import GOOD, Machine
from twinloop.simulation.engine.rework import success_by_class
from twinloop.simulation.engine.source import Begun, following
from twinloop.simulation.events.log import (
    ACCEPT,
    ENTER,
    EVENTS,
    REINSPECT,
    REJECT,
    SOURCE,
    EventLog,
)
from twinloop.simulation.events.state import LineState, MachineState, PartState
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.residual import residual
from twinloop.simulation.model.station import Station
from twinloop.simulation.model.variants import setup_time

ATTEMPTS = 1000
SHORTEST_MIN = 1e-9


def forked(state: LineState, line: Line, gate: Gate, streams: Streams, *, latency_min: float) -> Plant:
    """A plant whose clock stands at `state.clock_min`; its log begins with the parts that are there.

    Raises InputError for a line with a feature that cannot be continued, and for a state that is not of this line.
    """
    _check(state, line, gate)
    env = simpy.Environment(initial_time=state.clock_min)
    known = sorted(state.parts.values(), key=lambda part: (part.entered_min, part.number))
    log = EventLog(
        entities(line),
        gate.classes,
        state.clock_min,
        numbers=[part.number for part in known],
        next_number=state.next_number,
    )
    rng = streams.generator("part", "before the fork")
    parts = {part.number: _part(number, part, line, gate, rng) for number, part in enumerate(known)}
    for part in known:
        _recall(log, parts[part.number], part, line)
    plant = build(env, log, line, gate, streams, latency_min=latency_min, begun=_begun(state, line, streams))
    for buffer, waiting in zip(plant.buffers, state.waiting.values(), strict=True):
        for number in waiting:
            # What a full buffer cannot hold waits before it: parts handed to a machine that is down, or outside.
            if not buffer.put(parts[number]):
                buffer.room(parts[number])
    for machine, before in zip(plant.machines, state.machines, strict=True):
        station = _station(line, machine.entity)
        part_held = None if before.part is None else parts[before.part]
        _resume(machine, before, station, part_held, line, streams, latency_min)
    return plant


def _check(state: LineState, line: Line, gate: Gate) -> None:
    features = {
        "operators": bool(line.operators),
        "materials": bool(line.materials),
        "transport": line.transport is not None,
        "orders": bool(line.source.orders),
        "wear": any(station.wear for station in line.stations),
        "maintenance": any(station.maintenance for station in line.stations),
        "assembly": any(station.assembles for station in line.stations),
        "batches": any(station.batch > 1 for station in line.stations),
        "patience": any(station.patience for station in line.stations),
        "unlimited stations": any(station.unlimited for station in line.stations),
        "spans": bool(line.spans),
        "a joint table": line.joint is not None,
    }
    used = [name for name, given in features.items() if given]
    if used:
        raise InputError(
            f"fork: {line.name} has {', '.join(used)}, whose state a log does not tell: fork a line without them"
        )
    names = [machine.name for machine in state.machines]
    if tuple(names) != entities(line)[1:]:
        raise InputError(
            f"fork: the state is of {', '.join(names)}, {line.name} has {', '.join(entities(line)[1:])}: "
            "give the line that the state is of"
        )
    for machine in state.machines:
        station = _station(line, names.index(machine.name) + 1)
        if machine.state == "down" and station.failure is None:
            raise InputError(
                f"fork: {machine.name} is down, but {line.name} has no failure and repair for it: add them"
            )
        if machine.state == "maintenance":
            raise InputError(f"fork: {machine.name} is in maintenance, which {line.name} does not describe: fork later")
        if machine.done and line.branching:
            raise InputError(
                f"fork: {machine.name} is blocked, and where its part wants to branch to is not told: fork later"
            )
    down = [machine.name for machine in state.machines if machine.state == "down"]
    if line.crew and len(down) > line.crew.size:
        raise InputError(
            f"fork: {', '.join(down)} are down for a crew of {line.crew.size}: who is repaired is not told: fork later"
        )
    if state.elsewhere:
        raise InputError(f"fork: part {state.elsewhere[0]} is on the line, but it is not told where: log its queue row")
    for part in state.parts.values():
        if part.variant not in (None, *(variant.name for variant in line.source.variants)):
            raise unknown(f"fork: part {part.number}: variant", str(part.variant), _variants(line))
        if part.condition not in (None, *gate.classes):
            raise unknown(f"fork: part {part.number}: class of another curve", str(part.condition), gate.classes)


def _variants(line: Line) -> list[str]:
    return [variant.name for variant in line.source.variants]


def _station(line: Line, entity: int) -> Station:
    places = [station for station in line.stations for _ in range(station.servers)]
    if entity > len(places) and line.rework:
        return Station(name=line.rework.name, cycle=line.rework.cycle)
    return places[entity - 1]


def _begun(state: LineState, line: Line, streams: Streams) -> Begun:
    source = line.source
    variant, count = state.lot
    rest = -count % source.lot_size
    lot = (_variants(line).index(variant),) * rest if variant in _variants(line) else ()
    waited = state.clock_min - (state.last_entry_min or 0.0)
    arrival = None
    if source.interarrival is not None and waited > 0:
        arrival = residual(source.interarrival, waited, streams.generator("source", "rest"))
    return Begun(parts=len(state.parts), lot=lot, next_arrival_min=arrival)


def _part(number: int, known: PartState, line: Line, gate: Gate, rng: np.random.Generator) -> Part:
    condition, difficulty = _nature(known, line, gate, rng)
    shares = np.cumsum([variant.share for variant in line.source.variants])
    drawn = min(int(np.searchsorted(shares / shares[-1], rng.random(), side="right")), len(shares) - 1)
    variant = drawn if known.variant is None else _variants(line).index(known.variant)
    priority = line.source.priority(-1, variant)
    part = Part(number, variant=variant, condition=condition, difficulty=difficulty, priority=priority)
    part.looks, part.reworks, part.rejected = len(known.looks), known.reworks, known.rejected
    part.step = known.steps
    return part


def _nature(known: PartState, line: Line, gate: Gate, rng: np.random.Generator) -> tuple[int, float]:
    """Class and difficulty given the looks so far, by rejection; after ATTEMPTS the last draw."""
    condition = GOOD if known.condition is None else gate.classes.index(known.condition)
    difficulty = 0.0
    for _ in range(ATTEMPTS):
        if known.condition is None:
            condition = bisect.bisect_right(gate.upper_share, rng.random())
        difficulty = rng.standard_normal()
        if line.inspection.unlike_share and rng.random() < line.inspection.unlike_share:
            difficulty = math.nan
        if all(
            _decision(
                line,
                gate,
                look.number,
                difficulty,
                gate.classes.index(look.condition) if look.condition else condition,
                rng,
            )
            == EVENTS.index(look.decision)
            for look in known.looks
        ):
            break
    success = success_by_class(line, gate.classes)
    if known.repaired and rng.random() < success[condition]:
        condition = GOOD
    return condition, difficulty


def _decision(line: Line, gate: Gate, look: int, difficulty: float, condition: int, rng: np.random.Generator) -> int:
    z = gate.part_weight * difficulty + gate.look_weight * rng.standard_normal()
    if z < gate.accept_z[condition]:
        return ACCEPT
    if z >= gate.reject_z[condition]:
        return REJECT
    if look < line.inspection.max_looks:
        return REINSPECT
    return REJECT if line.inspection.undecided == "reject" else ACCEPT


def _recall(log: EventLog, part: Part, known: PartState, line: Line) -> None:
    """Note what the key figures have to know of a part that was there before."""
    log.record(known.entered_min, ENTER, SOURCE, part.number, part.condition, part.variant)
    inspector = 1 + sum(station.servers for station in line.stations[: line.inspecting or 0])
    for look in known.looks:
        condition = -1 if look.condition is None else log.classes.index(look.condition)
        log.record(known.entered_min, EVENTS.index(look.decision), inspector, part.number, condition)


def _resume(
    machine: Machine,
    known: MachineState,
    station: Station,
    part: Part | None,
    line: Line,
    streams: Streams,
    latency_min: float,
) -> None:
    """Start a machine where it stands; the first draw of what is under way is its rest."""
    now = machine.env.now
    rng = streams.generator(machine.name, "rest")
    machine._watched_to = machine.since = now
    machine._variant = None if known.variant is None else _variants(line).index(known.variant)
    if station.failure and known.life_min > 0:
        machine._left = residual(station.failure, known.life_min, rng)
    if known.state == "down" and station.repair:
        # A machine that is to fail at once is down from its first minute, with the rest of this repair.
        machine._left = 0.0
        if part is not None or line.crew is None:
            machine.repair = following(residual(station.repair, known.down_min, rng), machine.repair)
    if part is None:
        return
    machine.begun = (part, known.done)
    if isinstance(machine, Inspector):
        machine.looked = known.looks
    if known.done or known.worked_min <= 0:
        return
    names = _variants(line)
    if machine._variant is not None and machine._variant != part.variant:
        change = setup_time(station, names[machine._variant], names[part.variant])
        if change is not None:
            way = (machine._variant, part.variant)
            rest = residual(change, known.worked_min, rng)
            if way in machine.setups:
                machine.setups[way] = following(rest, machine.setups[way])
            elif machine._setup is not None:
                machine._setup = following(rest, machine._setup)
            return
    latency = latency_min if isinstance(machine, Inspector) else 0.0
    own = station.cycles.get(names[part.variant])
    factor = (1.0 if own else machine._factors[part.variant]) / machine._speed
    cycle = _whole_cycle(own or station.cycle, (known.worked_min - latency) / factor, rng)
    rest = (max(cycle * factor + latency - known.worked_min, SHORTEST_MIN) - latency) / factor
    if own:
        machine.cycles[part.variant] = following(rest, machine.cycles[part.variant])
    else:
        machine.cycle = following(rest, machine.cycle)


def _whole_cycle(distribution: Distribution, elapsed: float, rng: np.random.Generator) -> float:
    if elapsed > 0:
        return elapsed + residual(distribution, elapsed, rng)
    return float(distribution.sample(rng, 1)[0])
