"""Repair: local changes to a right-shifted plan, never worse than it, in a time that people can wait for.

What moved is generated again in the order of the old and of the shifted plan, with gaps used and other machines
allowed (affected operations; Abumaizar and Svestka 1997). A short annealing then moves single operations a few places
in their machine's row. Every candidate is one compiled generation.
"""

import numpy as np

from twinloop.contracts import Plan
from twinloop.scheduling.execution.situation import placed
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.annealing import solve_annealing
from twinloop.scheduling.solvers.rich.layout import Longs, Tables
from twinloop.scheduling.solvers.rich.values import BEFORE, evaluate, reference, weights

ITERATIONS = 150


def repaired(
    shop: JobShop, shifted: Plan, goal: Goal, *, before: Plan, iterations: int = ITERATIONS, seed: int = 0
) -> Plan:
    """The best plan found from `shifted`; `before` is the plan as it was before the event.

    A candidate costs about a microsecond for each operation that is not frozen; compiling on first use on a
    machine takes half a minute. iterations: of the annealing, 0 for none.
    """
    best = _regenerated(shop, shifted, goal, before)
    if not iterations:
        return best
    question = Question(goal, Limit(iterations=iterations), seed=seed, start=best)
    return solve_annealing(shop, question, rules=False).plan or best


def _regenerated(shop: JobShop, shifted: Plan, goal: Goal, before: Plan) -> Plan:
    """The best of the shifted plan and four that follow its order or the old one, with the old machines or any."""
    tables = Tables.of(shop)
    level_weights, earlier = weights(goal), reference(tables, goal)
    mode, start = tables.columns(shifted)
    old = _starts(tables, before)
    planned = np.where(old >= 0, old, start)
    none, any_mode = np.zeros_like(start), np.full_like(mode, -1)
    late = sum(max(0, end - due) for end, due in _firm(shop, shifted))
    best, value = shifted, (0, late, *goal.values(shop, shifted))
    for order, modes, hold in (
        (start, mode, none),
        (planned, mode, none),
        (planned, any_mode, none),
        (start, mode, np.maximum(old, 0)),
    ):
        state = placed(tables, order.astype(np.float64), modes, hold, insert=True)
        candidate = np.zeros(BEFORE + len(level_weights), dtype=np.int64)
        evaluate(tables.layout, state, level_weights, earlier, candidate)
        if tuple(candidate.tolist()) < value:
            best, value = tables.plan(state), tuple(candidate.tolist())
    return best


def _starts(tables: Tables, plan: Plan) -> Longs:
    """[n] start of every operation in a plan, -1 where it is not there."""
    starts = np.full(tables.count, -1, dtype=np.int64)
    for a in plan:
        if (a.job, a.operation) in tables.number:
            starts[tables.number[a.job, a.operation]] = a.start
    return starts


def _firm(shop: JobShop, plan: Plan) -> list[tuple[int, int]]:
    """(end, due date) of the firm jobs."""
    ends = {a.job: a.end for a in sorted(plan, key=lambda a: a.operation)}
    return [(ends[job.name], job.due) for job in shop.jobs if job.firm and job.due is not None]
