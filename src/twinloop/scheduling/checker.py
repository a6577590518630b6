"""Judges a plan against the problem's rules, apart from every solver.

It reads only the problem and the plan: what it says is worth something because nothing that makes
plans is used here. Each broken rule is a violation with the rule's name and the place.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from twinloop.contracts import Assignment, Plan
from twinloop.errors import RunError
from twinloop.scheduling.problem import JobShop


@dataclass(frozen=True)
class Violation:
    """One broken rule: its name and a line that says where and by how much."""

    rule: str
    message: str


def violations(shop: JobShop, plan: Plan) -> tuple[Violation, ...]:
    """Every rule that `plan` breaks; empty for a valid plan."""
    jobs = {job.name: job for job in shop.jobs}
    known = [a for a in plan if a.job in jobs and 0 <= a.operation < len(jobs[a.job].operations)]
    found = [Violation("unknown operation", f"{_place(a)} is not in the shop") for a in plan if a not in set(known)]
    found += _counts(shop, known)
    for a in known:
        wanted = jobs[a.job].operations[a.operation]
        if a.machine != wanted.machine:
            found.append(Violation("wrong machine", f"{_place(a)} is on {a.machine}, expected {wanted.machine}"))
        if a.end - a.start != wanted.duration:
            found.append(
                Violation("wrong duration", f"{_place(a)} takes {a.end - a.start}, expected {wanted.duration}")
            )
        if a.start < jobs[a.job].release:
            found.append(
                Violation("before release", f"{_place(a)} starts at {a.start}, released at {jobs[a.job].release}")
            )
    found += _precedence(shop, known)
    found += _overlaps(known)
    return tuple(found)


def check(shop: JobShop, plan: Plan) -> None:
    """Raise RunError with the first violations when `plan` breaks a rule; a plan from a solver never should."""
    found = violations(shop, plan)
    if found:
        shown = "; ".join(f"{v.rule}: {v.message}" for v in found[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
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


def _precedence(shop: JobShop, known: list[Assignment]) -> Iterator[Violation]:
    by_job: dict[str, list[Assignment]] = defaultdict(list)
    for a in known:
        by_job[a.job].append(a)
    for job in shop.jobs:
        row = sorted(by_job[job.name], key=lambda a: a.operation)
        for before, behind in itertools.pairwise(row):
            if behind.operation > before.operation and behind.start < before.end:
                message = (
                    f"{_place(behind)} starts at {behind.start}, operation {before.operation} ends at {before.end}"
                )
                yield Violation("wrong order", message)
        if not row:
            continue
        start, end = min(a.start for a in row), max(a.end for a in row)
        for other in job.after:
            finished = max((a.end for a in by_job[other]), default=0)
            if start < finished:
                yield Violation("wrong job order", f"job {job.name} starts at {start}, job {other} ends at {finished}")
        if job.firm and job.due is not None and end > job.due:
            yield Violation("missed firm due date", f"job {job.name} ends at {end}, due at {job.due}")


def _overlaps(known: list[Assignment]) -> Iterator[Violation]:
    by_machine: dict[str, list[Assignment]] = defaultdict(list)
    for a in known:
        by_machine[a.machine].append(a)
    for machine, row in by_machine.items():
        row.sort(key=lambda a: (a.start, a.end))
        busy = row[0]
        for a in row[1:]:
            if a.start < busy.end:
                message = f"{machine}: {_place(a)} starts at {a.start}, {_place(busy)} ends at {busy.end}"
                yield Violation("overlap", message)
            busy = max(busy, a, key=lambda b: b.end)
