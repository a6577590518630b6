"""Rows of machines, in order of time and changed in place: what is put there can be removed exactly."""

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.rich.layout import (
    CREW,
    DURATION,
    FIRST_ROW,
    FIXED,
    FIXED_END,
    FIXED_START,
    MACHINE,
    STEPS,
)
from twinloop.scheduling.solvers.rich.needs import take
from twinloop.scheduling.solvers.rich.setups import family_at, set_up


@machine_code
def put(layout, state, v, mode, place, start, end):  # type: ignore[no-untyped-def]
    """Place operation v at `place` in its machine's row; a milestone has none."""
    state.prepared[v] = 0
    if layout.modes[mode, DURATION] > 0:
        m = layout.modes[mode, MACHINE]
        first = layout.machines[m, FIRST_ROW]
        if layout.machines[m, CREW] >= 0 and layout.operations[v, FIXED] < 0:
            state.prepared[v] = set_up(layout, family_at(layout, state, m, place), mode)
        for k in range(first + state.row_count[m], first + place, -1):
            state.row[k] = state.row[k - 1]
        state.row[first + place] = v
        state.row_count[m] += 1
    state.mode[v], state.start[v], state.end[v] = mode, start, end
    take(layout, state, v, np.int64(-1))


@machine_code
def remove(layout, state, v):  # type: ignore[no-untyped-def]
    """Undo `put`."""
    take(layout, state, v, np.int64(1))
    if layout.modes[state.mode[v], DURATION] > 0:
        m = layout.modes[state.mode[v], MACHINE]
        first = layout.machines[m, FIRST_ROW]
        place = place_of(layout, state, m, state.start[v]) - 1
        state.row_count[m] -= 1
        for k in range(first + place, first + state.row_count[m]):
            state.row[k] = state.row[k + 1]
    state.mode[v] = -1


@machine_code
def place_of(layout, state, m, time):  # type: ignore[no-untyped-def]
    """How many operations in a machine's row start at `time` or before."""
    first = layout.machines[m, FIRST_ROW]
    low, high = first, first + state.row_count[m]
    while low < high:
        middle = (low + high) >> 1
        if state.start[state.row[middle]] <= time:
            low = middle + 1
        else:
            high = middle
    return low - first


@machine_code
def begin(layout, state):  # type: ignore[no-untyped-def]
    """An empty schedule but for the frozen operations."""
    state.mode[:] = -1
    state.row_count[:] = 0
    state.step_time[:] = layout.step_time
    state.step_level[:] = layout.step_level
    state.step_count[:] = layout.profiles[:, STEPS]
    for v in range(len(layout.operations)):
        mode = layout.operations[v, FIXED]
        if mode >= 0:
            start = layout.operations[v, FIXED_START]
            place = place_of(layout, state, layout.modes[mode, MACHINE], start)
            put(layout, state, v, mode, place, start, layout.operations[v, FIXED_END])
    # What frozen operations need of crews shows when all of them are there.
    for m in range(len(layout.machines)):
        if layout.machines[m, CREW] >= 0:
            first = layout.machines[m, FIRST_ROW]
            for place in range(state.row_count[m]):
                v = state.row[first + place]
                take(layout, state, v, np.int64(1))
                if state.start[v] >= 0:
                    state.prepared[v] = set_up(layout, family_at(layout, state, m, place), state.mode[v])
                take(layout, state, v, np.int64(-1))
