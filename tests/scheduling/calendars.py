"""Small shops with hours, set-ups, crews and pauses, and their best plans by trying every start, minute by minute.

Nothing of the engine's timing is used here: what is open, how work gets on and what a crew does is counted unit by
unit from the shop's own words.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from twinloop.contracts import Assignment
from twinloop.scheduling.problem import (
    Alternative,
    Calendar,
    Changeover,
    Day,
    Job,
    JobShop,
    Operation,
    Pool,
    Shift,
    Window,
)

# Units of a day in the calendars below: one is four hours.
UNITS = 6
CLOCK = ("00:00", "04:00", "08:00", "12:00", "16:00", "20:00")


def inside(windows: tuple[Window, ...], unit: int) -> bool:
    return any(window.start <= unit < window.end for window in windows)


def level(
    unit: int,
    *,
    capacity: int,
    calendar: Calendar | None,
    closed: tuple[Window, ...],
    repeat: int | None,
    stops: tuple[Window, ...],
    overtime: tuple[Window, ...],
) -> int:
    """Units of a pool (or 1 of a machine) that are there during one unit of time."""
    if inside(stops, unit):
        return 0
    if inside(overtime, unit):
        return capacity
    if repeat is not None:
        return 0 if inside(closed, unit % repeat) else capacity
    if inside(closed, unit):
        return 0
    if calendar is None:
        apart = sum(not any(other.end == window.start for other in closed) for window in closed)
        return 0 if apart > 1 and unit >= max(window.end for window in closed) else capacity
    return min(capacity, on_shift(calendar, unit, capacity))


def on_shift(calendar: Calendar, unit: int, capacity: int) -> int:
    """How many are there by the calendar: each minute of the unit asked for by the clock on the wall."""
    zone = ZoneInfo(calendar.zone)
    zero = datetime.fromisoformat(calendar.start).replace(tzinfo=zone).astimezone(UTC)
    minutes = range(0, calendar.unit_s // 60, 60)
    least = capacity
    for minute in minutes:
        wall = (zero + timedelta(seconds=unit * calendar.unit_s, minutes=minute)).astimezone(zone)
        now, there = wall.hour * 60 + wall.minute, 0
        for days_ago in (0, 1):
            day = (wall - timedelta(days=days_ago)).date()
            special = [d.shifts for d in calendar.exceptions if d.date == day.isoformat()]
            name = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day.weekday()]
            for shift in special[0] if special else calendar.shifts:
                if shift.days and name not in shift.days:
                    continue
                start, end = (60 * int(clock[:2]) + int(clock[3:]) for clock in (shift.start, shift.end))
                end += 1440 if end <= start else 0
                if start <= now + 1440 * days_ago < end:
                    there += capacity if shift.capacity is None else shift.capacity
        least = min(least, there)
    return least


class Minutes:
    """What is open, unit by unit, until `last`."""

    def __init__(self, shop: JobShop, last: int) -> None:
        self.shop, self.last = shop, last
        self.machines = {
            machine: [
                level(
                    unit,
                    capacity=1,
                    calendar=shop.calendars.get(machine),
                    closed=shop.closed.get(machine, ()),
                    repeat=shop.repeat.get(machine),
                    stops=shop.stops.get(machine, ()),
                    overtime=shop.overtime.get(machine, ()),
                )
                for unit in range(last)
            ]
            for machine in shop.machines
        }
        self.pools = {
            p.name: [
                level(
                    unit,
                    capacity=p.capacity,
                    calendar=p.calendar,
                    closed=p.closed,
                    repeat=p.repeat,
                    stops=p.stops,
                    overtime=p.overtime,
                )
                for unit in range(last)
            ]
            for p in shop.pools
        }

    def runs(self, operation: Operation, machine: str, unit: int) -> bool:
        there = all(self.pools[pool][unit] >= needed for pool, needed in operation.pools.items())
        return bool(self.machines[machine][unit]) and there

    def end(self, operation: Operation, machine: str, start: int) -> int | None:
        """End of an operation that begins at `start`; None where it cannot."""
        left, unit, first = operation.on(machine), start, True
        while left:
            if unit >= self.last:
                return None
            room = 0
            while unit + room < self.last and room < left and self.runs(operation, machine, unit + room):
                room += 1
            if room == left:
                return unit + room
            least = operation.least_run if operation.resumable else left
            if first and (not room or room < least):
                return None
            if not operation.resumable:
                return None
            left -= room if room >= least else 0
            unit, first = unit + max(room, 1), False
        return unit

    def set_up(self, machine: str, free: int, needed: int, start: int) -> bool:
        """Whether a machine that is free from some time on can be set up before `start`."""
        how = self.shop.changeovers.get(machine, Changeover())

        def works(unit: int) -> bool:
            crew = how.crew is None or self.pools[how.crew][unit] >= 1
            return crew and (how.unattended or bool(self.machines[machine][unit]))

        begins = [start - needed] if how.crew else range(free, start - needed + 1)
        return any(b >= free and all(works(unit) for unit in range(b, b + needed)) for b in begins)

    def fits(self, plan: list[Assignment]) -> bool:
        """Whether operations that each run as they can break no rule among themselves."""
        shop, held = self.shop, {name: [0] * self.last for name in self.pools}
        rows: dict[str, list[Assignment]] = {}
        at = {(a.job, a.operation): a for a in plan}
        for a in plan:
            rows.setdefault(a.machine, []).append(a)
            before = at.get((a.job, a.operation - 1))
            if before is not None:
                due = before.end + shop.transport.get((before.machine, a.machine), 0)
                operation = shop.by_name[a.job].operations[a.operation]
                if a.start < due or (operation.no_wait and a.start > due):
                    return False
            operation = shop.by_name[a.job].operations[a.operation]
            for pool, needed in operation.pools.items():
                for unit in range(a.start, a.end):
                    # Whoever finds too few of a pool there has paused, and holds none.
                    if self.pools[pool][unit] >= needed:
                        held[pool][unit] += needed
        for machine, row in rows.items():
            how, free = shop.changeovers.get(machine, Changeover()), 0
            family = how.initial
            for a in sorted(row, key=lambda a: a.start):
                own = shop.by_name[a.job].operations[a.operation].family
                needed = 0
                if own is not None and family is not None:
                    needed = shop.setups.get(machine, {}).get((family, own), 0)
                if a.start < free + needed or (needed and not self.set_up(machine, free, needed, a.start)):
                    return False
                if how.crew and needed:
                    for unit in range(a.start - needed, a.start):
                        held[how.crew][unit] += 1
                family, free = family if own is None else own, a.end
        return all(units <= there for name in held for units, there in zip(held[name], self.pools[name], strict=True))


def candidates(minutes: Minutes) -> dict[tuple[str, int], list[Assignment]]:
    """Every way to run each operation by itself."""
    return {
        (job.name, number): [
            Assignment(job.name, number, mode.machine, start, end)
            for mode in operation.modes
            for start in range(job.release, minutes.last)
            if (end := minutes.end(operation, mode.machine, start)) is not None
        ]
        for job in minutes.shop.jobs
        for number, operation in enumerate(job.operations)
    }


def best_makespan(minutes: Minutes) -> int | None:
    """The least makespan up to `last`, by trying all; None where there is no plan. Crews may ask for later starts."""
    ways = {key: sorted(rows, key=lambda a: a.end) for key, rows in candidates(minutes).items()}
    keys, best = list(ways), [minutes.last + 1]

    def overlaps(a: Assignment, done: list[Assignment]) -> bool:
        return any(a.machine == b.machine and a.start < b.end and b.start < a.end for b in done)

    def place(k: int, done: list[Assignment]) -> None:
        if k == len(keys):
            if minutes.fits(done):
                best[0] = max(a.end for a in done)
            return
        for a in ways[keys[k]]:
            if a.end >= best[0]:
                return
            if a.operation and a.start < done[-1].end:
                continue
            if not overlaps(a, done):
                place(k + 1, [*done, a])

    place(0, [])
    return best[0] if best[0] <= minutes.last else None


def some_windows(latest: int) -> st.SearchStrategy[tuple[Window, ...]]:
    """Up to two closed windows that do not touch."""
    edges = st.lists(st.integers(0, latest), max_size=4, unique=True).map(sorted)
    return edges.map(lambda found: tuple(Window(a, b) for a, b in zip(found[::2], found[1::2], strict=False)))


def calendars(*, capacity: int | None = None) -> st.SearchStrategy[Calendar]:
    """Weekly hours in units of four hours, with days that differ."""
    units = st.none() if capacity is None else st.none() | st.integers(0, capacity)

    def shift(days: st.SearchStrategy[tuple[str, ...]]) -> st.SearchStrategy[Shift]:
        return st.builds(
            lambda start, length, days, units: Shift(CLOCK[start], CLOCK[(start + length) % UNITS], days, units),
            st.integers(0, 5),
            st.integers(1, 5),
            days,
            units,
        )

    weekly = shift(st.sampled_from([(), (), ("Mon", "Tue", "Wed"), ("Tue", "Thu")]))
    special = st.builds(Day, st.sampled_from(["2026-03-24", "2026-03-25"]), st.lists(shift(st.just(())), max_size=1))
    return st.builds(
        Calendar,
        st.just("2026-03-23T08:00"),
        st.lists(weekly, min_size=1, max_size=2).map(tuple),
        st.lists(special.map(lambda day: Day(day.date, tuple(day.shifts))), max_size=1).map(tuple),
        unit_s=st.just(4 * 3600),
    )


@st.composite
def planned_shops(draw: st.DrawFn, *, crews: bool = True) -> dict[str, object]:
    """The fields of a small shop with any mixture of hours, set-ups and pauses; not all of them make sense."""
    machines = ("m0", "m1")[: draw(st.integers(1, 2))]
    capacity = draw(st.integers(1, 2))
    hours: dict[str, dict[str, object]] = {name: {} for name in ("closed", "repeat", "calendars", "stops", "overtime")}
    for machine in machines:
        kind = draw(st.sampled_from(["open", "closed", "repeat", "calendar"]))
        if kind == "calendar":
            hours["calendars"][machine] = draw(calendars())
        elif kind == "repeat":
            closed = draw(some_windows(6).filter(bool))
            hours["closed"][machine], hours["repeat"][machine] = closed, draw(st.integers(closed[-1].end, 8))
        elif kind == "closed":
            hours["closed"][machine] = draw(some_windows(14))
        for name in ("stops", "overtime"):
            if draw(st.integers(0, 3)) == 0:
                hours[name][machine] = draw(some_windows(12))
    pool = None
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["open", "closed", "calendar", "calendar"]))
        pool = Pool(
            "people",
            capacity,
            closed=draw(some_windows(10)) if kind == "closed" else (),
            calendar=draw(calendars(capacity=capacity)) if kind == "calendar" else None,
        )
    families = draw(st.sampled_from([(None,), ("a", "b"), ("a", "b", None)]))
    pair = st.tuples(*[st.sampled_from(["a", "b"])] * 2)
    setups = {m: draw(st.dictionaries(pair, st.integers(0, 3), max_size=3)) for m in machines if families != (None,)}
    crew = st.just("people") if pool and crews and draw(st.booleans()) else st.none()
    jobs, total = [], 0
    for k in range(draw(st.integers(1, 3))):
        operations = []
        for number in range(draw(st.integers(1, 2))):
            if total == 4:
                break
            total += 1
            duration, resumable = draw(st.integers(1, 4)), draw(st.booleans())
            other = draw(st.booleans()) and len(machines) > 1
            first = draw(st.sampled_from(machines))
            operations.append(
                Operation(
                    first,
                    duration,
                    tuple(Alternative(m, draw(st.integers(1, 4))) for m in machines if m != first) if other else (),
                    family=draw(st.sampled_from(families)),
                    pools={"people": draw(st.integers(1, capacity))} if pool and draw(st.booleans()) else {},
                    no_wait=number > 0 and draw(st.integers(0, 3)) == 0,
                    resumable=resumable,
                    least_run=draw(st.integers(1, 3)) if resumable else 1,
                )
            )
        if operations:
            jobs.append(Job(str(k), tuple(operations), release=draw(st.integers(0, 4))))
    how = st.builds(Changeover, st.none() | st.sampled_from(["a", "b"]), crew, st.booleans())
    return {
        "machines": machines,
        "jobs": tuple(jobs),
        "setups": setups,
        "pools": (pool,) if pool else (),
        "transport": draw(st.dictionaries(st.tuples(*[st.sampled_from(machines)] * 2), st.integers(0, 1), max_size=1)),
        "changeovers": {m: draw(how) for m in machines if draw(st.booleans())} if families != (None,) else {},
        **hours,
    }
