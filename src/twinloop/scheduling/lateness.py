"""Which jobs are late or left out, and what held each of them, in plain words: causes back to where they begin.

The chain goes back over the tightest holds behind the job's own end (`critical.job_paths`). A machine that works off
one job after the other is one link. A job that would be late even alone in the shop is said to be so first. A job that
is left out has a reason: what stands where it would have to be, or what it would cost behind everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from twinloop.contracts import Assignment, Plan
from twinloop.numbers import count
from twinloop.scheduling.clock import Say
from twinloop.scheduling.critical import CriticalPath, Step, job_paths
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation
from twinloop.scheduling.problem.calendar import Closures

LATE = {
    "job": pl.String,
    "due": pl.Int64,
    "end": pl.Int64,
    "late": pl.Int64,
    "reason": pl.String,
    "chain": pl.String,
}
LEFT_OUT = {"job": pl.String, "price": pl.Int64, "reason": pl.String}
# More links than this nobody reads; the files have them all.
NAMED = 4


@dataclass(frozen=True)
class Late:
    """A job that ends after its due date. chain: causes in words, the nearest first; its first is the reason."""

    job: str
    due: int
    end: int
    chain: tuple[str, ...]

    @property
    def late(self) -> int:
        """How much too late."""
        return self.end - self.due

    @property
    def reason(self) -> str:
        """What held the job itself."""
        return self.chain[0]


@dataclass(frozen=True)
class LeftOut:
    """A job that a plan leaves out: what that costs, and why it is not done."""

    job: str
    price: int
    reason: str


def late_jobs(shop: JobShop, plan: Plan, say: Say) -> tuple[Late, ...]:
    """Every late job of a complete plan, what costs most first."""
    ends = job_ends(plan)
    late = [job for job in shop.jobs if job.due is not None and ends.get(job.name, job.due) > job.due]
    late.sort(key=lambda job: -job.weight * (ends[job.name] - (job.due or 0)))
    paths = job_paths(shop, plan, [job.name for job in late])
    return tuple(
        Late(job.name, job.due or 0, ends[job.name], chain_of(shop, paths[job.name], job.name, say)) for job in late
    )


def late_frame(late: Sequence[Late]) -> pl.DataFrame:
    """One row per late job (`LATE`)."""
    rows = [(one.job, one.due, one.end, one.late, one.reason, "; ".join(one.chain)) for one in late]
    return pl.DataFrame(rows, schema=LATE, orient="row")


def jobs_left_out(shop: JobShop, plan: Plan, say: Say) -> tuple[LeftOut, ...]:
    """Every job that a plan leaves out, with its lots, the dearest first."""
    gone = shop.left_out(plan)
    rows = [LeftOut(order, shop.by_name[order].price or 0, _why(shop, plan, order, gone, say)) for order in gone]
    return tuple(sorted(rows, key=lambda row: -row.price))


def left_out_frame(rows: Sequence[LeftOut]) -> pl.DataFrame:
    """One row per job that is left out (`LEFT_OUT`)."""
    return pl.DataFrame([(row.job, row.price, row.reason) for row in rows], schema=LEFT_OUT, orient="row")


def _why(shop: JobShop, plan: Plan, order: str, gone: Sequence[str], say: Say) -> str:
    """The first that applies: a job before it is left out too, its date cannot be met, others are there, it costs."""
    jobs = [shop.by_name[name] for name in shop.optional[order]]
    for before in (shop.by_name[other].order for job in jobs for other in job.after):
        if before != order and before in gone:
            return f"it comes after {before}, which is left out"
    job, work = shop.by_name[order], max(each.work for each in jobs)
    if job.firm and job.due is not None:
        alone = max(end_alone(shop, each.name) for each in jobs)
        if alone > job.due:
            return f"even alone in the shop it would end {say.when(alone)}, after its firm due date"
        if others := _in_the_way(shop, plan, jobs, job.due, say):
            return others
    behind = plan.makespan + work
    if job.due is not None and job.weight * (behind - job.due) > (job.price or 0):
        late = behind - job.due
        return f"behind all others it would be {say.long(late)} late, which costs {count(job.weight * late)}"
    return f"behind all others it could end {say.when(behind)}"


def _in_the_way(shop: JobShop, plan: Plan, jobs: Sequence[Job], due: int, say: Say) -> str:
    """Who has what a job needs, wherever it could be between its release and its due date."""
    closures = Closures(shop)
    for job in jobs:
        opens, closes = job.opens, due - job.work
        for operation in job.operations:
            closes += operation.shortest
            taken = [_taken(shop, plan, operation, mode, (opens, closes), closures) for mode in operation.modes]
            rows = sorted((row for rows in taken for row in rows or ()), key=lambda row: -row.by.start)
            if rows and None not in taken:
                what = list(dict.fromkeys(row.resource for row in rows))
                are = "are" if len(what) > 1 else "is"
                first, last = min(row.start for row in rows), max(row.end for row in rows)
                others = _named([row.by.job for row in rows])
                return f"{', '.join(what)} {are} taken by {others} between {say.when(first)} and {say.when(last)}"
            opens += operation.shortest
    return ""


class _Taken(NamedTuple):
    """A machine or pool that another operation has, from when to when an operation could be there."""

    resource: str
    by: Assignment
    start: float
    end: float


def _taken(
    shop: JobShop, plan: Plan, operation: Operation, mode: Alternative, span: tuple[int, int], closures: Closures
) -> list[_Taken] | None:
    """What stands in the way of an operation in a mode, wherever its hours let it be; None where it finds room."""
    hours, least = closures.of(operation, mode.machine), operation.unbroken(mode.duration)
    capacity = {pool.name: pool.capacity for pool in shop.pools}
    taken, (time, closes) = list[_Taken](), span
    while True:
        start = hours.first(time, mode.duration, least=least)
        end = hours.done(start, mode.duration, least=least)
        if end > closes:
            return taken
        meanwhile = [a for a in plan if a.start < end and a.end > max(start, a.start)]
        others = [(mode.machine, a) for a in meanwhile if a.machine == mode.machine]
        for pool, units in operation.pools.items():
            users = [(a, shop.by_name[a.job].operations[a.operation].pools.get(pool, 0)) for a in meanwhile]
            if sum(held for _, held in users) + units > capacity[pool]:
                others += [(pool, a) for a, held in users if held]
        if not others or operation.milestone:
            return None
        taken += [_Taken(resource, a, start, end) for resource, a in others]
        time = min(a.end for _, a in others)


def chain_of(shop: JobShop, path: CriticalPath, name: str, say: Say) -> tuple[str, ...]:
    """What a job's end hangs on, the nearest cause first; at least one."""
    job, alone = shop.by_name[name], end_alone(shop, name)
    causes = []
    if job.due is not None and alone > job.due:
        causes.append(f"even alone in the shop it would end {say.when(alone)}")
    steps = path.steps
    place = len(steps) - 1
    while place >= 0:
        phrases, place = _link(shop, name, steps, place, say)
        causes += phrases
    return tuple(dict.fromkeys(causes)) or ("its own work takes that long",)


