"""Tabu search on critical blocks: the moves of N5, N6 or N7, and moves to other machines in flexible shops.

N5 swaps the two operations at an end of a block (Nowicki and Smutnicki 1996), N6 moves operations to an end
of their block (Balas and Vazacopoulos 1998), N7 also the end operations into it (Zhang et al. 2007). Where an
operation has other machines, it may be put between any two operations there that cannot close a circle
(Mastrolilli and Gambardella 2000). Moves are chosen by estimate; what a move turned round stays so for a while.
"""

from typing import NamedTuple

import numpy as np

from twinloop.scheduling.solvers.jit import inlined, machine_code
from twinloop.scheduling.solvers.lending import lent
from twinloop.scheduling.solvers.local.arrays import Longs
from twinloop.scheduling.solvers.local.estimates import (
    estimate_later,
    estimate_sooner,
    ready,
    renew_paths,
)
from twinloop.scheduling.solvers.local.graph import FAR, draw
from twinloop.scheduling.solvers.local.moves import (
    FROM,
    TO,
    order_ahead,
    order_anew,
    order_at,
    order_behind,
    put,
    take,
)

# What a move does: put u behind v, put v before u, or put u on another machine behind v.
LATER, SOONER, ELSEWHERE = 0, 1, 2


@inlined
def latest(walk, paths):  # type: ignore[no-untyped-def]
    """The makespan of a solution whose ends are known."""
    makespan = np.int64(0)
    for v in walk.tips:
        makespan = max(makespan, paths.end[v])
    return makespan


@inlined
def critical_path(layout, rows, walk, paths, makespan, state):  # type: ignore[no-untyped-def]
    """Write a random critical path to the end of `paths.critical`; returns where it begins there."""
    v, ties = -1, 0
    for w in walk.tips:
        if paths.end[w] == makespan:
            ties += 1
            if draw(state, ties) == 0:
                v = w
    place = len(paths.critical)
    while v >= 0:
        place -= 1
        paths.critical[place] = v
        start = paths.end[v] - rows.duration[v]
        x, y = layout.job_before[v], rows.before[v]
        by_job = x >= 0 and paths.end[x] == start
        by_machine = y >= 0 and paths.end[y] == start
        if by_job and by_machine:
            v = x if draw(state, 2) == 0 else y
        elif by_job:
            v = x
        elif by_machine:
            v = y
        else:
            v = -1
    return place


