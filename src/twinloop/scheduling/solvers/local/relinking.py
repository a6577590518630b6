"""Path relinking: from one good solution part of the way towards another (Peng, Lü and Cheng 2015).

The way is made of swaps of neighbours that the guide has in the other order and, in flexible shops, of moves to the
guide's machine; a swap that would close a circle is left out.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.lending import lent
from twinloop.scheduling.solvers.local.graph import draw, evaluate, link, topological, unlink


@machine_code
def positions(before, after, place):  # type: ignore[no-untyped-def]
    """Write every operation's place in its machine's row, from 0."""
    for v in range(len(before)):
        if before[v] < 0:
            w, k = v, 0
            while w >= 0:
                place[w] = k
                k += 1
                w = after[w]


@machine_code
def distance(machine, place, guide_machine, guide_after):  # type: ignore[no-untyped-def]
    """Pairs on one machine in another order, plus operations on another machine."""
    apart = 0
    for v in range(len(machine)):
        if machine[v] != guide_machine[v]:
            apart += 1
            continue
        w = guide_after[v]
        while w >= 0:
            if machine[w] == machine[v] and place[v] > place[w]:
                apart += 1
            w = guide_after[w]
    return apart


@machine_code
def relink(layout, rows, guide_machine, guide_place, steps, paths, state):  # type: ignore[no-untyped-def]
    """Change the solution in place by up to `steps` steps towards the guide; returns how many were done."""
    layout, rows, paths, state = lent(layout), lent(rows), lent(paths), lent(state)
    machine, duration, before, after = rows.machine, rows.duration, rows.before, rows.after
    head, choice = paths.head, paths.path
    count = len(duration)
    elsewhere = 0
    for v in range(count):
        elsewhere += machine[v] != guide_machine[v]
    done = 0
    # Machines first: orders can only be compared on the same machine.
    moves = steps * elsewhere // max(1, elsewhere + count // 4) if elsewhere > 0 else 0
    while done < moves:
        choices = 0
        for v in range(count):
            if machine[v] != guide_machine[v]:
                choice[choices] = v
                choices += 1
        if choices == 0:
            break
        v = choice[draw(state, choices)]
        evaluate(layout, rows, paths)
        w = layout.job_after[v]
        before_end = head[w] + duration[w] if w >= 0 else np.int64(1) << 60
        w = layout.job_before[v]
        after_start = head[w] if w >= 0 else np.int64(-1)
        x, y = -1, -1
        for w in range(count):
            if machine[w] == guide_machine[v] and before[w] < 0:
                y = w
        # The first place that closes no circle and is not before what the guide has before it.
        while y >= 0 and (
            head[y] <= after_start
            or (
                (guide_machine[y] == guide_machine[v] and guide_place[y] < guide_place[v])
                and head[y] + duration[y] < before_end
            )
        ):
            x, y = y, after[y]
        if x >= 0 and head[x] + duration[x] >= before_end:
            break
        unlink(v, rows)
        machine[v] = guide_machine[v]
        for m in range(layout.first_mode[v], layout.first_mode[v + 1]):
            if layout.mode_machine[m] == machine[v]:
                duration[v] = layout.mode_duration[m]
        link(v, x, y, rows)
        done += 1
    while done < steps:
        choices = 0
        for v in range(count):
            w = after[v]
            if (
                w >= 0
                and machine[v] == guide_machine[v]
                and machine[w] == guide_machine[w]
                and guide_place[v] > guide_place[w]
            ):
                choice[choices] = v
                choices += 1
        swapped = False
        while choices > 0 and not swapped:
            k = draw(state, choices)
            u = choice[k]
            choices -= 1
            choice[k] = choice[choices]
            v = after[u]
            unlink(u, rows)
            link(u, v, after[v], rows)
            swapped = topological(layout, rows, paths) == count
            if not swapped:
                unlink(u, rows)
                link(u, before[v], v, rows)
        if not swapped:
            break
        done += 1
    return done
