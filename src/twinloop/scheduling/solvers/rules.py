"""Dispatching rules through one schedule generator: the planner's everyday methods, and the hint for the others.

The generator builds parametrised active schedules (Giffler & Thompson 1960; Bierwirth & Mattfeld
1999): of all next operations it takes the machine that could finish one first, and lets the rule choose
among those that could start there soon enough. `delay` 0 gives non-delay, 1 active schedules.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.problem import Job, JobShop
from twinloop.scheduling.settings import RuleName

# Vepsäläinen & Morton (1987) look about two operations ahead in job shops.
ATC_LOOK_AHEAD = 2.0


@dataclass(frozen=True)
class Candidate:
    """An operation that could be next on a machine; `remaining` is what its job still needs, itself included."""

    job: Job
    duration: int
    remaining: int
    ready: int


@dataclass(frozen=True)
class Moment:
    """When the machine decides, and the shop's mean duration as a yardstick."""

    time: int
    mean_duration: float


def _atc(candidate: Candidate, moment: Moment) -> float:
    if candidate.job.due is None:
        return 0.0
    slack = candidate.job.due - moment.time - candidate.remaining
    urgency = math.exp(-max(0, slack) / (ATC_LOOK_AHEAD * moment.mean_duration))
    return -candidate.job.weight / candidate.duration * urgency


# The candidate with the smallest value goes first.
RULES: Mapping[RuleName, Callable[[Candidate, Moment], float]] = {
    "SPT": lambda candidate, _: candidate.duration,
    "LPT": lambda candidate, _: -candidate.duration,
    "FIFO": lambda candidate, _: candidate.ready,
    "EDD": lambda candidate, _: math.inf if candidate.job.due is None else candidate.job.due,
    "MWKR": lambda candidate, _: -candidate.remaining,
    "ATC": _atc,
}


def dispatch(shop: JobShop, rule: RuleName, *, delay: float = 0.0) -> Plan:
    """Build a plan operation by operation; ties go to the job that is listed first.

    >>> from twinloop.scheduling.problem import Job, JobShop, Operation
    >>> jobs = Job("long", (Operation("mill", 5),)), Job("short", (Operation("mill", 2),))
    >>> [a.job for a in dispatch(JobShop(("mill",), jobs), "SPT")]
    ['short', 'long']
    """
    priority = RULES[rule]
    total = sum(len(job.operations) for job in shop.jobs)
    mean_duration = sum(job.work for job in shop.jobs) / total
    machine_free = dict.fromkeys(shop.machines, 0)
    ready = {job.name: job.release for job in shop.jobs}
    position = dict.fromkeys(ready, 0)
    remaining = {job.name: job.work for job in shop.jobs}
    ends: dict[str, int] = {}
    found: list[Assignment] = []
    while len(found) < total:
        starts: dict[str, list[tuple[int, int, Job]]] = {}
        for job in shop.jobs:
            if job.name in ends or any(other not in ends for other in job.after):
                continue
            operation = job.operations[position[job.name]]
            start = max(ready[job.name], machine_free[operation.machine])
            starts.setdefault(operation.machine, []).append((start, operation.duration, job))
        finishes = {machine: min(start + duration for start, duration, _ in row) for machine, row in starts.items()}
        machine = min(finishes, key=lambda name: finishes[name])
        first = min(start for start, _, _ in starts[machine])
        latest = first + delay * (finishes[machine] - first)
        allowed = [item for item in starts[machine] if item[0] == first or item[0] < latest]
        moment = Moment(first, mean_duration)
        start, duration, job = min(
            allowed,
            key=lambda item: priority(
                Candidate(item[2], item[1], remaining[item[2].name], ready[item[2].name]), moment
            ),
        )
        end = start + duration
        found.append(Assignment(job.name, position[job.name], machine, start, end))
        ready[job.name] = machine_free[machine] = end
        position[job.name] += 1
        remaining[job.name] -= duration
        if position[job.name] == len(job.operations):
            ends[job.name] = end
            for other in shop.jobs:
                if job.name in other.after:
                    ready[other.name] = max(ready[other.name], end)
    return Plan.of(found)
