"""Judges a plan against the problem's rules, apart from every solver.

It reads only the problem and the plan: what it says is worth something because nothing that makes
plans is used here. Each broken rule is a violation with the rule's name and the place.
"""

import itertools
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from twinloop.contracts import Assignment, Plan
from twinloop.errors import RunError
from twinloop.scheduling.problem import Changeover, JobShop, Operation, Window
from twinloop.scheduling.problem.hours import NEVER, Hours, machine_hours


@dataclass(frozen=True)
class Violation:
    """One broken rule: its name and a line that says where and by how much."""

    rule: str
    message: str


def violations(shop: JobShop, plan: Plan) -> tuple[Violation, ...]:
    """Every rule that `plan` breaks; empty for a valid plan."""
    jobs = {job.name: job for job in shop.jobs}
    known = [a for a in plan if a.job in jobs and 0 <= a.operation < len(jobs[a.job].operations)]
    places = {(a.job, a.operation) for a in known}
    strange = [a for a in plan if (a.job, a.operation) not in places]
    broken = [Violation("unknown operation", f"{_place(a)} is not in the shop") for a in strange]
    operation_of = {(a.job, a.operation): jobs[a.job].operations[a.operation] for a in known}
    gone = {name for order in shop.left_out(plan) for name in shop.optional[order]}
    broken += _counts(shop, known, gone)
    frozen, closed = set(shop.frozen), _Closed(shop, max((a.end for a in known), default=0) + 1)
    for a in known:
        broken += _alone(closed, a, operation_of[a.job, a.operation], jobs[a.job].opens, a in frozen)
    broken += _precedence(shop, known, gone)
    setups = _setups(shop, known, operation_of)
    broken += _machines(shop, known, operation_of, setups, closed)
    broken += _pools(shop, known, operation_of, setups)
    broken += _materials(shop, known, operation_of)
    broken += _frozen(shop, known)
    return tuple(broken)


def check(shop: JobShop, plan: Plan) -> None:
    """Raise RunError with the first violations when `plan` breaks a rule; a plan from a solver never should."""
    broken = violations(shop, plan)
    if broken:
        shown = "; ".join(f"{v.rule}: {v.message}" for v in broken[:3])
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        raise RunError(f"plan: {shown}{more}")


def _place(a: Assignment) -> str:
    return f"job {a.job} operation {a.operation}"


def _counts(shop: JobShop, known: list[Assignment], gone: Collection[str]) -> Iterator[Violation]:
    planned = Counter((a.job, a.operation) for a in known)
    for job in shop.jobs:
        if job.name in gone:
            continue
        for number in range(len(job.operations)):
            times = planned[job.name, number]
            if times == 0:
                yield Violation("missing operation", f"job {job.name} operation {number} is not planned")
            elif times > 1:
                yield Violation("repeated operation", f"job {job.name} operation {number} is planned {times} times")


class _Closed:
    """Closed windows, joined, of machines together with pools, until some time; each union is made once."""

    def __init__(self, shop: JobShop, until: int) -> None:
        self._shop, self._until = shop, until
        self._hours = {pool.name: Hours.of_pool(pool) for pool in shop.pools}
        self._windows: dict[tuple[str, tuple[tuple[str, int], ...]], list[Window]] = {}

    def of(self, machine: str, pools: Mapping[str, int]) -> list[Window]:
        """Windows in which the machine is closed or fewer than so many units are there."""
        key = (machine, tuple(sorted(pools.items())))
        if key not in self._windows:
            hours = [(machine_hours(self._shop, machine), 1), *((self._hours[pool], n) for pool, n in pools.items())]
            windows = list[Window]()
            for one, units in hours:
                # Whole windows, to be named; hours that repeat have no end.
                until = self._until + one.period if one.period else max(NEVER, self._until)
                windows += one.closed_for(units, 0, until)
            self._windows[key] = _union(windows)
        return self._windows[key]

    def during(self, a: Assignment, operation: Operation) -> Iterator[Window]:
        """Those that overlap the operation's time, in order."""
        windows = self.of(a.machine, {pool: units for pool, units in operation.pools.items() if pool in self._hours})
        first = bisect_right(windows, a.start, key=lambda window: window.end)
        return itertools.takewhile(
            lambda window: window.start < a.end, (windows[k] for k in range(first, len(windows)))
        )


