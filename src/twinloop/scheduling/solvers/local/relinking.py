"""Path relinking: from one good solution part of the way towards another (Peng, Lü and Cheng 2015).

The way is made of swaps of neighbours that the guide has in the other order and, in flexible shops, of moves to the
guide's machine; a swap that would close a circle is left out.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
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
    found = 0
    for v in range(len(machine)):
        if machine[v] != guide_machine[v]:
            found += 1
            continue
        w = guide_after[v]
        while w >= 0:
            if machine[w] == machine[v] and place[v] > place[w]:
                found += 1
            w = guide_after[w]
    return found


@machine_code
def relink(layout, rows, guide_machine, guide_place, steps, state):  # type: ignore[no-untyped-def]
    """Change the solution in place by up to `steps` steps towards the guide; returns how many were done."""
    _, job_before, job_after, release, first_mode, mode_machine, mode_duration = layout
    machine, duration, before, after = rows
    count = len(duration)
    head, tail = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    order, waits = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    choice = np.empty(count, dtype=np.int32)
    elsewhere = 0
    for v in range(count):
        elsewhere += machine[v] != guide_machine[v]
    done = 0
    # Machines first: orders can only be compared on the same machine.
    moves = steps * elsewhere // max(1, elsewhere + count // 4) if elsewhere > 0 else 0
    while done < moves:
        found = 0
        for v in range(count):
            if machine[v] != guide_machine[v]:
                choice[found] = v
                found += 1
        if found == 0:
            break
        v = choice[draw(state, found)]
        evaluate(duration, release, job_before, job_after, before, after, head, tail, order, waits)
        w = job_after[v]
        before_end = head[w] + duration[w] if w >= 0 else np.int64(1) << 60
        w = job_before[v]
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
        unlink(v, before, after)
        machine[v] = guide_machine[v]
        for m in range(first_mode[v], first_mode[v + 1]):
            if mode_machine[m] == machine[v]:
                duration[v] = mode_duration[m]
        link(v, x, y, before, after)
        done += 1
    while done < steps:
        found = 0
        for v in range(count):
            w = after[v]
            if (
                w >= 0
                and machine[v] == guide_machine[v]
                and machine[w] == guide_machine[w]
                and guide_place[v] > guide_place[w]
            ):
                choice[found] = v
                found += 1
        swapped = False
        while found > 0 and not swapped:
            k = draw(state, found)
            u = choice[k]
            found -= 1
            choice[k] = choice[found]
            v = after[u]
            unlink(u, before, after)
            link(u, v, after[v], before, after)
            swapped = topological(job_before, job_after, before, after, order, waits) == count
            if not swapped:
                unlink(u, before, after)
                link(u, before[v], v, before, after)
        if not swapped:
            break
        done += 1
    return done
