"""Ends of jobs as good as the sequences allow, where ending early may cost something and jobs may come after others.

All operations are as early as they can be; then, from the last job to the first, what ends before its due date is moved
right together with everything it pushes, as long as that gains (for one machine Garey, Tarjan and Wilfong 1988, and
exact). Jobs that only gain together are left to `times`, a linear program, which is asked for plans that are kept.
"""

from typing import NamedTuple

import numpy as np

from twinloop.scheduling.solvers.jit import inlined, machine_code
from twinloop.scheduling.solvers.lending import lent
from twinloop.scheduling.solvers.local.arrays import Ints
from twinloop.scheduling.solvers.local.costs import (
    BEHIND,
    DUE,
    EARLY,
    END,
    LAST,
    LATE,
    LATEST,
    cost_of,
    cost_of_most,
    gaining,
)
from twinloop.scheduling.solvers.local.graph import FAR, draw
from twinloop.scheduling.solvers.local.metropolis import BEST, ELSEWHERE, FURTHER, VALUE
from twinloop.scheduling.solvers.local.moves import put, take


class Precedence(NamedTuple):
    """Jobs after jobs: what operation v comes after is ahead[first_ahead[v] … first_ahead[v + 1]], and so behind it."""

    first_ahead: Ints
    ahead: Ints
    first_behind: Ints
    behind: Ints


@inlined
def ordered(layout, precedence, rows, walk):  # type: ignore[no-untyped-def]
    """Fill `walk.order` so that everything comes after what it waits for; False for a circle."""
    order, waits, filled = walk.order, walk.beside, 0
    for v in range(len(order)):
        waits[v] = (layout.job_before[v] >= 0) + (rows.before[v] >= 0)
        waits[v] += precedence.first_ahead[v + 1] - precedence.first_ahead[v]
        if waits[v] == 0:
            order[filled] = v
            filled += 1
    done = 0
    while done < filled:
        v = order[done]
        done += 1
        w = layout.job_after[v]
        if w >= 0:
            waits[w] -= 1
            if waits[w] == 0:
                order[filled] = w
                filled += 1
        w = rows.after[v]
        if w >= 0:
            waits[w] -= 1
            if waits[w] == 0:
                order[filled] = w
                filled += 1
        for k in range(precedence.first_behind[v], precedence.first_behind[v + 1]):
            w = precedence.behind[k]
            waits[w] -= 1
            if waits[w] == 0:
                order[filled] = w
                filled += 1
    return filled == len(order)


@inlined
def set_early(layout, precedence, rows, walk):  # type: ignore[no-untyped-def]
    """The earliest end of everything, in order."""
    end = walk.end
    for v in walk.order:
        start = layout.release[v]
        w = layout.job_before[v]
        if w >= 0 and end[w] > start:
            start = end[w]
        w = rows.before[v]
        if w >= 0 and end[w] > start:
            start = end[w]
        for k in range(precedence.first_ahead[v], precedence.first_ahead[v + 1]):
            start = max(start, end[precedence.ahead[k]])
        end[v] = start + rows.duration[v]


@inlined
def pushed(rows, walk, w, until, size):  # type: ignore[no-untyped-def]
    """Add w to the block, of `size` so far, if it begins at `until`; the new size."""
    if w >= 0 and not walk.marked[w] and walk.end[w] - rows.duration[w] == until:
        walk.marked[w] = True
        walk.kept_order[size] = w
        return size + 1
    return size


@inlined
def gap(rows, walk, w, until, room):  # type: ignore[no-untyped-def]
    """Room that w, if it is not in the block, leaves behind `until`."""
    if w >= 0 and not walk.marked[w]:
        return min(room, walk.end[w] - rows.duration[w] - until)
    return room