@inlined
def moved(layout, rows, walk, paths, kind, u, v, mode):  # type: ignore[no-untyped-def]
    """Make a move, and renew order and paths; returns the makespan, or -1 when sequences now wait in a circle."""
    moving = v if kind == SOONER else u
    if kind == LATER:
        if not order_behind(layout, rows, walk, u, v):
            return np.int64(-1)
        x, y = v, rows.after[v]
    elif kind == SOONER:
        if not order_ahead(layout, rows, walk, u, v):
            return np.int64(-1)
        x, y = rows.before[u], u
    else:
        x, y = v, rows.after[v] if v >= 0 else walk.first[layout.mode_machine[mode]]
    take(rows, walk, moving)
    if kind == ELSEWHERE:
        rows.machine[moving], rows.duration[moving] = layout.mode_machine[mode], layout.mode_duration[mode]
    put(rows, walk, moving, x, y)
    if kind == ELSEWHERE:
        low, high = np.int64(-1), np.int64(len(walk.order))
        if x >= 0:
            low = max(low, walk.place[x])
        if layout.job_before[moving] >= 0:
            low = max(low, walk.place[layout.job_before[moving]])
        if y >= 0:
            high = min(high, walk.place[y])
        if layout.job_after[moving] >= 0:
            high = min(high, walk.place[layout.job_after[moving]])
        if low < high:
            order_at(walk, moving, low + 1)
        else:
            # There is no place between both in this order, but in another one.
            if not order_anew(layout, rows, walk):
                return np.int64(-1)
            walk.stretch[FROM], walk.stretch[TO] = 0, len(walk.order) - 1
    renew_paths(layout, rows, paths, walk.order, walk.stretch[FROM], walk.stretch[TO])
    return latest(walk, paths)


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
def search(layout, rows, best_rows, walk, paths, memory, effort, state):  # type: ignore[no-untyped-def]
    """Search on from `rows`, which are changed in place; returns the best makespan and the iterations done.

    The best solution is written to `best_rows` but for its durations. A makespan of -1 means that the start waits for
    itself in a circle.
    """
    layout, rows, best_rows, walk = lent(layout), lent(rows), lent(best_rows), lent(walk)
    paths, memory, state = lent(paths), lent(memory), lent(state)
    path, machine, before, after = paths.critical, rows.machine, rows.before, rows.after
    job, job_before, job_after = layout.job, layout.job_before, layout.job_after
    first_mode, mode_machine, mode_duration = layout.first_mode, layout.mode_machine, layout.mode_duration
    clock, iterations, patience, target, neighbourhood = effort
    machines, jobs, count = memory.machine.shape[1], memory.order.shape[1], len(machine)
    flexible = len(mode_machine) > count
    if not order_anew(layout, rows, walk):
        return np.int64(-1), 0
    renew_paths(layout, rows, paths, walk.order, 0, count - 1)
    makespan = latest(walk, paths)
    best, best_at, done = makespan, 0, 0
    best_rows.machine[:], best_rows.before[:], best_rows.after[:] = machine, before, after
    # Zhang et al. 2008: about 10 + jobs per machine, drawn anew for every move.
    shortest = 10 + int(jobs / machines)
    longest = int((1.4 if jobs <= 2 * machines else 1.5) * shortest)
    while done < iterations and done - best_at < patience and best > target and makespan >= 0:
        done += 1
        now = clock + done
        begin = critical_path(layout, rows, walk, paths, makespan, state)
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
            fixed_front = start == begin and paths.end[path[start]] == rows.duration[path[start]]
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
                    forbidden, enough = False, max(best, value + 1)
                    if way == LATER:
                        w = job_after[a]
                        if w == b or (paths.rest[b] < paths.rest[w]):
                            continue  # w is b or might lead to it: a circle
                        found = estimate_later(layout, rows, paths, a, b, enough)
                        w = a
                        while w != b and not forbidden:
                            w = after[w]
                            forbidden = memory.order[w, job[a]] > now
                    else:
                        w = job_before[b]
                        if w == a or (paths.end[a] < paths.end[w]):
                            continue
                        found = estimate_sooner(layout, rows, paths, a, b, enough)
                        w = b
                        while w != a and not forbidden:
                            w = before[w]
                            forbidden = memory.order[b, job[w]] > now
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
            for place in range(begin, count):
                a = path[place]
                if first_mode[a + 1] - first_mode[a] == 1:
                    continue
                soonest = ready(layout, paths, a)
                rest = paths.rest[job_after[a]]
                w = job_after[a]
                before_end = paths.end[w] if w >= 0 else FAR
                w = job_before[a]
                after_start = paths.end[w] - rows.duration[w] if w >= 0 else -1
                for m in range(first_mode[a], first_mode[a + 1]):
                    there = mode_machine[m]
                    if there == machine[a]:
                        continue
                    x, y = -1, walk.first[there]
                    # No path leads from a's job to x, nor from y to it.
                    while x < 0 or paths.end[x] < before_end:
                        if y < 0 or paths.end[y] - rows.duration[y] > after_start:
                            at = soonest if x < 0 else max(soonest, paths.end[x])
                            behind = rest if y < 0 else max(rest, paths.rest[y])
                            found = at + mode_duration[m] + behind
                            if memory.machine[a, there] > now and found >= best:
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
                memory.order[u, job[w]] = until
        elif kind == SOONER:
            w = v
            while w != u:
                w = before[w]
                memory.order[w, job[v]] = until
        else:
            memory.machine[u, machine[u]] = until
        makespan = moved(layout, rows, walk, paths, kind, u, v, mode)
        if 0 <= makespan < best:
            best, best_at = makespan, done
            best_rows.machine[:], best_rows.before[:], best_rows.after[:] = machine, before, after
    return (best if makespan >= 0 else np.int64(-1)), done
