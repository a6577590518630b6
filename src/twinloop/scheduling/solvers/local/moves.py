"""Moves along and between machines, and exactly what they change: the ends of operations, and no more than these.

A topological order is kept up to date, so that a move only reorders the stretch between its two places (as Pearce and
Kelly 2006 do for an arc), a circle shows itself there, and new ends are computed from there on, until nothing changes.
What was changed is remembered and can be taken back.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.scheduling.solvers.jit import inlined
from twinloop.scheduling.solvers.local.arrays import Arrays, Ints, Longs, Rows
from twinloop.scheduling.solvers.local.costs import cost_of
from twinloop.scheduling.solvers.local.graph import topological

Flags = NDArray[np.bool_]
# Entries of `stretch`: the first and the last place of the order that a move has touched, and how many ends it changed.
FROM, TO, CHANGED = range(3)


class Walk(NamedTuple):
    """A solution in motion.

    end: [n] earliest ends. order, place: [n] topological order and the place of every operation in it. first: [M] first
    operation on every machine, -1 for none. tips: [jobs] last operations. The others are for taking a move back:
    stretch [3], kept_order, kept_at, kept_end [n], and marked, beside [n] to work with.
    """

    end: Longs
    order: Ints
    place: Ints
    first: Ints
    tips: Ints
    stretch: Longs
    kept_order: Ints
    kept_at: Ints
    kept_end: Longs
    marked: Flags
    beside: Ints

    @classmethod
    def of(cls, arrays: Arrays) -> "Walk":
        """Room for the solutions of a shop."""
        n = arrays.count
        longs = [np.zeros(n, dtype=np.int64) for _ in range(2)]
        ints = [np.zeros(n, dtype=np.int32) for _ in range(5)]
        first = np.full(len(arrays.shop.machines), -1, dtype=np.int32)
        tips = np.flatnonzero(arrays.job_after < 0).astype(np.int32)
        stretch = np.zeros(3, dtype=np.int64)
        marked = np.zeros(n, dtype=np.bool_)
        return cls(longs[0], ints[0], ints[1], first, tips, stretch, ints[2], ints[3], longs[1], marked, ints[4])


@inlined
def settle(layout, rows, walk):  # type: ignore[no-untyped-def]
    """Compute order and ends of a solution anew; False when its sequences wait for each other in a circle."""
    if not order_anew(layout, rows, walk):
        return False
    for v in walk.order:
        walk.end[v] = earliest_end(layout, rows, walk, v)
    return True


@inlined
def order_anew(layout, rows, walk):  # type: ignore[no-untyped-def]
    """Order all operations anew; False when the sequences wait for each other in a circle."""
    count = len(walk.order)
    if topological(layout.job_before, layout.job_after, rows.before, rows.after, walk.order, walk.beside) < count:
        return False
    walk.marked[:] = False
    walk.first[:] = -1
    for k in range(count):
        v = walk.order[k]
        walk.place[v] = k
        if rows.before[v] < 0:
            walk.first[rows.machine[v]] = v
    return True


@inlined
def earliest_end(layout, rows, walk, v):  # type: ignore[no-untyped-def]
    """End of v behind what it waits for."""
    start = layout.release[v]
    w = layout.job_before[v]
    if w >= 0 and walk.end[w] > start:
        start = walk.end[w]
    w = rows.before[v]
    if w >= 0 and walk.end[w] > start:
        start = walk.end[w]
    return start + rows.duration[v]


@inlined
def put(rows, walk, v, x, y):  # type: ignore[no-untyped-def]
    """Put v, which is on no row, between x and y on its machine; either may be -1."""
    rows.before[v], rows.after[v] = x, y
    if x >= 0:
        rows.after[x] = v
    else:
        walk.first[rows.machine[v]] = v
    if y >= 0:
        rows.before[y] = v


@inlined
def take(rows, walk, v):  # type: ignore[no-untyped-def]
    """Take v out of its machine's row."""
    x, y = rows.before[v], rows.after[v]
    if x >= 0:
        rows.after[x] = y
    else:
        walk.first[rows.machine[v]] = y
    if y >= 0:
        rows.before[y] = x


