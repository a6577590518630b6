"""Tabu search on critical blocks: the moves of N5, N6 or N7, and moves to other machines in flexible shops.

N5 swaps the two operations at an end of a block (Nowicki and Smutnicki 1996), N6 moves operations to an end
of their block (Balas and Vazacopoulos 1998), N7 also the end operations into it (Zhang et al. 2007). Where an
operation has other machines, it may be put between any two operations there that cannot close a circle
(Mastrolilli and Gambardella 2000). Moves are chosen by estimate; what a move turned round stays so for a while.
"""

from typing import NamedTuple

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.local.arrays import Longs
from twinloop.scheduling.solvers.local.graph import (
    FAR,
    draw,
    estimate_later,
    estimate_sooner,
    evaluate,
    link,
    ready,
    rest_of_job,
    unlink,
)

# What a move does: put u behind v, put v before u, or put u on another machine behind v.
LATER, SOONER, ELSEWHERE = 0, 1, 2


@machine_code
def critical_path(makespan, duration, job_before, before, head, state, path):  # type: ignore[no-untyped-def]
    """Write a random critical path to the end of `path` [n]; returns where it begins there."""
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
        x, y = job_before[v], before[v]
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
def search(layout, rows, best_rows, memory, effort, state):  # type: ignore[no-untyped-def]
    """Search on from `rows`, which are changed in place; returns the best makespan and the iterations done.

    The best solution is written to `best_rows` but for its durations. A makespan of -1 means that the start waits for
    itself in a circle.
    """
    job, job_before, job_after, release, first_mode, mode_machine, mode_duration = layout
    machine, duration, before, after = rows
    best_machine, _, best_before, best_after = best_rows
    kept_order, kept_machine = memory
    clock, iterations, patience, target, neighbourhood = effort
    machines = kept_machine.shape[1]
    count = len(duration)
    jobs = kept_order.shape[1]
    head, tail = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    order, waits = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    times, row = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int32)
    path, first_on = np.empty(count, dtype=np.int32), np.empty(machines, dtype=np.int32)
    flexible = len(mode_machine) > count
    makespan = evaluate(duration, release, job_before, job_after, before, after, head, tail, order, waits)
    best, best_at, done = makespan, 0, 0
    best_machine[:], best_before[:], best_after[:] = machine, before, after
    # Zhang et al. 2008: about 10 + jobs per machine, drawn anew for every move.
    shortest = 10 + int(jobs / machines)
    longest = int((1.4 if jobs <= 2 * machines else 1.5) * shortest)
    while done < iterations and done - best_at < patience and best > target and makespan >= 0:
        done += 1
        now = clock + done
        begin = critical_path(makespan, duration, job_before, before, head, state, path)
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
                if family >= 2 and neighbourhood < 7:
                    break
                if family == 0:  # to the end of the block
                    low, high = start, stop - 1
                    if neighbourhood == 5:
                        low = max(low, stop - 1)
                elif family == 1:  # to its front
                    low, high = start + 1, stop
                    if neighbourhood == 5:
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
                        found = estimate_later(
                            a, b, duration, release, job_before, job_after, before, after, head, tail, times, row
                        )
                        w = a
                        while w != b and not forbidden:
                            w = after[w]
                            forbidden = kept_order[w, job[a]] > now
                    else:
                        w = job_before[b]
                        if w == a or (w >= 0 and head[a] + duration[a] < head[w] + duration[w]):
                            continue
                        found = estimate_sooner(
                            a, b, duration, release, job_before, job_after, before, after, head, tail, times, row
                        )
                        w = b
                        while w != a and not forbidden:
                            w = before[w]
                            forbidden = kept_order[b, job[w]] > now
                    if forbidden and found >= best:
                        forbidden_count += 1
                        if draw(state, forbidden_count) == 0:
                            any_kind, any_u, any_v = way, a, b
                    elif found < value:
                        kind, u, v, value, ties = way, a, b, found, 1
                    elif found == value:
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
                soonest = ready(a, duration, release, job_before, head)
                rest = rest_of_job(a, duration, job_after, tail)
                w = job_after[a]
                before_end = head[w] + duration[w] if w >= 0 else FAR
                w = job_before[a]
                after_start = head[w] if w >= 0 else -1
                for m in range(first_mode[a], first_mode[a + 1]):
                    there = mode_machine[m]
                    if there == machine[a]:
                        continue
                    x, y = -1, first_on[there]
                    # No path leads from a's job to x, nor from y to it.
                    while x < 0 or head[x] + duration[x] < before_end:
                        if y < 0 or head[y] > after_start:
                            at = soonest if x < 0 else max(soonest, head[x] + duration[x])
                            behind = rest if y < 0 else max(rest, tail[y] + duration[y])
                            found = at + mode_duration[m] + behind
                            if kept_machine[a, there] > now and found >= best:
                                forbidden_count += 1
                                if draw(state, forbidden_count) == 0:
                                    any_kind, any_u, any_v, any_mode = ELSEWHERE, a, x, m
                            elif found < value:
                                kind, u, v, mode, value, ties = ELSEWHERE, a, x, m, found, 1
                            elif found == value:
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
                kept_order[u, job[w]] = until
            unlink(u, before, after)
            link(u, v, after[v], before, after)
        elif kind == SOONER:
            w = v
            while w != u:
                w = before[w]
                kept_order[w, job[v]] = until
            unlink(v, before, after)
            link(v, before[u], u, before, after)
        else:
            kept_machine[u, machine[u]] = until
            unlink(u, before, after)
            machine[u] = mode_machine[mode]
            duration[u] = mode_duration[mode]
            # Behind no one means at the front of the row.
            link(u, v, after[v] if v >= 0 else first_on[machine[u]], before, after)
        makespan = evaluate(duration, release, job_before, job_after, before, after, head, tail, order, waits)
        if 0 <= makespan < best:
            best, best_at = makespan, done
            best_machine[:], best_before[:], best_after[:] = machine, before, after
    return (best if makespan >= 0 else -1), done
