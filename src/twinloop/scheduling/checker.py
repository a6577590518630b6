"""Judges a plan against the problem's rules, apart from every solver.

It reads only the problem and the plan: what it says is worth something because nothing that makes
plans is used here. Each broken rule is a violation with the rule's name and the place.
"""

import itertools
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from twinloop.contracts import Assignment, Plan
from twinloop.errors import RunError
from twinloop.scheduling.problem import JobShop, Operation, Window


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
    broken += _counts(shop, known)
    frozen, closed = set(shop.frozen), _Closed(shop)
    for a in known:
        broken += _alone(closed, a, operation_of[a.job, a.operation], jobs[a.job].opens, a in frozen)
    broken += _precedence(shop, known)
    broken += _machines(shop, known, operation_of)
    broken += _pools(shop, known, operation_of)
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


def _counts(shop: JobShop, known: list[Assignment]) -> Iterator[Violation]:
    planned = Counter((a.job, a.operation) for a in known)
    for job in shop.jobs:
        for number in range(len(job.operations)):
            times = planned[job.name, number]
            if times == 0:
                yield Violation("missing operation", f"job {job.name} operation {number} is not planned")
            elif times > 1:
                yield Violation("repeated operation", f"job {job.name} operation {number} is planned {times} times")


def _alone(closed: "_Closed", a: Assignment, operation: Operation, release: int, frozen: bool) -> Iterator[Violation]:
    """What an operation must keep whatever the others do: machine, duration, release, closed windows."""
    durations = {mode.machine: mode.duration for mode in operation.modes}
    if a.machine not in durations:
        yield Violation("wrong machine", f"{_place(a)} is on {a.machine}, expected {' or '.join(durations)}")
        return
    if a.start < release and not (frozen and release == 0):
        yield Violation("before release", f"{_place(a)} starts at {a.start}, released at {release}")
    if frozen:
        return  # it keeps its times, even where a breakdown or a window made it longer
    # A milestone happens at any hour.
    windows = closed.during(a, operation) if durations[a.machine] else ()
    paused = 0
    for window in windows:
        if not operation.resumable or window.start <= a.start or window.end >= a.end:
            message = f"{_place(a)} runs {a.start} … {a.end}, closed {window.start} … {window.end}"
            yield Violation("closed", message)
            return
        paused += window.end - window.start
    if a.end - a.start != durations[a.machine] + paused:
        expected = f"expected {durations[a.machine]}" + (f" and a pause of {paused}" if paused else "")
        yield Violation("wrong duration", f"{_place(a)} takes {a.end - a.start}, {expected}")


class _Closed:
    """Closed windows of machines together with pools, each union made once."""

    def __init__(self, shop: JobShop) -> None:
        self._shop = shop
        self._unions: dict[tuple[str, frozenset[str]], list[Window]] = {}

    def during(self, a: Assignment, operation: Operation) -> Iterator[Window]:
        """Those that overlap the operation's time, in order."""
        key = (a.machine, frozenset(operation.pools))
        if key not in self._unions:
            of_pools = (w for pool in self._shop.pools if pool.name in operation.pools for w in pool.closed)
            self._unions[key] = _union([*self._shop.closed.get(a.machine, ()), *of_pools])
        windows = self._unions[key]
        first = bisect_right(windows, a.start, key=lambda window: window.end)
        return itertools.takewhile(
            lambda window: window.start < a.end, (windows[k] for k in range(first, len(windows)))
        )


def _union(windows: Iterable[Window]) -> list[Window]:
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return joined


def _precedence(shop: JobShop, known: list[Assignment]) -> Iterator[Violation]:
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
            finished = max((a.end for a in by_job[other]), default=0)
            if start < finished:
                yield Violation("wrong job order", f"job {job.name} starts at {start}, job {other} ends at {finished}")
        if job.firm and job.due is not None and end > job.due:
            yield Violation("missed firm due date", f"job {job.name} ends at {end}, due at {job.due}")


def _machines(
    shop: JobShop, known: list[Assignment], operation_of: dict[tuple[str, int], Operation]
) -> Iterator[Violation]:
    by_machine: dict[str, list[Assignment]] = defaultdict(list)
    for a in known:
        if operation_of[a.job, a.operation].longest:
            by_machine[a.machine].append(a)
    for machine, row in by_machine.items():
        row.sort(key=lambda a: (a.start, a.end))
        if machine in shop.ovens:
            yield from _oven(machine, shop.ovens[machine], row, operation_of)
            continue
        busy = row[0]
        for a in row[1:]:
            families = [operation_of[b.job, b.operation].family for b in (busy, a)]
            needed = shop.setups.get(machine, {}).get((str(families[0]), str(families[1])), 0)
            if None in families:
                needed = 0
            if a.start < busy.end:
                message = f"{machine}: {_place(a)} starts at {a.start}, {_place(busy)} ends at {busy.end}"
                yield Violation("overlap", message)
            elif a.start < busy.end + needed:
                message = f"{machine}: {_place(a)} starts at {a.start}, set up at {busy.end + needed}"
                yield Violation("no time for set-up", message)
            busy = max(busy, a, key=lambda b: b.end)


def _oven(
    machine: str, capacity: int, row: Sequence[Assignment], operation_of: dict[tuple[str, int], Operation]
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
    shop: JobShop, known: Sequence[Assignment], operation_of: dict[tuple[str, int], Operation]
) -> Iterator[Violation]:
    for pool in shop.pools:
        changes = []
        for a in known:
            needed = operation_of[a.job, a.operation].pools.get(pool.name, 0)
            if needed:
                changes += [(a.end, 0, -needed, a), (a.start, 1, needed, a)]
        held = 0
        for time, _, change, a in sorted(changes, key=lambda item: item[:2]):
            held += change
            if held > pool.capacity:
                message = f"pool {pool.name}: {held} of {pool.capacity} are needed from {time} by {_place(a)}"
                yield Violation("pool overdrawn", message)
                break


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