@machine_code
def move_right(layout, precedence, costs, rows, walk, last, latest, t):  # type: ignore[no-untyped-def]
    """Move operation t and what it pushes right as far as that gains; last, latest: limits of end and tardiness."""
    jobs, most, end, block = costs.jobs, costs.most, walk.end, walk.kept_order
    due = jobs[layout.job[t], DUE]
    while end[t] < due:
        size, done, gain = pushed(rows, walk, t, end[t] - rows.duration[t], 0), 0, 0
        while done < size:
            v = block[done]
            done += 1
            size = pushed(rows, walk, layout.job_after[v], end[v], size)
            size = pushed(rows, walk, rows.after[v], end[v], size)
            for k in range(precedence.first_behind[v], precedence.first_behind[v + 1]):
                size = pushed(rows, walk, precedence.behind[k], end[v], size)
        room = due - end[t]
        for place in range(size):
            v = block[place]
            room = gap(rows, walk, layout.job_after[v], end[v], room)
            room = gap(rows, walk, rows.after[v], end[v], room)
            for k in range(precedence.first_behind[v], precedence.first_behind[v + 1]):
                room = gap(rows, walk, precedence.behind[k], end[v], room)
            if layout.job_after[v] >= 0:
                continue
            j = layout.job[v]
            gain -= jobs[j, END]
            if end[v] < jobs[j, DUE]:
                gain += jobs[j, EARLY]
                room = min(room, jobs[j, DUE] - end[v])
            else:
                gain -= jobs[j, BEHIND]
                if end[v] == jobs[j, DUE] and jobs[j, LATE] > 0:
                    gain = -FAR
                if most[LATEST] > 0:
                    room = min(room, latest - (end[v] - jobs[j, DUE]))
            if most[LAST] > 0:
                room = min(room, last - end[v])
        for place in range(size):
            walk.marked[block[place]] = False
        if gain <= 0 or room <= 0:
            return
        for place in range(size):
            end[block[place]] += room


@machine_code
def timed(layout, precedence, costs, rows, walk):  # type: ignore[no-untyped-def]
    """Ends of a solution, and what it costs; -1 for one that waits for itself in a circle."""
    if not ordered(layout, precedence, rows, walk):
        return np.int64(-1)
    set_early(layout, precedence, rows, walk)
    jobs, end = costs.jobs, walk.end
    last, latest = np.int64(0), np.int64(0)
    for v in walk.tips:
        last = max(last, end[v])
        latest = max(latest, end[v] - jobs[layout.job[v], DUE])
    walk.marked[:] = False
    for k in range(len(end) - 1, -1, -1):
        v = walk.order[k]
        j = layout.job[v]
        if layout.job_after[v] < 0 and jobs[j, EARLY] > jobs[j, END] and end[v] < jobs[j, DUE]:
            move_right(layout, precedence, costs, rows, walk, last, latest, v)
    total = np.int64(cost_of_most(costs, walk.tips, end))
    for v in walk.tips:
        total += cost_of(jobs, layout.job[v], end[v])
    return total


@inlined
def find_tight(layout, precedence, costs, rows, walk, critical):  # type: ignore[no-untyped-def]
    """Fill `critical` by what holds up jobs that end too late, and what stands behind jobs that end too early."""
    marked, end, jobs = walk.marked, walk.end, costs.jobs
    behind, able, room = 0, 0, len(critical.behind)
    gaining(costs, walk.tips, end, marked)
    for k in range(len(end) - 1, -1, -1):
        v = walk.order[k]
        if not marked[v]:
            continue
        marked[v] = False
        if layout.first_mode[v + 1] - layout.first_mode[v] > 1:
            critical.able[able] = v
            able += 1
        start = end[v] - rows.duration[v]
        w = layout.job_before[v]
        if w >= 0 and end[w] == start:
            marked[w] = True
        for k2 in range(precedence.first_ahead[v], precedence.first_ahead[v + 1]):
            if end[precedence.ahead[k2]] == start:
                marked[precedence.ahead[k2]] = True
        w = rows.before[v]
        if w >= 0 and end[w] == start:
            marked[w] = True
            critical.behind[behind] = v
            behind += 1
    for v in walk.tips:
        j = layout.job[v]
        marked[v] = jobs[j, EARLY] > 0 and end[v] < jobs[j, DUE]
    for v in walk.order:
        if not marked[v]:
            continue
        marked[v] = False
        w = layout.job_after[v]
        if w >= 0 and end[w] - rows.duration[w] == end[v]:
            marked[w] = True
        for k in range(precedence.first_behind[v], precedence.first_behind[v + 1]):
            w = precedence.behind[k]
            if end[w] - rows.duration[w] == end[v]:
                marked[w] = True
        w = rows.after[v]
        if w >= 0 and end[w] - rows.duration[w] == end[v]:
            marked[w] = True
            if behind < room:
                critical.behind[behind] = w
                behind += 1
            if able < room and layout.first_mode[w + 1] - layout.first_mode[w] > 1:
                critical.able[able] = w
                able += 1
    walk.kept_end[:] = end
    critical.counts[0], critical.counts[1] = behind, able


