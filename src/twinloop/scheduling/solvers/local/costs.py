"""What the ends of jobs cost: any goal of a plain shop that looks at nothing else, as one number.

The levels of a goal are put together into one sum in which no lower level outweighs a unit of a higher one; a firm due
date is the highest level of all.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from twinloop.scheduling.objectives import Goal, Term
from twinloop.scheduling.problem import LARGEST_COST, Job, JobShop
from twinloop.scheduling.solvers.jit import inlined
from twinloop.scheduling.solvers.local.arrays import Longs

# Columns of `jobs`: due date, cost of a time unit behind it, of being behind it at all, of a time unit of the end, and
# of a time unit before the due date.
DUE, BEHIND, LATE, END, EARLY = range(5)
# Columns of `most`: cost of a time unit of the makespan, and of the largest tardiness.
LAST, LATEST = range(2)


class Costs(NamedTuple):
    """jobs: [jobs, 5] and most: [2], columns as above; a job without a due date has no cost behind or before it."""

    jobs: Longs
    most: Longs

    @property
    def regular(self) -> bool:
        """Whether ending earlier never costs anything."""
        return not self.jobs[:, EARLY].any()


# What a term adds for a job: (cost behind the due date, cost of being late, cost of the end, cost before the due date).
EACH: Mapping[Term, Callable[[Job], tuple[int, int, int, int]]] = {
    "tardiness": lambda job: (1, 0, 0, 0),
    "weighted_tardiness": lambda job: (job.weight, 0, 0, 0),
    "late_jobs": lambda job: (0, 1, 0, 0),
    "completion": lambda job: (0, 0, 1, 0),
    "weighted_completion": lambda job: (0, 0, job.weight, 0),
    "earliness": lambda job: (0, 0, 0, job.earliness_weight),
}
MOST: Mapping[Term, int] = {"makespan": LAST, "max_tardiness": LATEST}


def costs_of(shop: JobShop, goal: Goal) -> Costs | None:
    """The goal as costs; None where a term looks at more than the ends of jobs, or the numbers would grow too large."""
    if not shop.plain or set(goal.terms) - EACH.keys() - MOST.keys():
        return None
    total = _none(shop)
    for level in reversed(goal.levels):
        # Lower levels come first and are outweighed by what is added on top of them.
        scale = 1 + _largest(shop, total)
        for term, weight in level.items():
            if term in MOST:
                total.most[MOST[term]] += scale * weight
            else:
                for j, job in enumerate(shop.jobs):
                    behind, late, end, early = EACH[term](job)
                    dated = job.due is not None
                    each = np.array([dated * behind, dated * late, end, dated * early])
                    total.jobs[j, BEHIND:] += scale * weight * each
        if _largest(shop, total) > LARGEST_COST:
            return None
    scale = 1 + _largest(shop, total)
    for j, job in enumerate(shop.jobs):
        total.jobs[j, BEHIND] += scale * (job.firm and job.due is not None)
    return total if _largest(shop, total) <= LARGEST_COST else None


def _none(shop: JobShop) -> Costs:
    jobs = np.zeros((len(shop.jobs), 5), dtype=np.int64)
    jobs[:, DUE] = [shop.horizon if job.due is None else job.due for job in shop.jobs]
    return Costs(jobs, np.zeros(2, dtype=np.int64))


def _largest(shop: JobShop, costs: Costs) -> int:
    """What no plan can cost that idles at most for a due date, in numbers that do not overflow."""
    reach = shop.horizon if costs.regular else shop.horizon + max(0, int(costs.jobs[:, DUE].max()))
    each = [
        (int(behind) + int(end)) * reach + int(late) + int(early) * max(0, int(due))
        for due, behind, late, end, early in costs.jobs
    ]
    return sum(each) + int(costs.most.sum()) * reach


@inlined
def cost_of(jobs, j, end):  # type: ignore[no-untyped-def]
    """What job j costs by itself when it ends then."""
    behind = end - jobs[j, DUE]
    cost = jobs[j, END] * end
    if behind > 0:
        cost += jobs[j, BEHIND] * behind + jobs[j, LATE]
    else:
        cost -= jobs[j, EARLY] * behind
    return cost


@inlined
def cost_of_most(costs, tips, end):  # type: ignore[no-untyped-def]
    """What the last end and the largest tardiness cost; tips: [jobs] last operations, end: [n]."""
    jobs, most = costs.jobs, costs.most
    if most[LAST] == 0 and most[LATEST] == 0:
        return 0
    last, latest = 0, 0
    for j in range(len(tips)):
        last = max(last, end[tips[j]])
        if jobs[j, DUE] < end[tips[j]]:
            latest = max(latest, end[tips[j]] - jobs[j, DUE])
    return most[LAST] * last + most[LATEST] * latest


@inlined
def gaining(costs, tips, end, marked):  # type: ignore[no-untyped-def]
    """Mark the last operations [n] of the jobs that would cost less by ending earlier."""
    jobs, most = costs.jobs, costs.most
    last, latest = 0, 0
    if most[LAST] > 0 or most[LATEST] > 0:
        for j in range(len(tips)):
            last = max(last, end[tips[j]])
            latest = max(latest, end[tips[j]] - jobs[j, DUE])
    for j in range(len(tips)):
        at = end[tips[j]]
        behind = at - jobs[j, DUE]
        gain = jobs[j, END] > 0 or (behind > 0 and (jobs[j, BEHIND] > 0 or jobs[j, LATE] > 0))
        if (most[LAST] > 0 and at == last) or (most[LATEST] > 0 and behind > 0 and behind == latest):
            gain = True
        marked[tips[j]] = gain
