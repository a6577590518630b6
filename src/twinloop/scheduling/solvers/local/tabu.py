"""Tabu search on critical blocks: the moves of N5, N6 or N7, and moves to other machines in flexible shops.

N5 swaps the two operations at an end of a block (Nowicki and Smutnicki 1996), N6 moves operations to an end
of their block (Balas and Vazacopoulos 1998), N7 also the end operations into it (Zhang et al. 2007). Where an
operation has other machines, it may be put between any two operations there that cannot close a circle
(Mastrolilli and Gambardella 2000). Moves are chosen by estimate; what a move turned round stays so for a while.
"""

from typing import NamedTuple

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.lending import lent
from twinloop.scheduling.solvers.local.arrays import Longs
from twinloop.scheduling.solvers.local.graph import (
    FAR,
    draw,
    estimate_later,
    estimate_sooner,
    evaluate,
    keep,
    link,
    ready,
    rest_of_job,
    unlink,
)

# What a move does: put u behind v, put v before u, or put u on another machine behind v.
LATER, SOONER, ELSEWHERE = 0, 1, 2


@machine_code
def critical_path(makespan, layout, rows, paths, state):  # type: ignore[no-untyped-def]
    """Write a random critical path to the end of `path` [n]; returns where it begins there."""
    duration, head, path = rows.duration, paths.head, paths.path
    count = len(duration)
    v, ties = -1, 0
    for w in range(count):
        if head[w] + duration[w] == makespan:
            ties += 1
            if draw(state, ties) == 0:
                v = w
    place = count
    while v >= 0:
        place -= 1
        path[place] = v
        x, y = layout.job_before[v], rows.before[v]
        by_job = x >= 0 and head[x] + duration[x] == head[v]
        by_machine = y >= 0 and head[y] + duration[y] == head[v]
        if by_job and by_machine:
            v = x if draw(state, 2) == 0 else y
        elif by_job:
            v = x
        elif by_machine:
            v = y
        else:
            v = -1
    return place


class Memory(NamedTuple):
    """What moves have forbidden, by the iteration until which it holds.

    order: [n, jobs], when an operation must not come before one of a job on its machine. machine: [n, machines], when
    it must not come back.
    """

    order: Longs
    machine: Longs


class Effort(NamedTuple):
    """How long a search goes on, and over which moves.

    clock: iterations done with this memory before. patience: iterations without a better solution after which it ends.
    target: the makespan at which it ends. neighbourhood: 5, 6 or 7.
    """

    clock: int
    iterations: int
    patience: int
    target: int
    neighbourhood: int


