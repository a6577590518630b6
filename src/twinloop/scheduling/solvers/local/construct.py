"""First solutions: a compiled schedule generator with randomised priorities (Giffler and Thompson 1960).

Each step takes the machine that could finish an operation first, and there the operation with the highest
priority among those that could start soon enough; where an operation has several machines, the one that would
finish it first.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.local.graph import FAR, draw

MOST_WORK, LEAST_TIME, MOST_TIME = 0, 1, 2


@machine_code
def construct(layout, machines, rule, delay, noise, state):  # type: ignore[no-untyped-def]
    """Machine, operation before and after of a new solution.

    rule: MOST_WORK, LEAST_TIME or MOST_TIME. delay: 0 non-delay … 1 active. noise: relative width of the random
    factor on priorities, 0 for none.
    """
    _, job_before, job_after, release, first_mode, mode_machine, mode_duration = layout
    count = len(job_before)
    remaining = np.zeros(count, dtype=np.int64)
    for v in range(count - 1, -1, -1):
        shortest = mode_duration[first_mode[v]]
        for m in range(first_mode[v] + 1, first_mode[v + 1]):
            shortest = min(shortest, mode_duration[m])
        remaining[v] = shortest + (remaining[job_after[v]] if job_after[v] >= 0 else 0)
    ready = np.zeros(count, dtype=np.int64)
    waiting = np.empty(count, dtype=np.int32)
    open_count = 0
    for v in range(count):
        if job_before[v] < 0:
            ready[v] = release[v]
            waiting[open_count] = v
            open_count += 1
    free = np.zeros(machines, dtype=np.int64)
    last = np.full(machines, -1, dtype=np.int32)
    machine = np.full(count, -1, dtype=np.int32)
    before, after = np.full(count, -1, dtype=np.int32), np.full(count, -1, dtype=np.int32)
    chosen = np.empty(count, dtype=np.int32)
    while open_count > 0:
        first_end, busy = FAR, -1
        for place in range(open_count):
            v = waiting[place]
            best = FAR
            for m in range(first_mode[v], first_mode[v + 1]):
                end = max(ready[v], free[mode_machine[m]]) + mode_duration[m]
                if end < best:
                    best = end
                    chosen[v] = m
            if best < first_end:
                first_end, busy = best, mode_machine[chosen[v]]
        soonest = FAR
        for place in range(open_count):
            v = waiting[place]
            if mode_machine[chosen[v]] == busy:
                soonest = min(soonest, max(ready[v], free[busy]))
        limit = soonest + delay * (first_end - soonest)
        pick, highest = -1, -np.inf
        for place in range(open_count):
            v = waiting[place]
            if mode_machine[chosen[v]] != busy:
                continue
            start = max(ready[v], free[busy])
            if start > soonest and start >= limit:
                continue
            if rule == MOST_WORK:
                priority = float(remaining[v])
            elif rule == LEAST_TIME:
                priority = 1.0 / mode_duration[chosen[v]]
            else:
                priority = float(mode_duration[chosen[v]])
            if noise > 0:
                priority *= 1 + noise * (draw(state, 1000) / 1000.0 - 0.5)
            if priority > highest:
                highest, pick = priority, place
        v = waiting[pick]
        end = max(ready[v], free[busy]) + mode_duration[chosen[v]]
        free[busy] = end
        machine[v] = busy
        before[v] = last[busy]
        if last[busy] >= 0:
            after[last[busy]] = v
        last[busy] = v
        w = job_after[v]
        if w >= 0:
            ready[w] = end
            waiting[pick] = w
        else:
            open_count -= 1
            waiting[pick] = waiting[open_count]
    return machine, before, after
