"""One machine with heads and tails: the sequence of least makespan by Carlier's branch and bound (1982).

Schrage's rule takes, of what is ready, what has the longest tail. Where the answer is not optimal, one critical
operation must come before or after a known set of others, which gives two smaller problems.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.local.graph import FAR


@machine_code
def schrage(head, duration, tail, sequence, start):  # type: ignore[no-untyped-def]
    """Fill `sequence` and `start` [n] by Schrage's rule; returns the makespan."""
    count = len(head)
    done = np.zeros(count, dtype=np.bool_)
    now, makespan = 0, 0
    for place in range(count):
        soonest = FAR
        for v in range(count):
            if not done[v] and head[v] < soonest:
                soonest = head[v]
        now = max(now, soonest)
        pick = -1
        for v in range(count):
            if not done[v] and head[v] <= now and (pick < 0 or tail[v] > tail[pick]):
                pick = v
        done[pick] = True
        sequence[place] = pick
        start[pick] = now
        now += duration[pick]
        makespan = max(makespan, now + tail[pick])
    return makespan


@machine_code
def preemptive_bound(head, duration, tail):  # type: ignore[no-untyped-def]
    """Makespan when operations may be interrupted (Jackson's preemptive schedule): no sequence is shorter."""
    count = len(head)
    left = duration.copy()
    now, makespan, open_count = 0, 0, count
    while open_count > 0:
        pick, soonest = -1, FAR
        for v in range(count):
            if left[v] == 0:
                continue
            if head[v] <= now:
                if pick < 0 or tail[v] > tail[pick]:
                    pick = v
            elif head[v] < soonest:
                soonest = head[v]
        if pick < 0:
            now = soonest
            continue
        spent = min(left[pick], soonest - now)
        left[pick] -= spent
        now += spent
        if left[pick] == 0:
            open_count -= 1
            makespan = max(makespan, now + tail[pick])
    return makespan


@machine_code
def carlier(head, duration, tail, nodes):  # type: ignore[no-untyped-def]
    """(sequence [n], makespan, proved) of least makespan; after `nodes` subproblems the best so far, not proved."""
    count = len(head)
    best_sequence = np.empty(count, dtype=np.int64)
    sequence, start = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    # A stack of subproblems: their heads, tails and bounds.
    heads, tails = np.empty((nodes + 2, count), dtype=np.int64), np.empty((nodes + 2, count), dtype=np.int64)
    bounds = np.empty(nodes + 2, dtype=np.int64)
    heads[0], tails[0], bounds[0] = head, tail, 0
    best, depth, seen = FAR, 1, 0
    while depth > 0 and seen < nodes:
        depth -= 1
        seen += 1
        if bounds[depth] >= best:
            continue
        r, q = heads[depth].copy(), tails[depth].copy()
        least = max(bounds[depth], preemptive_bound(r, duration, q))
        if least >= best:
            continue
        makespan = schrage(r, duration, q, sequence, start)
        if makespan < best:
            # The sequence is judged with the true heads and tails: branching only restricts the order.
            best = makespan
            best_sequence[:] = sequence
        last = count - 1
        while start[sequence[last]] + duration[sequence[last]] + q[sequence[last]] != makespan:
            last -= 1
        first = last
        while first > 0 and start[sequence[first - 1]] + duration[sequence[first - 1]] == start[sequence[first]]:
            first -= 1
        critical = -1
        for place in range(last - 1, first - 1, -1):
            if q[sequence[place]] < q[sequence[last]]:
                critical = place
                break
        if critical < 0:
            continue  # this subproblem is solved
        c = sequence[critical]
        soonest, work, shortest = FAR, 0, FAR
        for place in range(critical + 1, last + 1):
            v = sequence[place]
            soonest, shortest = min(soonest, r[v]), min(shortest, q[v])
            work += duration[v]
        if depth + 2 > nodes:
            break
        heads[depth], tails[depth], bounds[depth] = r, q, least
        heads[depth, c] = max(r[c], soonest + work)  # behind the set
        heads[depth + 1], tails[depth + 1], bounds[depth + 1] = r, q, least
        tails[depth + 1, c] = max(q[c], work + shortest)  # before the set
        depth += 2
    return best_sequence, best, depth == 0
