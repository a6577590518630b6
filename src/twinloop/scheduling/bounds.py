"""What no plan can beat, found without search: earliest starts, latest ends, and a lower bound of any goal.

Heads and tails run along the routes, over every machine an operation may use, with transport, closed windows and
deliveries; machine bounds are head + work + tail (Carlier 1982), for alternatives over every set of machines that
some operation is confined to.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from twinloop.contracts import Assignment
from twinloop.scheduling.objectives import Goal, Term
from twinloop.scheduling.problem import Alternative, JobShop, Operation
from twinloop.scheduling.problem.calendar import Closures, Stretch, joined, stretches

Key = tuple[str, int]


@dataclass(frozen=True)
class Mode:
    """A machine for an operation and every start that is left there; `duration` is the working time."""

    machine: str
    duration: int
    stretches: tuple[Stretch, ...]

    @property
    def first(self) -> int:
        """Earliest start."""
        return self.stretches[0].first

    @property
    def last(self) -> int:
        """Latest start."""
        return self.stretches[-1].last

    @property
    def first_end(self) -> int:
        """Earliest end."""
        return min(stretch.first + stretch.elapsed for stretch in self.stretches)

    @property
    def last_end(self) -> int:
        """Latest end."""
        return max(stretch.last + stretch.elapsed for stretch in self.stretches)


Spans = Mapping[Key, tuple[Mode, ...]]


def horizon(shop: JobShop, goal: Goal) -> int:
    """A time by which some best plan has ended, also for goals that gain by ending late."""
    if not goal.later:
        return shop.horizon
    late = [job.due for job in shop.jobs if job.due is not None] + [a.end for a in goal.reference or ()]
    return max(late, default=0) + shop.horizon


def latest_ends(shop: JobShop, *, latest: int, due: Mapping[str, int] | None = None) -> dict[str, int]:
    """By job, the end it must keep: `latest`, a firm due date, or a date of its own in `due`."""
    ends = {}
    for job in shop.jobs:
        dates = [latest, (due or {}).get(job.name, latest)]
        if job.firm and job.due is not None:
            dates.append(job.due)
        ends[job.name] = min(dates)
    return ends


def spans(
    shop: JobShop,
    latest: Mapping[str, int],
    *,
    kept: Mapping[Key, Assignment] | None = None,
    only: Collection[str] | None = None,
) -> Spans:
    """For every operation the modes and starts that routes, windows and the jobs' latest ends leave.

    kept: further operations that stay where they are, beside the frozen ones; only: the jobs that matter. An
    operation without a mode has no place at all.
    """
    fixed = {(a.job, a.operation): a for a in shop.frozen} | dict(kept or {})
    jobs = [name for name in shop.order if only is None or name in only]
    closed = Closures(shop)
    spans_of: dict[Key, tuple[Mode, ...]] = {}
    for name in jobs:
        job = shop.by_name[name]
        opens = job.release
        for other in job.after:
            opens = max(opens, _end(spans_of, fixed, shop, other))
        for number, operation in enumerate(job.operations):
            ready = {mode.machine: opens for mode in operation.modes}
            if number:
                ready = {machine: _arrival(spans_of[name, number - 1], machine, shop, opens) for machine in ready}
            fixture = fixed.get((name, number))
            spans_of[name, number] = _modes(shop, operation, ready, latest[name], fixture, closed)
    for name in reversed(jobs):
        job = shop.by_name[name]
        closes = latest[name]
        for other in shop.followers[name]:
            if (other, 0) in spans_of:
                closes = min(closes, max((mode.last for mode in spans_of[other, 0]), default=-1))
            elif (other, 0) in fixed:
                closes = min(closes, fixed[other, 0].start)
        for number in reversed(range(len(job.operations))):
            behind = spans_of.get((name, number + 1))
            spans_of[name, number] = tuple(
                cut
                for mode in spans_of[name, number]
                for leaves in [closes if behind is None else _departure(behind, mode.machine, shop)]
                if (cut := _ending_by(mode, leaves)).stretches
            )
    return spans_of


def _end(spans_of: Spans, fixed: Mapping[Key, Assignment], shop: JobShop, name: str) -> int:
    last = (name, len(shop.by_name[name].operations) - 1)
    if last in spans_of:
        return min((mode.first_end for mode in spans_of[last]), default=0)
    return fixed[last].end if last in fixed else 0


def _arrival(before: tuple[Mode, ...], machine: str, shop: JobShop, otherwise: int) -> int:
    times = [mode.first_end + shop.transport.get((mode.machine, machine), 0) for mode in before]
    return min(times, default=otherwise)


def _departure(behind: tuple[Mode, ...], machine: str, shop: JobShop) -> int:
    return max((mode.last - shop.transport.get((machine, mode.machine), 0) for mode in behind), default=-1)


def _modes(
    shop: JobShop,
    operation: Operation,
    ready: Mapping[str, int],
    closes: int,
    fixture: Assignment | None,
    closed: Closures,
) -> tuple[Mode, ...]:
    if fixture is not None:
        if fixture.start < ready[fixture.machine] or fixture.end > closes:
            return ()
        stretch = Stretch(fixture.start, fixture.start, fixture.end - fixture.start)
        return (Mode(fixture.machine, operation.on(fixture.machine), (stretch,)),)
    supplied = _supplied(shop, operation)
    modes = [_mode(closed, operation, mode, max(ready[mode.machine], supplied), closes) for mode in operation.modes]
    return tuple(mode for mode in modes if mode.stretches)


def _mode(closed: Closures, operation: Operation, mode: Alternative, opens: int, closes: int) -> Mode:
    windows = closed.of(operation, mode.machine)
    starts = stretches(windows, mode.duration, resumable=operation.resumable, opens=opens, closes=closes)
    return Mode(mode.machine, mode.duration, starts)


def _supplied(shop: JobShop, operation: Operation) -> int:
    """When enough of every material has come for this operation alone."""
    latest = 0
    for material in shop.materials:
        stock = material.initial
        for time, quantity in sorted(material.deliveries):
            if stock >= operation.materials.get(material.name, 0):
                break
            stock += quantity
            latest = max(latest, time)
    return latest


def _ending_by(mode: Mode, closes: int) -> Mode:
    cut = [Stretch(s.first, min(s.last, closes - s.elapsed), s.elapsed) for s in mode.stretches]
    return Mode(mode.machine, mode.duration, tuple(s for s in cut if s.first <= s.last))


def lower_bound(shop: JobShop, goal: Goal | Term) -> int:
    """A bound of the goal's first level that needs no search; holds for every valid plan of the shop."""
    goal = Goal.of(goal) if isinstance(goal, str) else goal
    # Firm due dates could leave an operation no place at all; without them every operation has one.
    left = spans(shop, dict.fromkeys(shop.by_name, horizon(shop, goal)))
    return sum(weight * BOUNDS[term](shop, left, goal) for term, weight in goal.levels[0].items() if term in BOUNDS)


