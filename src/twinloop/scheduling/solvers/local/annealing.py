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
from twinloop.scheduling.solvers.local.arrays import Arrays
from twinloop.scheduling.solvers.local.construct import MOST_WORK, construct
from twinloop.scheduling.solvers.local.graph import draw, evaluate, link, unlink
from twinloop.scheduling.solvers.local.island import Point, starts_of
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
    first = (
        arrays.sequences(start) if start else construct(arrays.layout, len(shop.machines), MOST_WORK, 0.0, 0.0, state)
    )
    machine, before, after = (column.copy() for column in first)
    least = lower_bound(shop, goal)
    mean = float(arrays.mode_duration.mean())
    cooling = Cooling(limit.iterations, HOT * mean, COLD * mean, least)
    makespan = anneal(arrays.layout, arrays.rows(machine, before, after), cooling, state)
    point = Point(int(makespan), machine, before, after, np.empty(0, dtype=np.int32))
    status: Status = "optimal" if point.makespan == least else "feasible"
    trace = Trace(tell)
    trace.add(point.makespan, least)
    plan = arrays.plan(machine, starts_of(arrays, point))
    return Solution(METHOD, status, plan, (point.makespan,), least, tuple(trace.incumbents))


class Cooling(NamedTuple):
    """Iterations over which the temperature falls from hot to cold; the target is the makespan at which it ends."""

    iterations: int
    hot: float
    cold: float
    target: int


@machine_code
def anneal(layout, rows, cooling, state):  # type: ignore[no-untyped-def]
    """Anneal a solution in place and leave the best there; returns its makespan."""
    _, job_before, job_after, release, first_mode, mode_machine, mode_duration = layout
    machine, duration, before, after = rows
    iterations, hot, cold, target = cooling
    count = len(duration)
    head, tail = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    order, waits = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    path = np.empty(count, dtype=np.int32)
    makespan = evaluate(duration, release, job_before, job_after, before, after, head, tail, order, waits)
    best = makespan
    best_machine, best_before, best_after = machine.copy(), before.copy(), after.copy()
    for done in range(iterations):
        if best <= target:
            break
        temperature = hot * (cold / hot) ** (done / iterations)
        begin = critical_path(makespan, duration, job_before, before, head, state, path)
        pick = begin + draw(state, count - begin)
        u = path[pick]
        modes = first_mode[u + 1] - first_mode[u]
        old_machine, old_duration, x, y = machine[u], duration[u], before[u], after[u]
        if modes > 1 and draw(state, 2) == 0:
            mode = first_mode[u] + draw(state, modes)
            machine_there = mode_machine[mode]
            if machine_there == old_machine:
                continue
            # Behind the last operation there that starts before it could: most often near its best place.
            place, w = -1, -1
            for v in range(count):
                if machine[v] == machine_there and before[v] < 0:
                    w = v
            while w >= 0 and head[w] < head[u]:
                place, w = w, after[w]
            unlink(u, before, after)
            machine[u], duration[u] = machine_there, mode_duration[mode]
            link(u, place, w, before, after)
        else:
            v = after[u]
            if v < 0 or pick + 1 >= count or path[pick + 1] != v or job_after[u] == v:
                continue
            unlink(u, before, after)
            link(u, v, after[v], before, after)
        found = evaluate(duration, release, job_before, job_after, before, after, head, tail, order, waits)
        worse = found - makespan
        if found >= 0 and (worse <= 0 or draw(state, 1 << 30) < np.exp(-worse / temperature) * (1 << 30)):
            makespan = found
            if makespan < best:
                best = makespan
                best_machine[:], best_before[:], best_after[:] = machine, before, after
        else:
            unlink(u, before, after)
            machine[u], duration[u] = old_machine, old_duration
            link(u, x, y, before, after)
            evaluate(duration, release, job_before, job_after, before, after, head, tail, order, waits)
    machine[:], before[:], after[:] = best_machine, best_before, best_after
    return best
