"""A walk from solution to solution at one temperature, for every goal that only gains when jobs end earlier.

Moves are those of critical paths, of each job that costs something (Mati, Dauzère-Pérès and Lahlou 2011): two
neighbours on a critical path swap (van Laarhoven, Aarts and Lenstra 1992), an operation goes further along its block,
or to a place on another machine. Each is judged by exactly what it changes (`moves.py`); a worse solution is kept with
probability exp(-worse / temperature) (Metropolis et al. 1953).
"""

from typing import NamedTuple

import numpy as np

from twinloop.scheduling.solvers.jit import inlined, machine_code
from twinloop.scheduling.solvers.lending import lent
from twinloop.scheduling.solvers.local.arrays import Arrays, Ints, Longs
from twinloop.scheduling.solvers.local.costs import cost_of, cost_of_most, gaining
from twinloop.scheduling.solvers.local.graph import draw
from twinloop.scheduling.solvers.local.moves import (
    TO,
    order_ahead,
    order_at,
    order_behind,
    propagate,
    put,
    restore_ends,
    restore_order,
    settle,
    take,
)

# One move in so many goes further than to the neighbour, or to another machine where there is one.
FURTHER, ELSEWHERE = 2, 2
# Entries of `tally`: what the solution costs, and the best one.
VALUE, BEST = range(2)


class Critical(NamedTuple):
    """behind: [n] critical operations right behind their machine's previous one. able: [n] critical ones with other
    machines. counts: [2] how many of each are known; -1 when the solution has changed.
    """

    behind: Ints
    able: Ints
    counts: Longs

    @classmethod
    def of(cls, arrays: Arrays) -> "Critical":
        """Room for a shop's critical operations."""
        behind, able = (np.zeros(arrays.count, dtype=np.int32) for _ in range(2))
        return cls(behind, able, np.full(2, -1, dtype=np.int64))


@inlined
def value_of(layout, costs, walk):  # type: ignore[no-untyped-def]
    """What a settled solution costs."""
    total = cost_of_most(costs, walk.tips, walk.end)
    for v in walk.tips:
        total += cost_of(costs.jobs, layout.job[v], walk.end[v])
    return total


@inlined
def find_critical(layout, costs, rows, walk, critical):  # type: ignore[no-untyped-def]
    """Fill `critical` by all critical paths of all jobs that would cost less by ending earlier."""
    marked, end = walk.marked, walk.end
    gaining(costs, walk.tips, end, marked)
    behind, able = 0, 0
    for k in range(len(end) - 1, -1, -1):
        v = walk.order[k]
        if not marked[v]:
            continue
        marked[v] = False
        if layout.first_mode[v + 1] - layout.first_mode[v] > 1:
            critical.able[able] = v
            able += 1
        start = end[v] - rows.duration[v]
        x, y = layout.job_before[v], rows.before[v]
        if x >= 0 and end[x] == start:
            marked[x] = True
        if y >= 0 and end[y] == start:
            marked[y] = True
            if x != y:
                critical.behind[behind] = v
                behind += 1
    critical.counts[0], critical.counts[1] = behind, able


@inlined
def place_elsewhere(layout, rows, walk, v, mode, state):  # type: ignore[no-untyped-def]
    """A place for v on the mode's machine that its job leaves open: what comes before it there, and behind it.

    The order is changed to it.
    """
    x, y = layout.job_before[v], layout.job_after[v]
    low = walk.place[x] if x >= 0 else -1
    high = walk.place[y] if y >= 0 else len(walk.order)
    x, y = -1, walk.first[layout.mode_machine[mode]]
    while y >= 0 and walk.place[y] <= low:
        x, y = y, rows.after[y]
    w, open_places = y, 1
    while w >= 0 and walk.place[w] < high:
        open_places += 1
        w = rows.after[w]
    for _ in range(draw(state, open_places)):
        x, y = y, rows.after[y]
    if x >= 0:
        low = max(low, walk.place[x])
    order_at(walk, v, low + 1)
    return x, y


