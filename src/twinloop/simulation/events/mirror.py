"""A line followed through its events: the twin's mirror. Rows in, state out, one pass, from the log alone.

The mirror never asks the engine, so it follows a real plant as well; a forked line's mirror goes on from
the state it was forked from.
"""

import math
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter

from twinloop.errors import InputError
from twinloop.simulation.events.log import (
    BLOCKED,
    DELIVER,
    DOWN,
    ENTER,
    EVENTS,
    IDLE,
    JOIN,
    LEAVING,
    LOSE,
    MAINTENANCE,
    QUEUE,
    REINSPECT,
    REJECT,
    SCRAP,
    SETUP,
    SHIP,
    SPAN,
    STARVED,
    EventLog,
)
from twinloop.simulation.events.state import LineState, Look
from twinloop.simulation.events.tracking import AT_WORK, Counts, Machine, Part, Waiting
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.routing import paths

UNDER_CARE = frozenset((DOWN, MAINTENANCE))
EMPTY = frozenset((STARVED, IDLE, MAINTENANCE))


@dataclass(eq=False)
class Mirror:
    """The state of `line`, kept up to date by `see`; `start` is what was known before the first row.

    classes: names by condition. Parts carry the numbers that `see` is given.
    """

    line: Line
    classes: tuple[str, ...]
    start: LineState | None = None
    _machines: list[Machine] = field(default_factory=list)
    _waiting: list[Waiting] = field(default_factory=list)
    _parts: dict[int, Part] = field(default_factory=dict)
    _holder: dict[int, Machine] = field(default_factory=dict)
    _queued: dict[int, Waiting] = field(default_factory=dict)
    _counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        line = self.line
        self._stations = [station.name for station in line.stations] + ([line.rework.name] if line.rework else [])
        names = iter(entities(line)[1 : len(entities(line)) - len(line.spans)])
        for position, station in enumerate(line.stations):
            calendar, gathers = station.failure_clock == "calendar", station.batch > 1 or bool(station.assembles)
            for name in islice(names, station.servers):
                self._machines.append(Machine(name, position, calendar=calendar, gathers=gathers))
        if line.rework:
            for name in islice(names, line.rework.servers):
                self._machines.append(Machine(name, len(line.stations), reworks=True))
        self._resources = [Machine(name, None, resource=True, state=IDLE) for name in names]
        self._levels = {material.name: 0.0 for material in line.materials}
        self._waiting = [Waiting() for _ in self._stations]
        self._paths = paths(line.stations, line.source.variants) if line.routed and not line.branching else None
        if self.start:
            self._resume(self.start)

    def see(self, time: float, event: int, entity: int, part: int, condition: int, value: float) -> None:
        """Follow one row; rows come in the order of time."""
        if condition >= 0 and part in self._parts:
            known = self._parts[part]
            known.condition, known.repaired = self.classes[condition], False
        if event >= STARVED:
            self._change(self._entity(entity), time, event, part, value)
        elif event == DELIVER:
            name = self._entity(entity).name
            self._levels[name] = self._levels.get(name, 0.0) + value
        elif event == ENTER:
            self._enter(time, part, condition, value)
        elif part not in self._parts:
            return
        elif event == QUEUE:
            place = self._entity(entity)
            if place.station is None or place.resource:
                raise InputError(
                    f"events: part {part} waits before {place.name}, which is no station of {self.line.name}"
                )
            self._wait(part, place.station, logged=True)
        elif event == SPAN:
            return
        elif event in LEAVING:
            self._leave_place(part)
            del self._parts[part]
            counts = self._counts
            counts.shipped += event == SHIP
            counts.scrapped += event == SCRAP
            counts.joined += event == JOIN
            counts.lost += event == LOSE
        else:
            self._look(self._entity(entity), part, event)

    def state(self, at: float) -> LineState:
        """What is known at minute `at`, from the last row on."""
        counts = self._counts
        return LineState(
            line=self.line.name,
            clock_min=at,
            machines=tuple(machine.shown(at) for machine in self._machines),
            resources=tuple(resource.shown(at) for resource in self._resources),
            levels=dict(self._levels),
            waiting={name: self._in_turn(place) for name, place in zip(self._stations, self._waiting, strict=True)},
            parts={number: part.shown() for number, part in self._parts.items()},
            entered=counts.entered,
            shipped=counts.shipped,
            scrapped=counts.scrapped,
            joined=counts.joined,
            next_number=counts.next_number,
            lot=counts.lot,
            last_entry_min=counts.last_entry,
            lost=counts.lost,
        )

    def _entity(self, number: int) -> Machine:
        count = len(self._machines)
        return self._machines[number - 1] if number <= count else self._resources[number - 1 - count]

    def _enter(self, time: float, part: int, condition: int, value: float) -> None:
        variants, counts = self.line.source.variants, self._counts
        index = 0 if math.isnan(value) and len(variants) == 1 else None if math.isnan(value) else int(value)
        if index is not None and not 0 <= index < len(variants):
            raise InputError(
                f"events: part {part} enters as variant {index}: expected 0 to {len(variants) - 1}, a variant of "
                f"{self.line.name}"
            )
        variant = None if index is None else variants[index].name
        known = self.classes[condition] if condition >= 0 else None
        self._parts[part] = Part(part, variant, time, known)
        counts.entered += 1
        counts.next_number = max(counts.next_number, part + 1)
        counts.lot = (variant, counts.lot[1] + 1 if counts.lot[0] == variant else 1)
        counts.last_entry = time
        if not self.line.routed:
            self._wait(part, 0, logged=False)
        elif index is not None:
            self._wait(part, self.line.entries[index], logged=False)

    def _in_turn(self, place: Waiting) -> tuple[int, ...]:
        """The parts that wait, first the next."""
        source, parts = self.line.source, tuple(place.parts())
        if not self.line.prioritised:
            return parts
        names = [variant.name for variant in source.variants]
        first = len(place.handed)

        def urgency(number: int) -> int:
            variant = self._parts[number].variant
            return source.priority(number - self.line.initial_parts, names.index(variant) if variant else 0)

        return (*parts[:first], *sorted(parts[first:], key=urgency))

    def _change(self, machine: Machine, time: float, state: int, part: int, value: float) -> None:
        if time > machine.since:
            machine.worked, machine.life = machine.worked_at(time), machine.life_at(time)
            machine.lasting = machine.state
        if part in self._parts:
            if self._holder.get(part) is not machine:
                self._take(machine, part, time)
            elif machine.part != part:
                machine.others.remove(part)
                machine.others += [machine.part] if machine.part is not None else []
                machine.part = part
        elif state in EMPTY:
            self._let_go(machine)
        if state in AT_WORK:
            if machine.sets_up != (state == SETUP):
                machine.worked = 0.0
            machine.sets_up, machine.done = state == SETUP, False
            if state != SETUP and machine.part is not None:
                machine.variant = self._parts[machine.part].variant
        elif state == BLOCKED and not machine.done:
            self._finish(machine)
        elif state == DOWN and machine.state != DOWN and not (time == machine.since and machine.lasting == DOWN):
            machine.down_since, machine.life = time, 0.0
        if machine.state in UNDER_CARE and state not in UNDER_CARE:
            machine.health = None
        if machine.state == MAINTENANCE and state != MAINTENANCE:
            machine.maintained = time
        machine.state, machine.since = state, time
        if not math.isnan(value):
            machine.health = value

    def _look(self, machine: Machine, number: int, decision: int) -> None:
        part = self._parts[number]
        if machine.part == number:
            machine.looks += 1
            machine.worked = 0.0
        look = Look(max(machine.looks, 1), EVENTS[decision], part.condition)
        part.looks, part.rejected = (*part.looks, look), decision == REJECT
        if decision != REINSPECT and machine.part == number:
            self._finish(machine)

    def _finish(self, machine: Machine) -> None:
        """The machine has done its work on the part that it still holds."""
        machine.done = True
        if machine.reworks and machine.part is not None:
            part = self._parts[machine.part]
            part.reworks, part.repaired = part.reworks + 1, True

    def _take(self, machine: Machine, part: int, time: float) -> None:
        """The machine turns to a part, or adds it to what it gathers."""
        loaded = machine.done or (time > machine.since and machine.state in AT_WORK)
        if loaded or not machine.gathers:
            self._let_go(machine)
        before = self._leave_place(part)
        if machine.resource:
            machine.station = self._following(before, self._parts[part]) if before else None
        self._holder[part] = machine
        machine.others += [machine.part] if machine.part is not None else []
        machine.part, machine.looks, machine.worked, machine.done = part, 0, 0.0, False

    def _let_go(self, machine: Machine) -> None:
        """The machine turns to something else: its parts wait before the next station."""
        for number in (machine.part, *machine.others):
            if number is not None:
                self._leave_place(number)
                following = self._following(machine, self._parts[number])
                if following is not None:
                    self._wait(number, following, logged=False)

    def _leave_place(self, number: int) -> Machine | None:
        """Nothing holds the part any more; gives the machine that did."""
        place = self._queued.pop(number, None)
        if place is not None:
            place.remove(number)
        machine = self._holder.pop(number, None)
        if machine is None:
            return None
        if not machine.done:
            self._finish(machine)
        if machine.part == number:
            machine.part = machine.others.pop() if machine.others else None
        else:
            machine.others.remove(number)
        part = self._parts[number]
        if not machine.resource and not machine.reworks and not part.rejected:
            part.steps += 1
        return machine

    def _wait(self, number: int, position: int, *, logged: bool) -> None:
        place = self._waiting[position]
        if logged and number in place.queued:
            return
        self._leave_place(number)
        part = self._parts[number]
        if logged and part.variant is not None and self._paths is not None and position < len(self.line.stations):
            way = self._paths[[variant.name for variant in self.line.source.variants].index(part.variant)]
            if part.steps < len(way) and way[part.steps] != position and position in way[part.steps :]:
                # A part that the line began with entered in the middle of its route.
                part.steps = way.index(position, part.steps)
        self._queued[number] = place
        group = place.queued
        if not logged:
            takers = sum(one.station == position and one.takes_when_repaired for one in self._machines)
            group = place.handed if len(place.handed) < takers else place.outside
        group[number] = None

    def _following(self, machine: Machine, part: Part) -> int | None:
        """Position of the station after this machine's; None where only a draw would tell."""
        line = self.line
        if machine.resource or machine.station is None:
            return machine.station
        if machine.reworks:
            return line.return_position
        if part.rejected:
            return len(line.stations) if line.rework else None
        if not line.routed:
            following = machine.station + 1
            return following if following < len(line.stations) else 0 if line.closed else None
        if self._paths is None or part.variant is None:
            return None
        names = [variant.name for variant in line.source.variants]
        way = self._paths[names.index(part.variant)]
        if line.closed:
            return way[part.steps % len(way)]
        return way[part.steps] if part.steps < len(way) else None

    def _resume(self, start: LineState) -> None:
        for machine, known in zip(self._machines, start.machines, strict=True):
            machine.resume(known, start.clock_min)
            if known.part is not None:
                self._holder[known.part] = machine
                variant = start.parts[known.part].variant
                machine.sets_up = not known.done and known.variant not in (None, variant)
        for position, name in enumerate(self._stations):
            place = self._waiting[position]
            place.queued.update(dict.fromkeys(start.waiting[name]))
            self._queued.update(dict.fromkeys(place.queued, place))
        self._parts = {number: Part.of(part) for number, part in start.parts.items()}
        self._counts = Counts(
            start.entered,
            start.shipped,
            start.scrapped,
            start.joined,
            start.lost,
            start.next_number,
            start.lot,
            start.last_entry_min,
        )


def follow(mirror: Mirror, log: EventLog, *, first: int = 0, before: float = math.inf) -> None:
    """Show `mirror` the rows of `log` from row `first` on whose time is under `before`, in the order of time."""
    for row in sorted(log.noted(first), key=itemgetter(0)):
        if row[0] >= before:
            break
        mirror.see(*row)


def replay(log: EventLog, line: Line, *, at: float | None = None) -> LineState:
    """The state at minute `at`, before what happens then (default: at the log's end, after its last row).

    Raises InputError for a minute outside of the log and for a log of other machines than the line's.
    """
    log.check_line(line)
    if at is not None and not 0 <= at <= log.horizon:
        raise InputError(f"replay: minute {at:g}: expected 0 to {log.horizon:g}, where the log ends")
    mirror = Mirror(line, log.classes)
    follow(mirror, log, before=math.inf if at is None else at)
    return mirror.state(log.horizon if at is None else at)
