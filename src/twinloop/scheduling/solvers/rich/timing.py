"""Times from sequences: every operation as early as its place in its machine's row allows.

All limits are lower bounds on starts that grow with other starts, so that going round until nothing moves gives
the earliest schedule of all with these sequences (the least fixed point; Tarski 1955). Where a plan keeps the
limits it cannot become later. Operations take from pools and materials in the order given, as before. Of pools
whose units vary, and of crews, only the hours are kept: whoever asks checks the plan (`generation.regenerate`).
"""

import numpy as np

from twinloop.scheduling.problem.hours import NEVER
from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.rich.availability import in_open_time, start_for
from twinloop.scheduling.solvers.rich.layout import (
    CAPACITY,
    DURATION,
    END,
    END_FOLLOWER,
    END_NEED,
    END_WINDOW,
    FAMILY,
    FAR,
    FIRST,
    FIRST_FOLLOWER,
    FIRST_NEED,
    FIRST_STEP,
    FIRST_WINDOW,
    FIXED,
    FIXED_END,
    FIXED_START,
    FOR_GOOD,
    INITIAL,
    JOB,
    LEAST,
    LINKED,
    MACHINE,
    PROFILE,
    QUANTITY,
    RELEASE,
    WAIT,
)
from twinloop.scheduling.solvers.rich.setups import prepared_from, set_up

# Rounds beyond the number of operations after which sequences are taken to wait for each other in a circle.
ROUNDS = 100


@machine_code
def supplied(layout, order):  # type: ignore[no-untyped-def]
    """[n] when the materials of every operation are there, if they are used up in this order."""
    times = np.zeros(len(order), np.int64)
    used = np.zeros(len(layout.profiles), np.int64)
    for v in order:
        for k in range(layout.operations[v, FIRST_NEED], layout.operations[v, END_NEED]):
            p = layout.needs[k, PROFILE]
            if layout.profiles[p, FOR_GOOD]:
                used[p] += layout.needs[k, QUANTITY]
                step = layout.profiles[p, FIRST_STEP]
                while layout.step_level[step] < used[p]:
                    step += 1
                times[v] = max(times[v], layout.step_time[step])
    return times


@machine_code
def room(layout, v, held_end, held, held_count, start):  # type: ignore[no-untyped-def]
    """Earliest time from `start` on when so many of the operations before v have ended that its pools suffice."""
    for k in range(layout.operations[v, FIRST_NEED], layout.operations[v, END_NEED]):
        p = layout.needs[k, PROFILE]
        if layout.profiles[p, FOR_GOOD]:
            continue
        first = layout.profiles[p, FIRST_STEP]
        left = layout.profiles[p, CAPACITY] - layout.needs[k, QUANTITY]
        for place in range(first, first + held_count[p]):
            left -= held[place]
            if left < 0:
                start = max(start, held_end[place])
                break
    return start


@machine_code
def hold(layout, v, held_end, held, held_count, end):  # type: ignore[no-untyped-def]
    """Note until when v holds its pools, the latest first; what can never matter is dropped."""
    for k in range(layout.operations[v, FIRST_NEED], layout.operations[v, END_NEED]):
        p = layout.needs[k, PROFILE]
        if layout.profiles[p, FOR_GOOD]:
            continue
        first = layout.profiles[p, FIRST_STEP]
        place = first + held_count[p]
        while place > first and held_end[place - 1] < end:
            held_end[place], held[place] = held_end[place - 1], held[place - 1]
            place -= 1
        held_end[place], held[place] = end, layout.needs[k, QUANTITY]
        held_count[p] += 1
        together = np.int64(0)
        for place in range(first, first + held_count[p]):
            together += held[place]
            if together >= layout.profiles[p, CAPACITY]:
                held_count[p] = place - first + 1
                break


@machine_code
def retime(layout, order, mode, start, end):  # type: ignore[no-untyped-def]
    """Fill start and end [n] for operations taken in `order`, each in its mode; False where that cannot be.

    It cannot where a frozen operation would have to move, or sequences and no_wait go round in a circle.
    """
    operations, modes = layout.operations, layout.modes
    count = len(order)
    material = supplied(layout, order)
    before, needed = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    last, family = np.full(len(layout.machines), -1, np.int64), layout.machines[:, INITIAL].copy()
    for v in order:
        if modes[mode[v], DURATION] > 0:
            m = modes[mode[v], MACHINE]
            before[v] = last[m]
            last[m] = v
            needed[v] = set_up(layout, family[m], mode[v])
            family[m] = modes[mode[v], FAMILY] if modes[mode[v], FAMILY] >= 0 else family[m]
    start[:] = 0
    end[:] = 0
    for v in order:
        if operations[v, FIXED] >= 0 and operations[v, FIXED_START] < 0:
            start[v], end[v] = operations[v, FIXED_START], operations[v, FIXED_END]
    job_ready = np.empty(len(layout.jobs), np.int64)
    held_end, held = np.empty(len(layout.step_time), np.int64), np.empty(len(layout.step_time), np.int64)
    held_count = np.empty(len(layout.profiles), np.int64)
    for _ in range(count + ROUNDS):
        moved = False
        held_count[:] = 0
        job_ready[:] = layout.jobs[:, RELEASE]
        for j in range(len(layout.jobs)):
            for k in range(layout.jobs[j, FIRST_FOLLOWER], layout.jobs[j, END_FOLLOWER]):
                f = layout.followers[k]
                job_ready[f] = max(job_ready[f], end[layout.jobs[j, END] - 1])
        for v in order:
            k, j = mode[v], operations[v, JOB]
            time = max(start[v], material[v])
            if v == layout.jobs[j, FIRST]:
                time = max(time, job_ready[j])
            else:
                move = layout.transport[modes[mode[v - 1], MACHINE], modes[k, MACHINE]]
                time = max(time, end[v - 1] + move)
            free = end[before[v]] if before[v] >= 0 else np.int64(0)
            time = max(time, prepared_from(layout, modes[k, MACHINE], free, needed[v]))
            time = room(layout, v, held_end, held, held_count, time)
            if operations[v, FIXED] >= 0:
                # What has begun before time 0 is a fact.
                if time > operations[v, FIXED_START] >= 0:
                    return False
                time, until = operations[v, FIXED_START], operations[v, FIXED_END]
            else:
                first, windows_end = modes[k, FIRST_WINDOW], modes[k, END_WINDOW]
                time, until = in_open_time(
                    layout.windows, first, windows_end, time, modes[k, DURATION], modes[k, LEAST]
                )
                if until > NEVER:
                    return False
            if time > start[v] or until > end[v]:
                start[v], end[v] = time, until
                moved = True
            hold(layout, v, held_end, held, held_count, until)
            w = v
            while operations[w, LINKED] and w > layout.jobs[j, FIRST]:
                here, there = modes[mode[w - 1], MACHINE], modes[mode[w], MACHINE]
                wanted = start[w] - layout.transport[here, there] - operations[w, WAIT]
                w -= 1
                if end[w] >= wanted:
                    break
                if operations[w, FIXED] >= 0:
                    return False
                first, windows_end = modes[mode[w], FIRST_WINDOW], modes[mode[w], END_WINDOW]
                duration = modes[mode[w], DURATION]
                at = start_for(layout.windows, first, windows_end, wanted, duration, modes[mode[w], LEAST])
                start[w] = max(start[w] + 1, at)
                end[w] = max(end[w], start[w] + duration)
                moved = True
                if start[w] > FAR:
                    return False
        if not moved:
            return True
    return False