@machine_code
def anneal(layout, costs, rows, best_rows, walk, critical, tally, temperature, steps, state):  # type: ignore[no-untyped-def]
    """Try `steps` moves from a settled solution at one temperature; the best solution is copied to `best_rows`.

    tally: [2] what both cost. Returns the moves tried, fewer than `steps` where nothing could be better.
    """
    layout, costs, rows, best_rows = lent(layout), lent(costs), lent(rows), lent(best_rows)
    walk, critical, tally = lent(walk), lent(critical), lent(tally)
    for done in range(steps):
        if critical.counts[0] < 0:
            find_critical(layout, costs, rows, walk, critical)
        behind, able = critical.counts[0], critical.counts[1]
        if behind + able == 0:
            return done
        moving, old_machine, old_duration = -1, -1, 0
        if able > 0 and (behind == 0 or draw(state, ELSEWHERE) == 0):
            moving = critical.able[draw(state, able)]
            mode = layout.first_mode[moving] + draw(state, layout.first_mode[moving + 1] - layout.first_mode[moving])
            old_machine, old_duration = rows.machine[moving], rows.duration[moving]
            if layout.mode_machine[mode] == old_machine:
                continue
            old_x, old_y = rows.before[moving], rows.after[moving]
            x, y = place_elsewhere(layout, rows, walk, moving, mode, state)
            take(rows, walk, moving)
            rows.machine[moving], rows.duration[moving] = layout.mode_machine[mode], layout.mode_duration[mode]
        else:
            v = critical.behind[draw(state, behind)]
            u = rows.before[v]
            choice = draw(state, 2 * FURTHER)
            # Further along the block, to either side.
            while choice == 0 and draw(state, 2) == 0:
                w = rows.before[u]
                if w < 0 or walk.end[w] != walk.end[u] - rows.duration[u]:
                    break
                u = w
            while choice == 1 and draw(state, 2) == 0:
                w = rows.after[v]
                if w < 0 or walk.end[v] != walk.end[w] - rows.duration[w]:
                    break
                v = w
            possible = False
            if choice == 0:
                possible = order_ahead(layout, rows, walk, u, v)
            if choice != 0:
                possible = order_behind(layout, rows, walk, u, v)
            if not possible:
                restore_order(walk)
                continue
            if choice == 0:
                moving, x, y = v, rows.before[u], u
            else:
                moving, x, y = u, v, rows.after[v]
            old_x, old_y = rows.before[moving], rows.after[moving]
            take(rows, walk, moving)
        put(rows, walk, moving, x, y)
        # Both that have another operation before them now are looked at, whatever has changed until there.
        until = walk.stretch[TO]
        if old_y >= 0:
            until = max(until, walk.place[old_y])
        if y >= 0:
            until = max(until, walk.place[y])
        most = cost_of_most(costs, walk.tips, walk.end)
        worse = propagate(layout, rows, walk, costs.jobs, until)
        worse += cost_of_most(costs, walk.tips, walk.end) - most
        if worse <= 0 or draw(state, 1 << 30) < np.exp(-worse / temperature) * (1 << 30):
            tally[VALUE] += worse
            critical.counts[0] = -1
            if tally[VALUE] < tally[BEST]:
                tally[BEST] = tally[VALUE]
                best_rows.machine[:], best_rows.duration[:] = rows.machine, rows.duration
                best_rows.before[:], best_rows.after[:] = rows.before, rows.after
        else:
            restore_ends(walk)
            restore_order(walk)
            take(rows, walk, moving)
            if old_machine >= 0:
                rows.machine[moving], rows.duration[moving] = old_machine, old_duration
            put(rows, walk, moving, old_x, old_y)
    return steps


@machine_code
def settled(layout, costs, rows, walk, critical, tally):  # type: ignore[no-untyped-def]
    """Begin at a solution, and keep what it costs; False for one that waits for itself in a circle."""
    layout, costs, rows, walk = lent(layout), lent(costs), lent(rows), lent(walk)
    critical.counts[:] = -1
    if not settle(layout, rows, walk):
        return False
    tally[VALUE] = tally[BEST] = value_of(layout, costs, walk)
    return True
