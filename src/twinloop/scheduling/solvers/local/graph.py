"""Longest paths in the disjunctive graph: heads and tails.

`head[v]` is the earliest start of v, `tail[v]` the longest path from its end to the end of everything; the
makespan is the largest head + duration + tail.
"""

import numpy as np

# A number above any makespan, for minima.
from twinloop.scheduling.solvers.jit import machine_code

FAR = 1 << 60


@machine_code
def draw(state, bound):  # type: ignore[no-untyped-def]
    """A number from 0 to bound - 1 by xorshift64 (Marsaglia 2003); `state` [1] uint64, not 0, is advanced."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return np.int64(x >> np.uint64(11)) % bound


@machine_code
def topological(job_before, job_after, before, after, order, waits):  # type: ignore[no-untyped-def]
    """Fill `order` [n] so that everything comes after what it waits for; returns how many could be ordered."""
    count = len(job_before)
    filled = 0
    for v in range(count):
        waits[v] = (job_before[v] >= 0) + (before[v] >= 0)
        if waits[v] == 0:
            order[filled] = v
            filled += 1
    done = 0
    while done < filled:
        v = order[done]
        done += 1
        w = job_after[v]
        if w >= 0:
            waits[w] -= 1
            if waits[w] == 0:
                order[filled] = w
                filled += 1
        w = after[v]
        if w >= 0:
            waits[w] -= 1
            if waits[w] == 0:
                order[filled] = w
                filled += 1
    return filled


@machine_code
def evaluate(duration, release, job_before, job_after, before, after, head, tail, order, waits):  # type: ignore[no-untyped-def]
    """Compute heads and tails; returns the makespan, or -1 when the sequences wait for each other in a circle."""
    count = len(duration)
    if topological(job_before, job_after, before, after, order, waits) < count:
        return -1
    makespan = 0
    for place in range(count):
        v = order[place]
        start = release[v]
        w = job_before[v]
        if w >= 0 and head[w] + duration[w] > start:
            start = head[w] + duration[w]
        w = before[v]
        if w >= 0 and head[w] + duration[w] > start:
            start = head[w] + duration[w]
        head[v] = start
        if start + duration[v] > makespan:
            makespan = start + duration[v]
    for place in range(count - 1, -1, -1):
        v = order[place]
        rest = 0
        w = job_after[v]
        if w >= 0:
            rest = tail[w] + duration[w]
        w = after[v]
        if w >= 0 and tail[w] + duration[w] > rest:
            rest = tail[w] + duration[w]
        tail[v] = rest
    return makespan


@machine_code
def unlink(v, before, after):  # type: ignore[no-untyped-def]
    """Take v out of its machine's row."""
    x, y = before[v], after[v]
    if x >= 0:
        after[x] = y
    if y >= 0:
        before[y] = x
    before[v] = -1
    after[v] = -1


@machine_code
def link(v, x, y, before, after):  # type: ignore[no-untyped-def]
    """Put v between x and y (either may be -1)."""
    before[v] = x
    after[v] = y
    if x >= 0:
        after[x] = v
    if y >= 0:
        before[y] = v
