"""Operations that take no time, taken out of a shop that is plain but for them, and put back into its plans.

They stand in no machine's row, so that nothing else moves: methods for plain shops serve these too.
"""

from dataclasses import replace

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.problem.shop import JobShop


def without_milestones(shop: JobShop) -> JobShop | None:
    """The shop without its milestones; None where it is not plain then, has none, or jobs come after others."""
    left = {job.name: tuple(o for o in job.operations if not o.milestone) for job in shop.jobs}
    jobs = tuple(replace(job, operations=left[job.name]) for job in shop.jobs if left[job.name])
    some = any(len(left[job.name]) < len(job.operations) for job in shop.jobs)
    if not some or not jobs or any(job.after for job in shop.jobs):
        return None
    bare = replace(shop, jobs=jobs)
    return bare if bare.plain else None


def stripped(shop: JobShop, plan: Plan) -> Plan:
    """A plan of the shop without its milestones."""
    numbers: dict[tuple[str, int], int] = {}
    for job in shop.jobs:
        left = [k for k, operation in enumerate(job.operations) if not operation.milestone]
        numbers |= {(job.name, k): number for number, k in enumerate(left)}
    return Plan.of(replace(a, operation=numbers[a.job, a.operation]) for a in plan if (a.job, a.operation) in numbers)


def with_milestones(shop: JobShop, plan: Plan) -> Plan:
    """A plan of the shop without milestones, and each of these as soon as its job has got so far."""
    planned = {(a.job, a.operation): a for a in plan}
    complete = []
    for job in shop.jobs:
        time, number = job.opens, 0
        for k, operation in enumerate(job.operations):
            if operation.milestone:
                complete.append(Assignment(job.name, k, operation.machine, time, time))
                continue
            complete.append(replace(planned[job.name, number], operation=k))
            time, number = complete[-1].end, number + 1
    return Plan.of(complete)
