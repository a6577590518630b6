"""Longest paths in the disjunctive graph: heads, tails, and what a move would make of them.

`head[v]` is the earliest start of v, `tail[v]` the longest path from its end to the end of everything; the
makespan is the largest head + duration + tail. Moving an operation along its machine is judged by the
estimate of Balas and Vazacopoulos (1998), which recomputes only the operations between both places.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import inlined, machine_code

# A number above any makespan, for minima.
FAR = 1 << 60


@inlined
def draw(state, bound):  # type: ignore[no-untyped-def]
    """A number from 0 to bound - 1 by xorshift64 (Marsaglia 2003); `state` [1] uint64, not 0, is advanced."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return np.int64(x >> np.uint64(11)) % bound


@machine_code
def topological(layout, rows, paths):  # type: ignore[no-untyped-def]
    """Fill `order` so that everything comes after what it waits for; returns how many could be ordered."""
    job_before, job_after, before, after = layout.job_before, layout.job_after, rows.before, rows.after
    order, waits = paths.order, paths.waits
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
def evaluate(layout, rows, paths):  # type: ignore[no-untyped-def]
    """Compute heads and tails; returns the makespan, or -1 when the sequences wait for each other in a circle."""
    job_before, job_after, release = layout.job_before, layout.job_after, layout.release
    duration, before, after = rows.duration, rows.before, rows.after
    head, tail, order = paths.head, paths.tail, paths.order
    count = len(duration)
    if topological(layout, rows, paths) < count:
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


@inlined
def ready(v, layout, rows, paths):  # type: ignore[no-untyped-def]
    """Earliest start of v as far as its job is concerned."""
    w = layout.job_before[v]
    return layout.release[v] if w < 0 else paths.head[w] + rows.duration[w]


@inlined
def rest_of_job(v, layout, rows, paths):  # type: ignore[no-untyped-def]
    """Longest path from the end of v through its job."""
    w = layout.job_after[v]
    return 0 if w < 0 else paths.tail[w] + rows.duration[w]


@machine_code
def estimate_later(u, v, layout, rows, paths):  # type: ignore[no-untyped-def]
    """Estimated makespan through the moved operations when u is put right behind v on its machine."""
    duration, after, starts, row = rows.duration, rows.after, paths.times, paths.row
    head, tail = paths.head, paths.tail
    w = rows.before[u]
    end = head[w] + duration[w] if w >= 0 else 0
    length = 0
    w = after[u]
    while True:
        start = max(end, ready(w, layout, rows, paths))
        starts[length] = start
        row[length] = w
        length += 1
        end = start + duration[w]
        if w == v:
            break
        w = after[w]
    start = max(end, ready(u, layout, rows, paths))
    rest = rest_of_job(u, layout, rows, paths)
    w = after[v]
    if w >= 0 and tail[w] + duration[w] > rest:
        rest = tail[w] + duration[w]
    worst = start + duration[u] + rest
    rest += duration[u]
    for k in range(length - 1, -1, -1):
        w = row[k]
        rest = max(rest, rest_of_job(w, layout, rows, paths))
        worst = max(worst, starts[k] + duration[w] + rest)
        rest += duration[w]
    return worst


@machine_code
def estimate_sooner(u, v, layout, rows, paths):  # type: ignore[no-untyped-def]
    """Estimated makespan through the moved operations when v is put right before u on its machine."""
    duration, before, rests, row = rows.duration, rows.before, paths.times, paths.row
    head, tail = paths.head, paths.tail
    w = rows.after[v]
    rest = tail[w] + duration[w] if w >= 0 else 0
    length = 0
    w = before[v]
    while True:
        rest = max(rest, rest_of_job(w, layout, rows, paths))
        rests[length] = rest
        row[length] = w
        length += 1
        rest += duration[w]
        if w == u:
            break
        w = before[w]
    rest = max(rest, rest_of_job(v, layout, rows, paths))
    start = ready(v, layout, rows, paths)
    w = before[u]
    if w >= 0 and head[w] + duration[w] > start:
        start = head[w] + duration[w]
    worst = start + duration[v] + rest
    end = start + duration[v]
    for k in range(length - 1, -1, -1):
        w = row[k]
        start = max(end, ready(w, layout, rows, paths))
        worst = max(worst, start + duration[w] + rests[k])
        end = start + duration[w]
    return worst


@inlined
def unlink(v, rows):  # type: ignore[no-untyped-def]
    """Take v out of its machine's row."""
    before, after = rows.before, rows.after
    x, y = before[v], after[v]
    if x >= 0:
        after[x] = y
    if y >= 0:
        before[y] = x
    before[v] = -1
    after[v] = -1


@inlined
def link(v, x, y, rows):  # type: ignore[no-untyped-def]
    """Put v between x and y (either may be -1)."""
    before, after = rows.before, rows.after
    before[v] = x
    after[v] = y
    if x >= 0:
        after[x] = v
    if y >= 0:
        before[y] = v


@machine_code
def keep(rows, copy):  # type: ignore[no-untyped-def]
    """Write a solution over another one."""
    copy.machine[:], copy.duration[:] = rows.machine, rows.duration
    copy.before[:], copy.after[:] = rows.before, rows.after