@machine_code
def search(layout, rows, best_rows, memory, paths, effort, state):  # type: ignore[no-untyped-def]
    """Search on from `rows`, which are changed in place; returns the best makespan and the iterations done.

    The best solution is written to `best_rows`. A makespan of -1 means that the start waits for itself in a circle.
    """
    layout, rows, memory, paths, state = lent(layout), lent(rows), lent(memory), lent(paths), lent(state)
    job, job_before, job_after, first_mode = layout.job, layout.job_before, layout.job_after, layout.first_mode
    machine, duration, before, after = rows.machine, rows.duration, rows.before, rows.after
    head, tail, path = paths.head, paths.tail, paths.path
    count = len(duration)
    jobs, machines = memory.order.shape[1], memory.machine.shape[1]
    first_on = np.empty(machines, dtype=np.int32)
    flexible = len(layout.mode_machine) > count
    makespan = evaluate(layout, rows, paths)
    best, best_at, done = makespan, 0, 0
    keep(rows, best_rows)
    # Zhang et al. 2008: about 10 + jobs per machine, drawn anew for every move.
    shortest = 10 + int(jobs / machines)
    longest = int((1.4 if jobs <= 2 * machines else 1.5) * shortest)
    while done < effort.iterations and done - best_at < effort.patience and best > effort.target and makespan >= 0:
        done += 1
        now = effort.clock + done
        begin = critical_path(makespan, layout, rows, paths, state)
        kind, u, v, mode, value, ties = -1, -1, -1, -1, FAR, 0
        # The move taken when all are forbidden.
        any_kind, any_u, any_v, any_mode, forbidden_count = -1, -1, -1, -1, 0
        start = begin
        while start < count:
            stop = start
            while stop + 1 < count and machine[path[stop + 1]] == machine[path[start]]:
                stop += 1
            # What stands at the front of a block that begins at time 0, or at its end when the path ends there, only
            # changes places inside the block, and that never shortens the path.
            fixed_front = start == begin and head[path[start]] == 0
            fixed_back = stop == count - 1
            for family in range(4):
                if (family == 0 or family == 3) and fixed_back:
                    continue
                if (family == 1 or family == 2) and fixed_front:
                    continue
                if family >= 2 and effort.neighbourhood < 7:
                    break
                if family == 0:  # to the end of the block
                    low, high = start, stop - 1
                    if effort.neighbourhood == 5:
                        low = max(low, stop - 1)
                elif family == 1:  # to its front
                    low, high = start + 1, stop
                    if effort.neighbourhood == 5:
                        high = min(high, start + 1)
                    if stop == start + 1 and not fixed_back:
                        continue  # the same swap as in the first family
                else:  # the front, or the end, into the block
                    low, high = start + 1, stop - 1
                for place in range(low, high + 1):
                    if family == 0:
                        a, b, way = path[place], path[stop], LATER
                    elif family == 1:
                        a, b, way = path[start], path[place], SOONER
                    elif family == 2:
                        a, b, way = path[start], path[place], LATER
                    else:
                        a, b, way = path[place], path[stop], SOONER
                    forbidden = False
                    if way == LATER:
                        w = job_after[a]
                        if w == b or (w >= 0 and tail[b] + duration[b] < tail[w] + duration[w]):
                            continue  # w is b or might lead to it: a circle
                        estimate = estimate_later(a, b, layout, rows, paths)
                        w = a
                        while w != b and not forbidden:
                            w = after[w]
                            forbidden = memory.order[w, job[a]] > now
                    else:
                        w = job_before[b]
                        if w == a or (w >= 0 and head[a] + duration[a] < head[w] + duration[w]):
                            continue
                        estimate = estimate_sooner(a, b, layout, rows, paths)
                        w = b
                        while w != a and not forbidden:
                            w = before[w]
                            forbidden = memory.order[b, job[w]] > now
                    if forbidden and estimate >= best:
                        forbidden_count += 1
                        if draw(state, forbidden_count) == 0:
                            any_kind, any_u, any_v = way, a, b
                    elif estimate < value:
                        kind, u, v, value, ties = way, a, b, estimate, 1
                    elif estimate == value:
                        ties += 1
                        if draw(state, ties) == 0:
                            kind, u, v = way, a, b
            start = stop + 1
        if flexible:
            for w in range(machines):
                first_on[w] = -1
            for w in range(count):
                if before[w] < 0:
                    first_on[machine[w]] = w
            for place in range(begin, count):
                a = path[place]
                if first_mode[a + 1] - first_mode[a] == 1:
                    continue
                soonest = ready(a, layout, rows, paths)
                rest = rest_of_job(a, layout, rows, paths)
                w = job_after[a]
                before_end = head[w] + duration[w] if w >= 0 else FAR
                w = job_before[a]
                after_start = head[w] if w >= 0 else -1
                for m in range(first_mode[a], first_mode[a + 1]):
                    there = layout.mode_machine[m]
                    if there == machine[a]:
                        continue
                    x, y = -1, first_on[there]
                    # No path leads from a's job to x, nor from y to it.
                    while x < 0 or head[x] + duration[x] < before_end:
                        if y < 0 or head[y] > after_start:
                            at = soonest if x < 0 else max(soonest, head[x] + duration[x])
                            behind = rest if y < 0 else max(rest, tail[y] + duration[y])
                            estimate = at + layout.mode_duration[m] + behind
                            if memory.machine[a, there] > now and estimate >= best:
                                forbidden_count += 1
                                if draw(state, forbidden_count) == 0:
                                    any_kind, any_u, any_v, any_mode = ELSEWHERE, a, x, m
                            elif estimate < value:
                                kind, u, v, mode, value, ties = ELSEWHERE, a, x, m, estimate, 1
                            elif estimate == value:
                                ties += 1
                                if draw(state, ties) == 0:
                                    kind, u, v, mode = ELSEWHERE, a, x, m
                        if y < 0:
                            break
                        x, y = y, after[y]
        if kind < 0:
            if any_kind < 0:
                break  # one critical block or none: nothing can be better
            kind, u, v, mode = any_kind, any_u, any_v, any_mode
        until = now + shortest + draw(state, longest - shortest + 1)
        if kind == LATER:
            w = u
            while w != v:
                w = after[w]
                memory.order[u, job[w]] = until
            unlink(u, rows)
            link(u, v, after[v], rows)
        elif kind == SOONER:
            w = v
            while w != u:
                w = before[w]
                memory.order[w, job[v]] = until
            unlink(v, rows)
            link(v, before[u], u, rows)
        else:
            memory.machine[u, machine[u]] = until
            unlink(u, rows)
            machine[u] = layout.mode_machine[mode]
            duration[u] = layout.mode_duration[mode]
            # Behind no one means at the front of the row.
            link(u, v, after[v] if v >= 0 else first_on[machine[u]], rows)
        makespan = evaluate(layout, rows, paths)
        if 0 <= makespan < best:
            best, best_at = makespan, done
            keep(rows, best_rows)
    return (best if makespan >= 0 else -1), done