def _alone(closed: _Closed, a: Assignment, operation: Operation, release: int, frozen: bool) -> Iterator[Violation]:
    """What an operation must keep whatever the others do: machine, duration, release, closed windows."""
    durations = {mode.machine: mode.duration for mode in operation.modes}
    if a.machine not in durations:
        yield Violation("wrong machine", f"{_place(a)} is on {a.machine}, expected {' or '.join(durations)}")
        return
    if a.start < release and not (frozen and release == 0):
        yield Violation("before release", f"{_place(a)} starts at {a.start}, released at {release}")
    if frozen:
        return  # it keeps its times, even where a breakdown or a window made it longer
    work = left = durations[a.machine]
    opens = a.start
    # A milestone happens at any hour.
    for window in closed.during(a, operation) if work else ():
        room = window.start - opens
        if not operation.resumable or room <= 0 or window.end >= a.end:
            message = f"{_place(a)} runs {a.start} … {a.end}, closed {window.start} … {window.end}"
            yield Violation("closed", message)
            return
        if room >= left:
            break
        if opens == a.start and room < operation.least_run:
            message = f"{_place(a)} runs {opens} … {window.start} before a pause, expected at least"
            yield Violation("pauses too soon", f"{message} {operation.least_run}")
            return
        # An opening too short for it is not used, but to finish.
        left -= room if room >= operation.least_run else 0
        opens = window.end
    if a.end != opens + left:
        paused = opens + left - a.start - work
        expected = f"expected {work}" + (f" and a pause of {paused}" if paused else "")
        yield Violation("wrong duration", f"{_place(a)} takes {a.end - a.start}, {expected}")


def _union(windows: Iterable[Window]) -> list[Window]:
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return joined


def _precedence(shop: JobShop, known: list[Assignment], gone: Collection[str]) -> Iterator[Violation]:
    by_job: dict[str, list[Assignment]] = defaultdict(list)
    for a in known:
        by_job[a.job].append(a)
    for job in shop.jobs:
        row = sorted(by_job[job.name], key=lambda a: a.operation)
        for before, behind in itertools.pairwise(row):
            if behind.operation <= before.operation:
                continue
            arrives = before.end + shop.transport.get((before.machine, behind.machine), 0)
            if behind.start < before.end:
                message = (
                    f"{_place(behind)} starts at {behind.start}, operation {before.operation} ends at {before.end}"
                )
                yield Violation("wrong order", message)
            elif behind.start < arrives:
                yield Violation("no time for transport", f"{_place(behind)} starts at {behind.start}, due at {arrives}")
            elif job.operations[behind.operation].no_wait and behind.start != arrives:
                yield Violation("waits", f"{_place(behind)} starts at {behind.start}, expected {arrives}: no_wait")
            elif (
                longest := job.operations[behind.operation].max_wait
            ) is not None and behind.start > arrives + longest:
                message = f"{_place(behind)} starts at {behind.start}, expected by {arrives + longest}: max_wait"
                yield Violation("waits", message)
        if not row:
            continue
        start, end = min(a.start for a in row), max(a.end for a in row)
        for other in job.after:
            if other in gone:
                yield Violation("wrong job order", f"job {job.name} comes after job {other}, which is left out")
            finished = max((a.end for a in by_job[other]), default=0)
            if start < finished:
                yield Violation("wrong job order", f"job {job.name} starts at {start}, job {other} ends at {finished}")
        if job.firm and job.due is not None and end > job.due:
            yield Violation("missed firm due date", f"job {job.name} ends at {end}, due at {job.due}")


def _setups(
    shop: JobShop, known: Sequence[Assignment], operation_of: Mapping[tuple[str, int], Operation]
) -> dict[Assignment, int]:
    """Set-up time that every operation needs before it; one without a family leaves the machine as it was."""
    needed = dict[Assignment, int]()
    state = {machine: changeover.initial for machine, changeover in shop.changeovers.items()}
    for a in sorted(known, key=lambda a: (a.start, a.end)):
        operation = operation_of[a.job, a.operation]
        family, before = operation.family, state.get(a.machine)
        if family is not None and operation.longest:
            # What had begun before time 0 was set up for before as well.
            if before is not None and a.start >= 0:
                needed[a] = shop.setups.get(a.machine, {}).get((before, family), 0)
            state[a.machine] = family
    return needed


def _machines(
    shop: JobShop,
    known: list[Assignment],
    operation_of: Mapping[tuple[str, int], Operation],
    setups: Mapping[Assignment, int],
    closed: _Closed,
) -> Iterator[Violation]:
    by_machine: dict[str, list[Assignment]] = defaultdict(list)
    for a in known:
        if operation_of[a.job, a.operation].longest:
            by_machine[a.machine].append(a)
    frozen = set(shop.frozen)
    for machine, row in by_machine.items():
        row.sort(key=lambda a: (a.start, a.end))
        if machine in shop.ovens:
            yield from _oven(machine, shop.ovens[machine], row, operation_of)
            continue
        busy: Assignment | None = None
        for a in row:
            free, needed = min(0, a.start) if busy is None else busy.end, setups.get(a, 0)
            if busy is not None and a.start < free:
                message = f"{machine}: {_place(a)} starts at {a.start}, {_place(busy)} ends at {busy.end}"
                yield Violation("overlap", message)
            elif a.start < free + needed:
                message = f"{machine}: {_place(a)} starts at {a.start}, set up at {free + needed}"
                yield Violation("no time for set-up", message)
            elif needed and a not in frozen and machine in shop.machines:
                yield from _set_up(shop, a, free, needed, closed)
            busy = a if busy is None else max(busy, a, key=lambda b: b.end)


