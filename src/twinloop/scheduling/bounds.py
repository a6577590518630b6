"""What no plan can beat, found without search: earliest starts, latest ends, and a lower bound of any goal.

Heads and tails run along the routes, over every machine an operation may use, with transport, closed windows and
deliveries; `loads` adds what machines, set-ups and pools take. The bound asks for nothing but earliest starts and ends,
so that it is there at once; `spans` lists every start that is left. A job that may be left out counts in a bound as far
as leaving it out costs.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from twinloop.contracts import Assignment
from twinloop.scheduling.heads import Heads, Key, Supply, heads
from twinloop.scheduling.loads import set_up_time, worked_off
from twinloop.scheduling.objectives import LEFT_OUT, Goal, Term
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation
from twinloop.scheduling.problem.calendar import Closures
from twinloop.scheduling.problem.windows import Stretch, stretches
from twinloop.scheduling.question import in_time


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
    return max([0, *late]) + shop.horizon


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
    closures: Closures | None = None,
    until: float = math.inf,
) -> Spans:
    """For every operation the modes and starts that routes, windows and the jobs' latest ends leave.

    kept: further operations that stay where they are, beside the frozen ones; only: the jobs that matter. An
    operation without a mode has no place at all. closures: of the shop, where the caller has them. Raises TimeoutError
    when `time.perf_counter` gets past `until`.
    """
    fixed = {(a.job, a.operation): a for a in shop.frozen} | dict(kept or {})
    jobs = [name for name in shop.order if only is None or name in only]
    began = min([0, *(a.start for a in fixed.values())])
    closed, supply = closures or Closures(shop), Supply(shop)
    spans_of: dict[Key, tuple[Mode, ...]] = {}
    for name in jobs:
        job = shop.by_name[name]
        # Only what is fixed can have begun before now.
        opens = job.release if job.release > 0 else began
        in_time(until)
        for other in job.after:
            opens = max(opens, _end(spans_of, fixed, shop, other))
        for number, operation in enumerate(job.operations):
            ready = {mode.machine: opens for mode in operation.modes}
            if number:
                ready = {machine: _arrival(spans_of[name, number - 1], machine, shop, opens) for machine in ready}
            fixture = fixed.get((name, number))
            spans_of[name, number] = _modes(operation, ready, latest[name], fixture, closed, supply)
    for name in reversed(jobs):
        in_time(until)
        job = shop.by_name[name]
        closes = latest[name]
        for other in shop.followers[name]:
            if shop.by_name[other].order in shop.optional and shop.by_name[other].order != job.order:
                continue  # where there is no place behind this job, the other one is left out
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
    operation: Operation,
    ready: Mapping[str, int],
    closes: int,
    fixture: Assignment | None,
    closed: Closures,
    supply: "Supply",
) -> tuple[Mode, ...]:
    if fixture is not None:
        if fixture.start < ready[fixture.machine] or fixture.end > closes:
            return ()
        stretch = Stretch(fixture.start, fixture.start, fixture.end - fixture.start)
        return (Mode(fixture.machine, operation.on(fixture.machine), (stretch,)),)
    supplied = supply.of(operation)
    modes = [_mode(closed, operation, mode, max(ready[mode.machine], supplied), closes) for mode in operation.modes]
    return tuple(mode for mode in modes if mode.stretches)


def _mode(closed: Closures, operation: Operation, mode: Alternative, opens: int, closes: int) -> Mode:
    windows, least = closed.of(operation, mode.machine).windows(closes), operation.unbroken(mode.duration)
    starts = stretches(windows, mode.duration, least=least, opens=opens, closes=closes)
    return Mode(mode.machine, mode.duration, starts)


def _ending_by(mode: Mode, closes: int) -> Mode:
    cut = [Stretch(s.first, min(s.last, closes - s.elapsed), s.elapsed) for s in mode.stretches]
    return Mode(mode.machine, mode.duration, tuple(s for s in cut if s.first <= s.last))


def lower_bound(shop: JobShop, goal: Goal | Term) -> int:
    """A bound of the goal's first level that needs no search; holds for every valid plan of the shop."""
    goal = Goal.of(goal) if isinstance(goal, str) else goal
    level = goal.levels[0]
    terms = {term: weight for term, weight in level.items() if term in BOUNDS}
    if not terms:
        return 0
    earliest = heads(shop)
    least = sum(weight * BOUNDS[term](shop, shop.required, earliest, goal) for term, weight in terms.items())
    for order, names in shop.optional.items() if LEFT_OUT in level else ():
        jobs, price = [shop.by_name[name] for name in names], shop.by_name[order].price or 0
        done = sum(weight * BOUNDS[term](shop, jobs, earliest, goal) for term, weight in terms.items() if term in SUMS)
        least += min(done, level[LEFT_OUT] * price)
    return least