@inlined
def order_behind(layout, rows, walk, u, v):  # type: ignore[no-untyped-def]
    """Order operations so that u, and what waits for u, come behind v on u's machine; False for a circle."""
    order, place, marked = walk.order, walk.place, walk.marked
    low, high = place[u], place[v]
    walk.stretch[FROM], walk.stretch[TO] = low, high
    # The arc from u to what is behind it on its machine goes with the move.
    freed = rows.after[u]
    front, back = low, 0
    for k in range(low, high + 1):
        w = order[k]
        walk.kept_order[k] = w
        x, y = layout.job_before[w], rows.before[w]
        if w == u or (x >= 0 and marked[x]) or (y >= 0 and marked[y] and w != freed):
            marked[w] = True
            walk.beside[back] = w
            back += 1
        else:
            order[front] = w
            place[w] = front
            front += 1
    possible = not marked[v]
    for k in range(back):
        w = walk.beside[k]
        order[front + k] = w
        place[w] = front + k
        marked[w] = False
    return possible


@inlined
def order_ahead(layout, rows, walk, u, v):  # type: ignore[no-untyped-def]
    """Order operations so that v, and what v waits for, come before u on v's machine; False for a circle."""
    order, place, marked = walk.order, walk.place, walk.marked
    low, high = place[u], place[v]
    walk.stretch[FROM], walk.stretch[TO] = low, high
    freed = rows.before[v]
    back, front = high, 0
    for k in range(high, low - 1, -1):
        w = order[k]
        walk.kept_order[k] = w
        x, y = layout.job_after[w], rows.after[w]
        if w == v or (x >= 0 and marked[x]) or (y >= 0 and marked[y] and w != freed):
            marked[w] = True
            walk.beside[front] = w
            front += 1
        else:
            order[back] = w
            place[w] = back
            back -= 1
    possible = not marked[u]
    for k in range(front):
        w = walk.beside[k]
        order[back - k] = w
        place[w] = back - k
        marked[w] = False
    return possible


@inlined
def order_at(walk, v, target):  # type: ignore[no-untyped-def]
    """Put v just before what is at place `target` of the order (n: at its end), where its job leaves it room."""
    order, place = walk.order, walk.place
    here = place[v]
    there = target - 1 if target > here else target
    low, high = min(here, there), max(here, there)
    walk.stretch[FROM], walk.stretch[TO] = low, high
    walk.kept_order[low : high + 1] = order[low : high + 1]
    step = 1 if there > here else -1
    for k in range(here, there, step):
        order[k] = order[k + step]
        place[order[k]] = k
    order[there] = v
    place[v] = there


@inlined
def restore_order(walk):  # type: ignore[no-untyped-def]
    """Take the last change of the order back."""
    for k in range(walk.stretch[FROM], walk.stretch[TO] + 1):
        v = walk.kept_order[k]
        walk.order[k] = v
        walk.place[v] = k


@inlined
def restore_ends(walk):  # type: ignore[no-untyped-def]
    """Take the last change of ends back."""
    for k in range(walk.stretch[CHANGED]):
        walk.end[walk.kept_at[k]] = walk.kept_end[k]


@inlined
def propagate(layout, rows, walk, jobs, until):  # type: ignore[no-untyped-def]
    """New ends from the last move's first place on, at least as far as `until`; returns what the jobs cost more.

    jobs: of `Costs`. What the makespan or the largest tardiness cost is not in it.
    """
    k, changed, more = walk.stretch[FROM], 0, 0
    while k <= until:
        v = walk.order[k]
        k += 1
        end = earliest_end(layout, rows, walk, v)
        old = walk.end[v]
        if end == old:
            continue
        walk.kept_at[changed], walk.kept_end[changed] = v, old
        changed += 1
        walk.end[v] = end
        w = layout.job_after[v]
        if w < 0:
            j = layout.job[v]
            more += cost_of(jobs, j, end) - cost_of(jobs, j, old)
        else:
            until = max(until, walk.place[w])
        w = rows.after[v]
        if w >= 0:
            until = max(until, walk.place[w])
    walk.stretch[CHANGED] = changed
    return more


def copied(rows: Rows) -> Rows:
    """The same solution, apart."""
    return Rows(rows.machine.copy(), rows.duration.copy(), rows.before.copy(), rows.after.copy())