def end_alone(shop: JobShop, name: str) -> float:
    """When a job could end if no other wanted the machines, which are open as the calendar says."""
    job, closures = shop.by_name[name], Closures(shop)
    time = float(job.opens)
    for operation in job.operations:
        ends = []
        for mode in operation.modes:
            hours, least = closures.of(operation, mode.machine), operation.unbroken(mode.duration)
            start = hours.first(time, mode.duration, least=least)
            ends.append(hours.done(start, mode.duration, least=least))
        time = min(ends)
    return time


def _link(shop: JobShop, name: str, steps: Sequence[Step], place: int, say: Say) -> tuple[list[str], int]:
    """What held the step at `place`, in words, and the place of the step to go on with."""
    step = steps[place]
    a, before = step.placed, steps[place - 1].placed if place else None
    who = "it" if a.job == name else a.job
    phrases = []
    if step.paused:
        phrases.append(f"{a.machine} is closed for {say.long(step.paused)} while {who} is on it")
    if step.closed and step.reason == "machine" and step.lag:
        phrases.append(f"{a.machine} is closed for {say.long(step.closed)} before")
    elif step.closed:
        phrases.append(f"{a.machine} is closed until {say.when(a.start + step.ahead)}")
    if step.idle:
        phrases.append(f"{who} could start {say.long(step.idle)} earlier on {a.machine}: nothing held it")
    match step.reason:
        case "machine" if before is not None:
            waiting = [before.job]
            # One machine that works off its queue is one link.
            while place >= 2 and (s := steps[place - 1]).reason == "machine" and s.cause == step.cause:
                if s.closed or s.idle or s.paused:
                    break
                place -= 1
                waiting.append(steps[place - 1].placed.job)
            setup = f", then set-up for {say.long(step.lag)}" if step.lag else ""
            phrases.append(
                f"{who} waits for {step.cause}, which works on {_named(waiting)} until {say.when(before.end)}{setup}"
            )
        case "machine" if step.lag:
            phrases.append(f"{a.machine} has to be set up for {say.long(step.lag)} first")
        case "pool" if before is None:
            phrases.append(f"{who} waits for {step.cause}, who sets {a.machine} up until {say.when(step.lag)}")
        case "job" if before is not None and step.cause != a.job:
            phrases.append(f"{who} comes after {step.cause}, which ends {say.when(before.end)}")
        case "job" if step.lag:
            phrases.append(f"{who} is on its way to {a.machine} for {say.long(step.lag)}")
        case "pool" if before is not None:
            phrases.append(f"{who} waits for {step.cause}, with {before.job} until {say.when(before.end)}")
        case "material":
            phrases.append(f"{who} waits for {step.cause}, delivered {say.when(step.lag)}")
        case "release" if step.lag:
            phrases.append(f"{who} is released {say.when(step.lag)}")
        case "frozen":
            phrases.append(f"{who} is frozen to {say.when(a.start)}")
    return phrases, place - 1


def _named(jobs: Sequence[str]) -> str:
    """The jobs that a machine worked off, in the order of time."""
    names = list(dict.fromkeys(reversed(jobs)))
    more = f" and {len(names) - NAMED} before" if len(names) > NAMED else ""
    return ", ".join(names[-NAMED:]) + more