def _first_ends(jobs: Sequence[Job], earliest: Heads) -> dict[str, int]:
    """Earliest end of every job."""
    return {job.name: min(head.first_end for head in earliest[job.name, len(job.operations) - 1]) for job in jobs}


def _makespan(shop: JobShop, jobs: Sequence[Job], earliest: Heads, _: Goal) -> int:
    return max(0, *_first_ends(jobs, earliest).values(), worked_off(shop, earliest))


def _lateness(jobs: Sequence[Job], earliest: Heads) -> list[tuple[Job, int]]:
    """Every job with a due date, and how much later it ends at least."""
    ends = _first_ends(jobs, earliest)
    return [(job, max(0, ends[job.name] - job.due)) for job in jobs if job.due is not None]


def _tardiness(_: JobShop, jobs: Sequence[Job], earliest: Heads, __: Goal) -> int:
    return sum(late for _, late in _lateness(jobs, earliest))


def _weighted_tardiness(_: JobShop, jobs: Sequence[Job], earliest: Heads, __: Goal) -> int:
    return sum(job.weight * late for job, late in _lateness(jobs, earliest))


def _max_tardiness(_: JobShop, jobs: Sequence[Job], earliest: Heads, __: Goal) -> int:
    return max((late for _, late in _lateness(jobs, earliest)), default=0)


def _late_jobs(_: JobShop, jobs: Sequence[Job], earliest: Heads, __: Goal) -> int:
    return sum(late > 0 for _, late in _lateness(jobs, earliest))


def _completion(_: JobShop, jobs: Sequence[Job], earliest: Heads, __: Goal) -> int:
    return sum(_first_ends(jobs, earliest).values())


def _weighted_completion(_: JobShop, jobs: Sequence[Job], earliest: Heads, __: Goal) -> int:
    ends = _first_ends(jobs, earliest)
    return sum(job.weight * ends[job.name] for job in jobs)


def _energy(shop: JobShop, jobs: Sequence[Job], earliest: Heads, _: Goal) -> int:
    rows = (earliest[job.name, number] for job in jobs for number in range(len(job.operations)))
    return sum(min(shop.power.get(head.machine, 0) * head.duration for head in row) for row in rows)


def _setup(shop: JobShop, _: Sequence[Job], earliest: Heads, __: Goal) -> int:
    return set_up_time(shop, earliest)


def _stability(_: JobShop, jobs: Sequence[Job], earliest: Heads, goal: Goal) -> int:
    names = {job.name for job in jobs}
    before = {(a.job, a.operation): a.start for a in goal.reference or () if a.job in names}
    moved = [min(head.first for head in earliest[key]) - start for key, start in before.items() if key in earliest]
    return sum(max(0, late) for late in moved)


Bound = Callable[[JobShop, Sequence[Job], Heads, Goal], int]
# Sums over jobs: what no plan can be below that does these jobs, from the earliest start and end of every operation.
SUMS: Mapping[Term, Bound] = {
    "tardiness": _tardiness,
    "weighted_tardiness": _weighted_tardiness,
    "late_jobs": _late_jobs,
    "completion": _completion,
    "weighted_completion": _weighted_completion,
    "energy": _energy,
    "stability": _stability,
}
# All terms that have a bound; one without an entry has 0.
BOUNDS: Mapping[Term, Bound] = {
    "makespan": _makespan,
    "max_tardiness": _max_tardiness,
    "setup": _setup,
    **SUMS,
}