@inlined
def place_near(rows, walk, machine, start, state):  # type: ignore[no-untyped-def]
    """A place in a machine's row near a time: what comes before it there, and behind it."""
    x, y = -1, walk.first[machine]
    while y >= 0 and walk.kept_end[y] - rows.duration[y] < start:
        x, y = y, rows.after[y]
    shift = draw(state, 3)
    if shift == 1 and x >= 0:
        x, y = rows.before[x], x
    if shift == 2 and y >= 0:
        x, y = y, rows.after[y]
    return x, y


@machine_code
def begun(layout, precedence, costs, rows, walk, critical, tally):  # type: ignore[no-untyped-def]
    """Begin at a solution, and keep what it costs; False for one that waits for itself in a circle."""
    layout, precedence, costs, rows, walk = lent(layout), lent(precedence), lent(costs), lent(rows), lent(walk)
    critical.counts[:] = -1
    walk.first[:] = -1
    for v in range(len(walk.end)):
        if rows.before[v] < 0:
            walk.first[rows.machine[v]] = v
    tally[VALUE] = tally[BEST] = timed(layout, precedence, costs, rows, walk)
    return tally[VALUE] >= 0


@machine_code
def anneal_timed(layout, precedence, costs, rows, best_rows, walk, critical, tally, temperature, steps, state):  # type: ignore[no-untyped-def]
    """As `metropolis.anneal`, with every solution timed anew."""
    layout, precedence, costs, rows = lent(layout), lent(precedence), lent(costs), lent(rows)
    best_rows, walk, critical, tally = lent(best_rows), lent(walk), lent(critical), lent(tally)
    for done in range(steps):
        if critical.counts[0] < 0:
            find_tight(layout, precedence, costs, rows, walk, critical)
        behind, able = critical.counts[0], critical.counts[1]
        if behind + able == 0:
            return done
        old_machine, old_duration = -1, np.int64(-1)
        if able > 0 and (behind == 0 or draw(state, ELSEWHERE) == 0):
            moving = critical.able[draw(state, able)]
            mode = layout.first_mode[moving] + draw(state, layout.first_mode[moving + 1] - layout.first_mode[moving])
            if layout.mode_machine[mode] == rows.machine[moving]:
                continue
            old_machine, old_duration = rows.machine[moving], rows.duration[moving]
            start = walk.kept_end[moving] - old_duration
            old_x, old_y = rows.before[moving], rows.after[moving]
            x, y = place_near(rows, walk, layout.mode_machine[mode], start, state)
            take(rows, walk, moving)
            rows.machine[moving], rows.duration[moving] = layout.mode_machine[mode], layout.mode_duration[mode]
        else:
            v = critical.behind[draw(state, behind)]
            u = rows.before[v]
            choice = draw(state, 2 * FURTHER)
            while choice == 0 and rows.before[u] >= 0 and draw(state, 2) == 0:
                u = rows.before[u]
            while choice == 1 and rows.after[v] >= 0 and draw(state, 2) == 0:
                v = rows.after[v]
            if choice == 0:
                moving, x, y = v, rows.before[u], u
            else:
                moving, x, y = u, v, rows.after[v]
            old_x, old_y = rows.before[moving], rows.after[moving]
            take(rows, walk, moving)
        put(rows, walk, moving, x, y)
        value = timed(layout, precedence, costs, rows, walk)
        worse = value - tally[VALUE]
        if value >= 0 and (worse <= 0 or draw(state, 1 << 30) < np.exp(-worse / temperature) * (1 << 30)):
            tally[VALUE] = value
            critical.counts[0] = -1
            if value < tally[BEST]:
                tally[BEST] = value
                best_rows.machine[:], best_rows.duration[:] = rows.machine, rows.duration
                best_rows.before[:], best_rows.after[:] = rows.before, rows.after
        else:
            take(rows, walk, moving)
            if old_machine >= 0:
                rows.machine[moving], rows.duration[moving] = old_machine, old_duration
            put(rows, walk, moving, old_x, old_y)
    return steps
