"""The course of a stretch of the event log: where each part is when, which state each machine is in, who waits."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import polars as pl

from twinloop.contracts.operating_curve import GOOD
from twinloop.simulation.events.intervals import queue_levels
from twinloop.simulation.events.log import STATES
from twinloop.simulation.figures.layout import EXIT, SCRAP, SOURCE
from twinloop.simulation.figures.moving import Steps, Stop
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line

# How long a part takes to be seen moving; the log knows no distance.
MOVE_MIN = 0.35
LEAVING = {"ship": EXIT, "scrap": SCRAP, "join": ""}
Point = tuple[float, float]


class Places(Protocol):
    """Where things are on paper."""

    def machine(self, station: str, server: int) -> Point: ...

    def beside(self, station: str) -> Point: ...

    def slot(self, station: str, place: int) -> Point: ...

    def way(self, start: str, end: str) -> tuple[Point, ...]: ...

    def end(self, name: str) -> Point: ...

    def stub(self, station: str) -> Point | None: ...


@dataclass
class PartCourse:
    """A part: seen from minute `since`, at `stops`, until it is `gone`; `bad`: whether it is defective."""

    since: float
    stops: list[Stop]
    bad: Steps[bool]
    gone: float | None = None


@dataclass(frozen=True)
class Course:
    """Parts by number, states by (station, server from 0), levels by station, and when a part left and how."""

    parts: Mapping[int, PartCourse]
    states: Mapping[tuple[str, int], Steps[str]]
    levels: Mapping[str, Steps[int]]
    left: tuple[tuple[float, str], ...]


def course(line: Line, events: pl.DataFrame, *, start: float, end: float, places: Places, slots: int) -> Course:
    """Everything between minute `start` and `end`; `events`: the log of `line` as a frame.

    Parts that rest all the time behind the first `slots` of a queue are not among the parts: nobody would see them.
    """
    stands = _stands(line)
    rows = (
        events.with_columns(pl.col("event", "entity", "condition").cast(pl.String))
        .filter(pl.col("time_min") < end)
        .sort("time_min", maintain_order=True)
    )
    changes: dict[tuple[str, int], list[tuple[float, str]]] = {stand: [] for stand in stands.values()}
    for time, event, entity in (
        rows.filter(pl.col("event").is_in(STATES)).select("time_min", "event", "entity").iter_rows()
    ):
        if entity in stands:  # people and vehicles have states too
            changes[stands[entity]].append((time, event))
    levels: dict[str, list[tuple[float, int]]] = {station: [] for station, _ in stands.values()}
    for entity, time, level in queue_levels(rows).iter_rows():
        levels[stands[entity][0]].append((time, level))
    leaving = rows.filter(pl.col("event").is_in(list(LEAVING)))
    earlier = leaving.filter(pl.col("time_min") < start - MOVE_MIN)["part"]
    entering = rows.filter(pl.col("part").is_not_null(), ~pl.col("part").is_in(earlier.implode()))
    return Course(
        parts=_parts(entering, stands, places, start=start, slots=slots),
        states={stand: Steps("starved", found) for stand, found in changes.items()},
        levels={station: Steps(0, found) for station, found in levels.items()},
        left=tuple(leaving.filter(pl.col("time_min") >= start).select("time_min", "event").iter_rows()),
    )


def _stands(line: Line) -> dict[str, tuple[str, int]]:
    """Machine → its station and which of the station's it is (from 0)."""
    names = iter(entities(line)[1:])
    places = [(station.name, station.servers) for station in line.stations]
    places += [(line.rework.name, line.rework.servers)] if line.rework else []
    return {next(names): (name, server) for name, servers in places for server in range(servers)}


@dataclass
class _Part:
    since: float
    station: str = SOURCE
    waits: bool = False
    stops: list[Stop] = field(default_factory=list)
    bad: list[tuple[float, bool]] = field(default_factory=list)
    gone: float | None = None


def _parts(
    rows: pl.DataFrame, stands: Mapping[str, tuple[str, int]], places: Places, *, start: float, slots: int
) -> dict[int, PartCourse]:
    parts: dict[int, _Part] = {}
    queues: dict[str, list[int]] = defaultdict(list)

    def move_up(station: str, time: float) -> None:
        for place, number in enumerate(queues[station][: slots + 1]):
            x, y = places.slot(station, place)
            if (parts[number].stops[-1].x, parts[number].stops[-1].y) != (x, y):
                parts[number].stops.append(Stop(time, x, y))

    columns = rows.select("time_min", "event", "entity", "part", "condition")
    for time, event, entity, number, condition in columns.iter_rows():
        part = parts.setdefault(number, _Part(time))
        if condition is not None:
            part.bad.append((time, condition != GOOD))
        if not part.stops:
            part.stops.append(Stop(time, *places.end(SOURCE)))
        if event == "lose":
            if part.waits:
                part.waits = False
                queues[part.station].remove(number)
                move_up(part.station, time)
            part.gone = time
            continue
        if entity not in stands:
            if event in STATES:  # a vehicle has taken it
                part.stops.append(Stop(time, *places.beside(part.station)))
            continue
        station, server = stands[entity]
        if event in STATES or event in LEAVING or event == "queue":
            if part.waits:
                part.waits = False
                queues[part.station].remove(number)
                move_up(part.station, time)
            if event == "queue":
                queues[station].append(number)
                part.waits = True
                target = places.slot(station, len(queues[station]) - 1)
            elif event in ("ship", "scrap"):
                target = (places.stub(part.station) if event == "ship" else None) or places.end(LEAVING[event])
            else:
                target = places.machine(station, server)
            if (part.stops[-1].x, part.stops[-1].y) != target:
                via = places.way(part.station, station) if station != part.station and event not in LEAVING else ()
                part.stops.append(Stop(time, *target, via=via))
            if event in LEAVING:
                part.gone = time
            else:
                part.station = station
    behind = {number for queue in queues.values() for number in queue[slots:]}
    unseen = {number for number in behind if parts[number].stops[-1].since < start}
    return {
        number: PartCourse(
            part.since, _timed(part.stops), Steps(bool(part.bad and part.bad[0][1]), part.bad), part.gone
        )
        for number, part in parts.items()
        if number not in unseen
    }


def _timed(stops: list[Stop]) -> list[Stop]:
    """Each move takes its time, but no longer than until the next one; of moves at one moment the last counts."""
    kept = [stop for stop, after in pairwise(stops) if after.since > stop.since] + stops[-1:]
    follow = [after.since for after in kept[1:]] + [float("inf")]
    return [
        Stop(stop.since, stop.x, stop.y, minutes=min(MOVE_MIN, until - stop.since), via=stop.via)
        for stop, until in zip(kept, follow, strict=True)
    ]
