"""What a move would make of the makespan, by the estimate of Balas and Vazacopoulos (1998).

Only the operations between both places are timed anew; the ends and rests of all others stay as they are.
"""

from typing import NamedTuple

import numpy as np

from twinloop.scheduling.solvers.jit import inlined
from twinloop.scheduling.solvers.local.arrays import Arrays, Ints, Longs


class Paths(NamedTuple):
    """Longest paths. end: [n + 1] earliest ends; rest: [n + 1] from the start of an operation to the end of everything.

    Both have 0 behind the last operation, which is what -1, no operation, finds there. critical: [n] a critical path,
    at the end of the array. times, between: [n] to work with.
    """

    end: Longs
    rest: Longs
    critical: Ints
    times: Longs
    between: Ints

    @classmethod
    def of(cls, arrays: Arrays) -> "Paths":
        """Room for the solutions of a shop."""
        end, rest = (np.zeros(arrays.count + 1, dtype=np.int64) for _ in range(2))
        critical, between = (np.zeros(arrays.count, dtype=np.int32) for _ in range(2))
        return cls(end, rest, critical, np.zeros(arrays.count, dtype=np.int64), between)


@inlined
def ready(layout, paths, v):  # type: ignore[no-untyped-def]
    """Earliest start of v as far as its job is concerned."""
    return max(layout.release[v], paths.end[layout.job_before[v]])


@inlined
def renew_paths(layout, rows, paths, order, first, last):  # type: ignore[no-untyped-def]
    """New ends from place `first` of the order on, and rests from `last` back.

    Of all of them: to look what has changed would take longer.
    """
    for k in range(first, len(order)):
        v = order[k]
        paths.end[v] = max(ready(layout, paths, v), paths.end[rows.before[v]]) + rows.duration[v]
    for k in range(last, -1, -1):
        v = order[k]
        paths.rest[v] = max(paths.rest[layout.job_after[v]], paths.rest[rows.after[v]]) + rows.duration[v]


@inlined
def estimate_later(layout, rows, paths, u, v, enough):  # type: ignore[no-untyped-def]
    """Estimated makespan through the moved operations when u is put right behind v on its machine.

    From `enough` on some number not below it will do.
    """
    end, length = paths.end[rows.before[u]], 0
    w = rows.after[u]
    while True:
        start = max(end, ready(layout, paths, w))
        paths.times[length], paths.between[length] = start, w
        length += 1
        end = start + rows.duration[w]
        if w == v:
            break
        w = rows.after[w]
    start = max(end, ready(layout, paths, u))
    rest = max(paths.rest[layout.job_after[u]], paths.rest[rows.after[v]]) + rows.duration[u]
    worst = start + rest
    while length > 0 and worst < enough:
        length -= 1
        w = paths.between[length]
        rest = max(rest, paths.rest[layout.job_after[w]]) + rows.duration[w]
        worst = max(worst, paths.times[length] + rest)
    return worst


@inlined
def estimate_sooner(layout, rows, paths, u, v, enough):  # type: ignore[no-untyped-def]
    """Estimated makespan through the moved operations when v is put right before u on its machine.

    From `enough` on some number not below it will do.
    """
    rest, length = paths.rest[rows.after[v]], 0
    w = rows.before[v]
    while True:
        rest = max(rest, paths.rest[layout.job_after[w]]) + rows.duration[w]
        paths.times[length], paths.between[length] = rest, w
        length += 1
        if w == u:
            break
        w = rows.before[w]
    rest = max(rest, paths.rest[layout.job_after[v]]) + rows.duration[v]
    start = max(ready(layout, paths, v), paths.end[rows.before[u]])
    worst = start + rest
    end = start + rows.duration[v]
    while length > 0 and worst < enough:
        length -= 1
        w = paths.between[length]
        start = max(end, ready(layout, paths, w))
        worst = max(worst, start + paths.times[length])
        end = start + rows.duration[w]
    return worst