def _set_up(shop: JobShop, a: Assignment, free: int, needed: int, closed: _Closed) -> Iterator[Violation]:
    """A set-up takes open time in one piece, and a crew, which then hands over the machine."""
    changeover = shop.changeovers.get(a.machine, Changeover())
    pools = {} if changeover.crew is None else {changeover.crew: 1}
    if changeover.unattended and not pools:
        return
    windows = closed.of(a.machine, pools)
    if changeover.unattended:
        windows = _union(Hours.of_pool(next(p for p in shop.pools if p.name in pools)).closed_for(1, 0, a.start + 1))
    begin = a.start - needed if pools else free
    for window in windows:
        if window.end <= begin:
            continue
        if window.start >= begin + needed:
            break
        begin = window.end
    if begin + needed > a.start:
        by = f" by {changeover.crew}" if pools else ""
        message = f"{a.machine}: {_place(a)} starts at {a.start}, but {needed} of set-up{by} find no open time before"
        yield Violation("set-up in closed time", message)


def _oven(
    machine: str, capacity: int, row: Sequence[Assignment], operation_of: Mapping[tuple[str, int], Operation]
) -> Iterator[Violation]:
    """What goes in together is of one family, as many as there is room for, and comes out together."""
    charge: list[Assignment] = []
    for a in row:
        if not charge or a.start >= max(b.end for b in charge):
            charge = [a]
            continue
        first = charge[0]
        families = {operation_of[b.job, b.operation].family for b in (first, a)}
        charge.append(a)
        if (a.start, a.end) != (first.start, first.end):
            message = f"{machine}: {_place(a)} runs {a.start} … {a.end}, {_place(first)} {first.start} … {first.end}"
            yield Violation("not one charge", message)
        elif len(families) > 1 or None in families:
            message = f"{machine}: {_place(a)} and {_place(first)} are not of one family"
            yield Violation("not one charge", message)
        elif len(charge) == capacity + 1:
            yield Violation("charge too large", f"{machine}: more than {capacity} from {a.start} on")


def _pools(
    shop: JobShop,
    known: Sequence[Assignment],
    operation_of: Mapping[tuple[str, int], Operation],
    setups: Mapping[Assignment, int],
) -> Iterator[Violation]:
    last = max((a.end for a in known), default=0) + 1
    for pool in shop.pools:
        hours = Hours.of_pool(pool)
        away: dict[int, list[Window]] = {}
        # (time, order, units held, units there, by whom)
        changes: list[tuple[int, int, int, int | None, str]] = []
        for time, level in hours.steps(0, last):
            # Whoever finds too few pauses, so with none there nobody can hold too many.
            changes.append((time, 1, 0, level, ""))
        for a in known:
            needed = operation_of[a.job, a.operation].pools.get(pool.name, 0)
            if needed:
                if needed not in away:
                    away[needed] = _union(hours.closed_for(needed, 0, last))
                for start, end in _outside(a.start, a.end, away[needed]):
                    changes += [(end, 0, -needed, None, ""), (start, 2, needed, None, _place(a))]
            changeover = shop.changeovers.get(a.machine)
            if changeover is not None and changeover.crew == pool.name and setups.get(a):
                changes.append((a.start - setups[a], 2, 1, None, f"the set-up before {_place(a)}"))
                changes.append((a.start, 0, -1, None, ""))
        held, there, place = 0, pool.capacity, ""
        for time, at_once in itertools.groupby(sorted(changes, key=lambda item: item[:2]), key=lambda item: item[0]):
            for _, _, change, units, who in at_once:
                held, there, place = held + change, there if units is None else units, who or place
            if held > there:
                message = f"pool {pool.name}: {held} of {there} are needed from {time} by {place}"
                yield Violation("pool overdrawn", message)
                break


def _outside(start: int, end: int, windows: Sequence[Window]) -> Iterator[tuple[int, int]]:
    """The parts of [start, end) in no window."""
    for window in windows[bisect_right(windows, start, key=lambda window: window.end) :]:
        if window.start >= end:
            break
        if window.start > start:
            yield start, window.start
        start = window.end
    if start < end:
        yield start, end


def _materials(
    shop: JobShop, known: Sequence[Assignment], operation_of: dict[tuple[str, int], Operation]
) -> Iterator[Violation]:
    for material in shop.materials:
        steps = [(time, 0, quantity, "") for time, quantity in material.deliveries]
        for a in known:
            needed = operation_of[a.job, a.operation].materials.get(material.name, 0)
            if needed:
                steps.append((a.start, 1, -needed, _place(a)))
        stock = material.initial
        for time, _, change, place in sorted(steps):
            stock += change
            if stock < 0:
                yield Violation("material missing", f"material {material.name}: {-stock} missing at {time} for {place}")
                break


def _frozen(shop: JobShop, known: Sequence[Assignment]) -> Iterator[Violation]:
    planned = {(a.job, a.operation): a for a in known}
    for fixed in shop.frozen:
        a = planned.get((fixed.job, fixed.operation))
        if a is not None and a != fixed:
            message = f"{_place(a)} is on {a.machine} {a.start} … {a.end}, expected {fixed.machine} {fixed.start} … "
            yield Violation("frozen operation moved", f"{message}{fixed.end}")
