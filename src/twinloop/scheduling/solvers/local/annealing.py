"""Simulated annealing on critical pairs (van Laarhoven, Aarts and Lenstra 1992): simple, and never stuck for good.

A move swaps two neighbours on a critical path, or puts a critical operation on another machine; a worse solution
is kept with probability exp(-worse / temperature), which falls geometrically over the iterations.
"""

from typing import NamedTuple

import numpy as np

from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Solution, Status, Tell, Trace
from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.lending import lent
from twinloop.scheduling.solvers.local.arrays import Arrays, Paths
from twinloop.scheduling.solvers.local.construct import MOST_WORK, construct
from twinloop.scheduling.solvers.local.graph import draw, evaluate, keep, link, unlink
from twinloop.scheduling.solvers.local.tabu import critical_path

METHOD = "simulated annealing"
# Temperatures as shares of the mean duration.
HOT, COLD = 0.5, 0.01


def solve_annealing(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """Anneal for the limit's iterations; `tell` hears of the end.

    Raises InputError as `solve_local` does, and without a limit of iterations.
    """
    goal, limit, start = question.goal, question.limit, question.start
    if goal != Goal.of("makespan"):
        raise InputError("simulated annealing: expected the makespan alone as objective: use CP-SAT or auto")
    if limit.iterations is None:
        raise InputError("simulated annealing: expected a limit of iterations; its cooling is spread over them")
    arrays = Arrays.of(shop)
    state = np.random.SeedSequence(question.seed).generate_state(1, np.uint64) | np.uint64(1)
    if start is None:
        rows = construct(arrays.layout, len(shop.machines), MOST_WORK, 0.0, 0.0, state)
    else:
        rows = arrays.rows(start)
    least, paths, best = lower_bound(shop, goal), Paths.of(arrays.count), rows.copy()
    mean = float(arrays.layout.mode_duration.mean())
    cooling = Cooling(limit.iterations, HOT * mean, COLD * mean, least)
    makespan = int(anneal(arrays.layout, rows, best, paths, cooling, state))
    evaluate(arrays.layout, best, paths)
    status: Status = "optimal" if makespan == least else "feasible"
    trace = Trace(tell)
    trace.add(makespan, least)
    plan = arrays.plan(best, paths.head)
    return Solution(METHOD, status, plan, (makespan,), least, tuple(trace.incumbents))


class Cooling(NamedTuple):
    """Iterations over which the temperature falls from hot to cold; the target is the makespan at which it ends."""

    iterations: int
    hot: float
    cold: float
    target: int


@machine_code
def anneal(layout, rows, best_rows, paths, cooling, state):  # type: ignore[no-untyped-def]
    """Anneal a solution in place; the best is written to `best_rows`, its makespan returned."""
    layout, rows, paths, state = lent(layout), lent(rows), lent(paths), lent(state)
    machine, duration, before, after = rows.machine, rows.duration, rows.before, rows.after
    head, path = paths.head, paths.path
    count = len(duration)
    makespan = evaluate(layout, rows, paths)
    best = makespan
    keep(rows, best_rows)
    for done in range(cooling.iterations):
        if best <= cooling.target:
            break
        temperature = cooling.hot * (cooling.cold / cooling.hot) ** (done / cooling.iterations)
        begin = critical_path(makespan, layout, rows, paths, state)
        pick = begin + draw(state, count - begin)
        u = path[pick]
        modes = layout.first_mode[u + 1] - layout.first_mode[u]
        old_machine, old_duration, x, y = machine[u], duration[u], before[u], after[u]
        if modes > 1 and draw(state, 2) == 0:
            mode = layout.first_mode[u] + draw(state, modes)
            machine_there = layout.mode_machine[mode]
            if machine_there == old_machine:
                continue
            # Behind the last operation there that starts before it could: most often near its best place.
            place, w = -1, -1
            for v in range(count):
                if machine[v] == machine_there and before[v] < 0:
                    w = v
            while w >= 0 and head[w] < head[u]:
                place, w = w, after[w]
            unlink(u, rows)
            machine[u], duration[u] = machine_there, layout.mode_duration[mode]
            link(u, place, w, rows)
        else:
            v = after[u]
            if v < 0 or pick + 1 >= count or path[pick + 1] != v or layout.job_after[u] == v:
                continue
            unlink(u, rows)
            link(u, v, after[v], rows)
        changed = evaluate(layout, rows, paths)
        worse = changed - makespan
        if changed >= 0 and (worse <= 0 or draw(state, 1 << 30) < np.exp(-worse / temperature) * (1 << 30)):
            makespan = changed
            if makespan < best:
                best = makespan
                keep(rows, best_rows)
        else:
            unlink(u, rows)
            machine[u], duration[u] = old_machine, old_duration
            link(u, x, y, rows)
            evaluate(layout, rows, paths)
    return best
