"""Pools, materials and crews: taken and given back exactly, and when all that an operation needs is free at once.

Profiles are changed in place. A material counts as free only as far as no operation that starts later goes short.
Functions marked to be inlined cost less than their call.
"""

import numpy as np

from twinloop.scheduling.problem.hours import NEVER
from twinloop.scheduling.solvers.jit import inlined, machine_code
from twinloop.scheduling.solvers.rich.availability import change, free_from, in_open_time
from twinloop.scheduling.solvers.rich.layout import (
    CLOSES,
    CREW,
    DURATION,
    END_AWAY,
    END_NEED,
    END_SHUT,
    END_WINDOW,
    FAR,
    FIRST_AWAY,
    FIRST_NEED,
    FIRST_SHUT,
    FIRST_STEP,
    FIRST_WINDOW,
    FOR_GOOD,
    LEAST,
    MACHINE,
    OPENS,
    PROFILE,
    QUANTITY,
)


@machine_code
def take_part(layout, state, p, quantity, first_away, end_away, start, end):  # type: ignore[no-untyped-def]
    """Change a profile by the quantity during [start, end), but not while the pool is away."""
    first = layout.profiles[p, FIRST_STEP]
    for k in range(first_away, end_away):
        if layout.windows[k, OPENS] <= start:
            continue
        if layout.windows[k, CLOSES] >= end:
            break
        if layout.windows[k, CLOSES] > start:
            state.step_count[p] = change(
                state.step_time,
                state.step_level,
                first,
                state.step_count[p],
                quantity,
                start,
                layout.windows[k, CLOSES],
            )
        start = layout.windows[k, OPENS]
    if start < end:
        state.step_count[p] = change(
            state.step_time, state.step_level, first, state.step_count[p], quantity, start, end
        )


@machine_code
def free_part(layout, state, p, quantity, first_away, end_away, start, end):  # type: ignore[no-untyped-def]
    """As `free_from`, but what is free while the pool is away does not matter."""
    first, began = layout.profiles[p, FIRST_STEP], start
    for k in range(first_away, end_away):
        if layout.windows[k, OPENS] <= start:
            continue
        if layout.windows[k, CLOSES] >= end:
            break
        if layout.windows[k, CLOSES] > start:
            free = free_from(
                state.step_time,
                state.step_level,
                first,
                state.step_count[p],
                quantity,
                start,
                layout.windows[k, CLOSES],
            )
            if free > start:
                return free
        start = layout.windows[k, OPENS]
    if start < end:
        free = free_from(state.step_time, state.step_level, first, state.step_count[p], quantity, start, end)
        if free > start:
            return free
    return began


@inlined
def take(layout, state, v, sign):  # type: ignore[no-untyped-def]
    """Take (sign -1) or give back (1) what operation v needs at its times, and the crew of its set-up."""
    for k in range(layout.operations[v, FIRST_NEED], layout.operations[v, END_NEED]):
        p = layout.needs[k, PROFILE]
        if layout.needs[k, END_AWAY] > layout.needs[k, FIRST_AWAY]:
            away = layout.needs[k, FIRST_AWAY], layout.needs[k, END_AWAY]
            take_part(layout, state, p, sign * layout.needs[k, QUANTITY], *away, state.start[v], state.end[v])
            continue
        end = np.int64(FAR) if layout.profiles[p, FOR_GOOD] else state.end[v]
        state.step_count[p] = change(
            state.step_time,
            state.step_level,
            layout.profiles[p, FIRST_STEP],
            state.step_count[p],
            sign * layout.needs[k, QUANTITY],
            state.start[v],
            end,
        )
    if state.prepared[v] > 0:
        p = layout.machines[layout.modes[state.mode[v], MACHINE], CREW]
        state.step_count[p] = change(
            state.step_time,
            state.step_level,
            layout.profiles[p, FIRST_STEP],
            state.step_count[p],
            sign,
            state.start[v] - state.prepared[v],
            state.start[v],
        )


@inlined
def available(layout, state, v, mode, time, needed):  # type: ignore[no-untyped-def]
    """Earliest start from `time` on, and end, as far as windows, pools and materials are concerned.

    needed: set-up by a crew, right before the start.
    """
    first, last = layout.modes[mode, FIRST_WINDOW], layout.modes[mode, END_WINDOW]
    duration, least = layout.modes[mode, DURATION], layout.modes[mode, LEAST]
    while True:
        start, end = in_open_time(layout.windows, first, last, time, duration, least)
        time = start
        if needed > 0:
            time = crewed(layout, state, layout.modes[mode, MACHINE], start, needed)
        for k in range(layout.operations[v, FIRST_NEED], layout.operations[v, END_NEED]):
            if time > start:
                break
            p, quantity = layout.needs[k, PROFILE], layout.needs[k, QUANTITY]
            if layout.needs[k, END_AWAY] > layout.needs[k, FIRST_AWAY]:
                away = layout.needs[k, FIRST_AWAY], layout.needs[k, END_AWAY]
                time = free_part(layout, state, p, quantity, *away, start, end)
                continue
            until = np.int64(FAR) if layout.profiles[p, FOR_GOOD] else end
            time = free_from(
                state.step_time,
                state.step_level,
                layout.profiles[p, FIRST_STEP],
                state.step_count[p],
                quantity,
                start,
                until,
            )
        if time == start:
            return start, end


@machine_code
def crewed(layout, state, m, start, needed):  # type: ignore[no-untyped-def]
    """Earliest time from `start` on at which a crew can just have set the machine up."""
    p = layout.machines[m, CREW]
    begin = start - needed
    while begin < NEVER:
        at, _ = in_open_time(
            layout.windows, layout.machines[m, FIRST_SHUT], layout.machines[m, END_SHUT], begin, needed, needed
        )
        free = free_from(
            state.step_time, state.step_level, layout.profiles[p, FIRST_STEP], state.step_count[p], 1, at, at + needed
        )
        if free == at:
            return at + needed
        begin = free
    return np.int64(2 * NEVER)