def _first_ends(shop: JobShop, left: Spans) -> dict[str, int]:
    """Earliest end of every job."""
    return {
        job.name: min((m.first_end for m in left[job.name, len(job.operations) - 1]), default=0) for job in shop.jobs
    }


def _makespan(shop: JobShop, left: Spans, _: Goal) -> int:
    return max(*_first_ends(shop, left).values(), _machine_bound(shop, left))


def _tardiness(shop: JobShop, left: Spans, _: Goal) -> int:
    ends = _first_ends(shop, left)
    return sum(max(0, ends[job.name] - job.due) for job in shop.jobs if job.due is not None)


def _weighted_tardiness(shop: JobShop, left: Spans, _: Goal) -> int:
    return int(shop.weighted_tardiness(_first_ends(shop, left)))


def _max_tardiness(shop: JobShop, left: Spans, _: Goal) -> int:
    ends = _first_ends(shop, left)
    return max((max(0, ends[job.name] - job.due) for job in shop.jobs if job.due is not None), default=0)


def _late_jobs(shop: JobShop, left: Spans, _: Goal) -> int:
    ends = _first_ends(shop, left)
    return sum(ends[job.name] > job.due for job in shop.jobs if job.due is not None)


def _completion(shop: JobShop, left: Spans, _: Goal) -> int:
    return sum(_first_ends(shop, left).values())


def _weighted_completion(shop: JobShop, left: Spans, _: Goal) -> int:
    ends = _first_ends(shop, left)
    return sum(job.weight * ends[job.name] for job in shop.jobs)


def _energy(shop: JobShop, left: Spans, _: Goal) -> int:
    return sum(min((shop.power.get(m.machine, 0) * m.duration for m in row), default=0) for row in left.values())


def _stability(_: JobShop, left: Spans, goal: Goal) -> int:
    before = {(a.job, a.operation): a.start for a in goal.reference or ()}
    moved = [min(m.first for m in left[key]) - start for key, start in before.items() if left.get(key)]
    return sum(max(0, late) for late in moved)


def _machine_bound(shop: JobShop, left: Spans) -> int:
    loads: dict[frozenset[str], list[tuple[int, int, int]]] = {}
    for job in shop.jobs:
        tail = 0
        for number in reversed(range(len(job.operations))):
            modes = left[job.name, number]
            if not modes:
                return 0
            # Pauses keep the machine but are no work; a frozen operation lasts as long as it lasts.
            fixed = bool(shop.frozen) and len(modes) == len(modes[0].stretches) == 1 and modes[0].first == modes[0].last
            work = modes[0].stretches[0].elapsed if fixed else min(mode.duration for mode in modes)
            load = (min(mode.first for mode in modes), work, tail)
            loads.setdefault(frozenset(mode.machine for mode in modes), []).append(load)
            tail += min(stretch.elapsed for mode in modes for stretch in mode.stretches)
    best = 0
    for machines in [*loads, frozenset(shop.machines)]:
        inside = [load for confined, row in loads.items() if confined <= machines for load in row]
        head = min(load[0] for load in inside)
        work = sum(load[1] for load in inside)
        best = max(best, _worked_off(shop, machines, head, work) + min(load[2] for load in inside))
    return best


def _worked_off(shop: JobShop, machines: Collection[str], begin: int, work: int) -> int:
    """When `machines` together can have done `work` from `begin` on, outside their closed windows."""
    # A frozen operation may run through closed windows.
    closed = {} if shop.frozen else shop.closed
    windows = [window for machine in machines for window in joined(closed.get(machine, ())) if window.end > begin]
    events = [(max(begin, window.start), -1) for window in windows] + [(window.end, 1) for window in windows]
    time, running = begin, len(machines)
    for at, change in sorted(events):
        if (at - time) * running >= work:
            break
        work -= (at - time) * running
        time, running = at, running + change
    return time - (-work // running)


# What no plan can be below, from the starts that are left to every operation; a term without an entry has 0.
BOUNDS: Mapping[Term, Callable[[JobShop, Spans, Goal], int]] = {
    "makespan": _makespan,
    "tardiness": _tardiness,
    "weighted_tardiness": _weighted_tardiness,
    "max_tardiness": _max_tardiness,
    "late_jobs": _late_jobs,
    "completion": _completion,
    "weighted_completion": _weighted_completion,
    "energy": _energy,
    "stability": _stability,
}
