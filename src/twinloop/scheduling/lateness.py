"""Which jobs are late, and what held each of them, in plain words: the chain of causes back to where it begins.

The chain goes back over the tightest holds behind the job's own end (`critical.job_paths`). A machine that works off
one job after the other is one link. A job that would be late even alone in the shop is said to be so first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from twinloop.contracts import Plan
from twinloop.scheduling.clock import Say
from twinloop.scheduling.critical import CriticalPath, Step, job_paths
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.calendar import Closures

LATE = {
    "job": pl.String,
    "due": pl.Int64,
    "end": pl.Int64,
    "late": pl.Int64,
    "reason": pl.String,
    "chain": pl.String,
}
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


def late_jobs(shop: JobShop, plan: Plan, say: Say) -> tuple[Late, ...]:
    """Every late job of a complete plan, what costs most first."""
    ends = job_ends(plan)
    late = [job for job in shop.jobs if job.due is not None and ends[job.name] > job.due]
    late.sort(key=lambda job: -job.weight * (ends[job.name] - (job.due or 0)))
    paths = job_paths(shop, plan, [job.name for job in late])
    return tuple(
        Late(job.name, job.due or 0, ends[job.name], chain_of(shop, paths[job.name], job.name, say)) for job in late
    )


def late_frame(late: Sequence[Late]) -> pl.DataFrame:
    """One row per late job (`LATE`)."""
    rows = [(one.job, one.due, one.end, one.late, one.reason, "; ".join(one.chain)) for one in late]
    return pl.DataFrame(rows, schema=LATE, orient="row")


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
