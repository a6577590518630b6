"""Which meetings the twin attends: the events of a calendar as a shop whose every job may be left out.

What a twin has only so much of is itself: its copies are a pool that every meeting needs one of. Each event is a
machine that is open while it takes place, so that events of one meeting are alternatives, and preparation is an
operation before it. A meeting that is missed costs its priority; with one copy this is weighted interval scheduling.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.reporting.figures.appointments import agenda
from twinloop.reporting.style import Picture
from twinloop.scheduling.clock import Clock, Say
from twinloop.scheduling.lateness import jobs_left_out
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation, Pool, Window
from twinloop.scheduling.solution import Solution

TWIN = "the twin"
TABLE = {
    "meeting": pl.String(),
    "priority": pl.Int64(),
    "attended": pl.Boolean(),
    "copy": pl.Int64(),
    "start": pl.Datetime("us", "UTC"),
    "end": pl.Datetime("us", "UTC"),
    "prepared_by": pl.Int64(),
    "prepared_from": pl.Datetime("us", "UTC"),
    "prepared_until": pl.Datetime("us", "UTC"),
    "because": pl.String(),
}
# Preparation is no older than this when the meeting begins.
FRESH_MIN = 240
# CP-SAT's deterministic seconds.
LIMIT = 4.0
# What missing a meeting costs whose calendar says nothing of priority.
NO_PRIORITY = 5


@dataclass(frozen=True)
class Event:
    """One time at which a meeting takes place; of several of one meeting any may be attended.

    start, end: with a zone. priority: what missing the meeting costs. preparation_min: minutes before it. Raises
    InputError for what no calendar can mean.
    """

    meeting: str
    start: datetime
    end: datetime
    priority: int = 1
    preparation_min: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.meeting, str) or not self.meeting:
            raise InputError(f"event: meeting = {self.meeting!r}: expected a name")
        where = f"event {self.meeting}"
        for name in ("start", "end"):
            moment = getattr(self, name)
            if not isinstance(moment, datetime):
                raise InputError(f"{where}: {name} = {moment!r}: expected a date with a time")
            if moment.tzinfo is None:
                raise InputError(f"{where}: {name} = {moment}: a time of which zone? give it one, like Europe/Berlin")
        if self.end.astimezone(UTC) <= self.start.astimezone(UTC):
            raise InputError(f"{where}: ends at {self.end}, not after its start {self.start}: swapped?")
        for name in ("priority", "preparation_min"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InputError(f"{where}: {name} = {value!r}: expected a whole number of at least 0")


def events_of(calendar: pl.DataFrame, *, begin: datetime, end: datetime) -> list[Event]:
    """The events of a calendar (`dialogue.datasets.corpus.EVENTS`) that start in [begin, end), each a meeting.

    Missing the highest priority of RFC 5545, 1, costs 9, the lowest, 9, costs 1, and none costs 5. Entries of whole
    days take no hours. A meeting is called as its event is, with its local time, so that each recurrence is one.
    Raises InputError for a begin or end without a zone.
    """
    clock = Clock.of(begin)
    span = clock.start.astimezone(UTC), Clock.of(end).start.astimezone(UTC)
    own = calendar.filter(~pl.col("all_day"), pl.col("start").is_between(*span, closed="left"))
    events, names = list[Event](), set[str]()
    for row in own.iter_rows(named=True):
        name = f"{row['summary'] or 'Untitled'}, {clock.show(clock.minutes(row['start']))}"
        if name in names:
            name += f", {row['event']}"
        names.add(name)
        priority = 10 - row["priority"] if row["priority"] else NO_PRIORITY
        events.append(Event(name, row["start"], row["end"], priority, math.ceil(row["preparation_min"])))
    return events


@dataclass(frozen=True, eq=False)
class Attendance:
    """What is attended: one row per meeting in the order of time (`TABLE`), times in UTC.

    A meeting that is missed stands at its first event, and says why. solution: of the shop, None where all had begun.
    """

    table: pl.DataFrame
    clock: Clock
    solution: Solution | None

    @property
    def missed(self) -> int:
        """Sum of the priorities of all meetings that are missed."""
        return int(self.table.filter(~pl.col("attended"))["priority"].sum())

    def figure(self, title: str = "Meetings attended and missed") -> Picture:
        """The days of the table, each with its meetings (`reporting.figures.appointments`)."""
        return agenda(self.table, zone=self.clock.zone, title=title)


def attend(
    events: Sequence[Event],
    *,
    now: datetime,
    copies: int = 1,
    fresh_min: int = FRESH_MIN,
    seed: int = 1,
    limit: float = LIMIT,
) -> Attendance:
    """The meetings that together are worth most, of those that have not begun by `now`, and why others are missed.

    copies: of the twin, which can be in so many meetings at once. fresh_min: minutes that a preparation stays fresh.
    limit: CP-SAT's deterministic seconds. Times are shown in the zone of `now`. Raises InputError for events of one
    meeting that differ in priority or preparation.
    """
    clock = Clock.of(now)
    meetings = _meetings(events)
    coming = {name: own for name, own in meetings.items() if _coming(own, clock)}
    if not coming:
        return Attendance(_table(meetings, clock, Plan(()), {}, copies), clock, None)
    shop = meetings_shop(coming, clock, copies=copies, fresh_min=fresh_min)
    solution = shop.solve("left_out", "completion", seed=seed, deterministic=limit)
    assert solution.plan is not None  # all may be left out
    reasons = {one.job: one.reason for one in jobs_left_out(shop, solution.plan, Say.of(clock))}
    return Attendance(_table(meetings, clock, solution.plan, reasons, copies), clock, solution)


def meetings_shop(meetings: Mapping[str, Sequence[Event]], clock: Clock, *, copies: int, fresh_min: int) -> JobShop:
    """A shop in minutes with a job for each meeting, on any of its events that have not begun at minute 0."""
    machines, stops, jobs = list[str](), dict[str, tuple[Window, ...]](), list[Job]()
    needs = {TWIN: 1}
    for name, events in meetings.items():
        spans = _coming(events, clock)
        last = max(end for _, end in spans.values())
        for machine, (start, end) in spans.items():
            # Behind the last one nothing can begin any more.
            shut = tuple(window for window in (Window(0, start), Window(end, last)) if window.start < window.end)
            stops |= {machine: shut} if shut else {}
        modes = [Alternative(machine, end - start) for machine, (start, end) in spans.items()]
        operations = []
        machines += spans
        if preparation := events[0].preparation_min:
            machines.append(f"{name}: preparation")
            operations.append(Operation(machines[-1], preparation, pools=needs))
        fresh = fresh_min if operations else None
        first, *others = modes
        operations.append(Operation(first.machine, first.duration, tuple(others), pools=needs, max_wait=fresh))
        jobs.append(Job(name, tuple(operations), due=last, firm=True, price=events[0].priority))
    return JobShop(tuple(machines), tuple(jobs), stops=stops, pools=(Pool(TWIN, copies),))


def _meetings(events: Sequence[Event]) -> dict[str, list[Event]]:
    """Events by meeting, each once, in the order of time."""
    meetings: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(dict.fromkeys(events), key=lambda event: (event.start.astimezone(UTC), event.meeting)):
        meetings[event.meeting].append(event)
    for name, own in meetings.items():
        for field in ("priority", "preparation_min"):
            values = sorted({getattr(event, field) for event in own})
            if len(values) > 1:
                raise InputError(f"meeting {name}: {field} is {' and '.join(map(str, values))}: give it once")
    return meetings


def _coming(events: Sequence[Event], clock: Clock) -> dict[str, tuple[int, int]]:
    """By name of the event its minutes, those before the clock's start left out."""
    spans = {}
    for number, event in enumerate(events):
        # A minute that has begun is taken.
        start, end = int(clock.minutes(event.start) // 1), int(-(-clock.minutes(event.end) // 1))
        if start >= 0:
            spans[f"{event.meeting}: event {number}"] = start, end
    return spans


def _table(
    meetings: Mapping[str, Sequence[Event]], clock: Clock, plan: Plan, reasons: Mapping[str, str], copies: int
) -> pl.DataFrame:
    by_meeting: dict[str, list[Assignment]] = defaultdict(list)
    for a in plan:
        by_meeting[a.job].append(a)
    copy, rows = _copies(plan, copies), list[dict[str, object]]()
    for name, events in meetings.items():
        row: dict[str, object] = {"meeting": name, "priority": events[0].priority, "attended": name in by_meeting}
        rows.append(row)
        if name not in by_meeting:
            missed = events[0]
            row |= {"start": missed.start.astimezone(UTC), "end": missed.end.astimezone(UTC)}
            row["because"] = reasons.get(name, "it has begun")
            continue
        *before, at = sorted(by_meeting[name], key=lambda a: a.operation)
        row |= {"copy": copy[at], "start": _moment(clock, at.start), "end": _moment(clock, at.end)}
        for a in before:
            row |= {"prepared_by": copy[a], "prepared_from": _moment(clock, a.start)}
            row["prepared_until"] = _moment(clock, a.end)
    return pl.DataFrame(rows, schema=TABLE).sort("start", "meeting")


def _moment(clock: Clock, minutes: int) -> datetime:
    return clock.start.astimezone(UTC) + timedelta(minutes=minutes)


def _copies(plan: Plan, copies: int) -> dict[Assignment, int]:
    """Which copy does what, from 1: who prepared a meeting attends it where free, else who has been free longest."""
    free, last, chosen = dict.fromkeys(range(1, copies + 1), 0), dict[str, int](), dict[Assignment, int]()
    for a in plan:
        copy = last.get(a.job, 0)
        if free.get(copy, a.start + 1) > a.start:
            copy = min(free, key=lambda number: free[number])
        free[copy], last[a.job], chosen[a] = a.end, copy, copy
    return chosen
