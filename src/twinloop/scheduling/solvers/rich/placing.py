"""Placing operations one after the other, each as early as all that is placed allows.

Rows of machines are kept in order of time and changed in place, as profiles are; what is placed can be removed
exactly, so that a block joined by no_wait is tried as a whole and moved on until it fits. A material counts as free
only as far as no operation that starts later goes short. Functions marked to be inlined cost less than their call.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import inlined, machine_code
from twinloop.scheduling.solvers.rich.availability import change, free_from, in_open_time, start_for
from twinloop.scheduling.solvers.rich.layout import (
    DURATION,
    END,
    END_MODE,
    END_NEED,
    END_WINDOW,
    FAMILIES,
    FAMILY,
    FAR,
    FIRST,
    FIRST_MODE,
    FIRST_NEED,
    FIRST_ROW,
    FIRST_SETUP,
    FIRST_STEP,
    FIRST_WINDOW,
    FIXED,
    FIXED_END,
    FIXED_START,
    FOR_GOOD,
    JOB,
    LENGTH,
    LINKED,
    MACHINE,
    OPENS,
    PROFILE,
    QUANTITY,
    RESUMABLE,
    STEPS,
    WAIT,
)


@machine_code
def set_up(machines, modes, setups, before, behind):  # type: ignore[no-untyped-def]
    """Set-up time between two modes on the same machine."""
    a, b = modes[before, FAMILY], modes[behind, FAMILY]
    if a < 0 or b < 0:
        return np.int64(0)
    m = modes[behind, MACHINE]
    return setups[machines[m, FIRST_SETUP] + machines[m, FAMILIES] * a + b]


@inlined
def take(layout, state, v, sign):  # type: ignore[no-untyped-def]
    """Take (sign -1) or give back (1) what operation v needs at its times."""
    for k in range(layout.operations[v, FIRST_NEED], layout.operations[v, END_NEED]):
        p = layout.needs[k, PROFILE]
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


@inlined
def put(layout, state, v, mode, place, start, end):  # type: ignore[no-untyped-def]
    """Place operation v at `place` in its machine's row; a milestone has none."""
    if layout.modes[mode, DURATION] > 0:
        m = layout.modes[mode, MACHINE]
        first = layout.machines[m, FIRST_ROW]
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


@inlined
def arrival(layout, state, v, mode, hold):  # type: ignore[no-untyped-def]
    """When operation v can be at a mode's machine, and not before its `hold`."""
    j = layout.operations[v, JOB]
    time = state.job_ready[j]
    if v > layout.jobs[j, FIRST]:
        here, there = layout.modes[state.mode[v - 1], MACHINE], layout.modes[mode, MACHINE]
        time = state.end[v - 1] + layout.transport[here, there]
    return max(time, hold[v])


@inlined
def earliest(layout, state, v, mode, time):  # type: ignore[no-untyped-def]
    """Earliest start from `time` on, end, and place in the row."""
    modes, row, resumable = layout.modes, state.row, layout.operations[v, RESUMABLE]
    m, duration = modes[mode, MACHINE], modes[mode, DURATION]
    behind = state.behind[m]
    first, count = layout.machines[m, FIRST_ROW], state.row_count[m]
    if duration == 0:
        behind, count = np.int64(-1), np.int64(0)
    low, high = np.int64(0), count
    if behind >= 0:
        low = place_of(layout, state, m, state.start[behind])
    while low < high:
        middle = (low + high) >> 1
        if state.end[row[first + middle]] <= time:
            low = middle + 1
        else:
            high = middle
    place = low
    while True:
        if place > 0:
            before = row[first + place - 1]
            ready = state.end[before] + set_up(layout.machines, modes, layout.setups, state.mode[before], mode)
            time = max(time, ready)
        closes = np.int64(FAR)
        if place < count:
            next_one = row[first + place]
            needed = set_up(layout.machines, modes, layout.setups, mode, state.mode[next_one])
            closes = state.start[next_one] - needed
        if time + duration <= closes:
            start, end = available(layout, state, v, mode, time, resumable)
            if end <= closes:
                return start, end, place
        place += 1


@inlined
def available(layout, state, v, mode, time, resumable):  # type: ignore[no-untyped-def]
    """Earliest start from `time` on, and end, as far as windows, pools and materials are concerned."""
    first, last = layout.modes[mode, FIRST_WINDOW], layout.modes[mode, END_WINDOW]
    while True:
        start, end = in_open_time(layout.windows, first, last, time, layout.modes[mode, DURATION], resumable)
        time = start
        for k in range(layout.operations[v, FIRST_NEED], layout.operations[v, END_NEED]):
            p = layout.needs[k, PROFILE]
            until = np.int64(FAR) if layout.profiles[p, FOR_GOOD] else end
            time = free_from(
                state.step_time,
                state.step_level,
                layout.profiles[p, FIRST_STEP],
                state.step_count[p],
                layout.needs[k, QUANTITY],
                start,
                until,
            )
            if time > start:
                break
        if time == start:
            return start, end


@machine_code
def alone_from(layout, state, v):  # type: ignore[no-untyped-def]
    """A time from which on nothing that is placed, and no window or delivery, is in the way of the block at v."""
    last = np.int64(0)
    for w in range(v, v + layout.operations[v, LENGTH]):
        for k in range(layout.operations[w, FIRST_MODE], layout.operations[w, END_MODE]):
            m = layout.modes[k, MACHINE]
            first, count = layout.machines[m, FIRST_ROW], state.row_count[m]
            if count > 0:
                before = state.row[first + count - 1]
                needed = set_up(layout.machines, layout.modes, layout.setups, state.mode[before], k)
                last = max(last, state.end[before] + needed)
            if layout.modes[k, END_WINDOW] > layout.modes[k, FIRST_WINDOW]:
                last = max(last, layout.windows[layout.modes[k, END_WINDOW] - 1, OPENS])
        for k in range(layout.operations[w, FIRST_NEED], layout.operations[w, END_NEED]):
            p = layout.needs[k, PROFILE]
            last = max(last, state.step_time[layout.profiles[p, FIRST_STEP] + state.step_count[p] - 1])
    return last


@machine_code
def head_start(layout, state, v, w, end):  # type: ignore[no-untyped-def]
    """A start of v with which the operations joined from v to w end at `end` or later, the earliest without waits."""
    while True:
        k = state.mode[w]
        first, last = layout.modes[k, FIRST_WINDOW], layout.modes[k, END_WINDOW]
        end = start_for(layout.windows, first, last, end, layout.modes[k, DURATION], layout.operations[w, RESUMABLE])
        if w == v:
            return end
        w -= 1
        end -= layout.transport[layout.modes[state.mode[w], MACHINE], layout.modes[k, MACHINE]]


@machine_code
def fit(layout, state, v, mode, choice, hold, keep):  # type: ignore[no-untyped-def]
    """Earliest start and end of v in `mode`, and end of the block that begins with it.

    choice: [n] mode of the other operations of the block, -1 for any: those that end first, as long as all that
    follows fits. The block is left in place when `keep`. Where it cannot go together at all it is placed as it can
    and left to whoever counts broken rules; when only tried it then ends after everything.
    """
    operations, modes = layout.operations, layout.modes
    length = operations[v, LENGTH]
    behind_it = v + length
    meets = behind_it < layout.jobs[operations[v, JOB], END] and operations[behind_it, LINKED] == 1
    time = arrival(layout, state, v, mode, hold)
    if length == 1 and not meets:
        start, end, place = earliest(layout, state, v, mode, time)
        if keep:
            put(layout, state, v, mode, place, start, end)
        return start, end, end
    offset = operations[v, FIRST_MODE]
    tried = np.zeros(operations[behind_it - 1, END_MODE] - offset, np.bool_)
    joined = True
    while True:
        start, end, place = earliest(layout, state, v, mode, time)
        put(layout, state, v, mode, place, start, end)
        tried[:] = False
        done, late = 1, np.int64(4 * FAR)
        while 0 < done < length:
            w = v + done
            here = modes[state.mode[w - 1], MACHINE]
            low, high = operations[w, FIRST_MODE], operations[w, END_MODE]
            if choice[w] >= 0:
                low, high = choice[w], choice[w] + 1
            best, best_start, best_end, best_place = np.int64(-1), np.int64(0), np.int64(4 * FAR), np.int64(0)
            for k in range(low, high):
                if tried[k - offset]:
                    continue
                move = layout.transport[here, modes[k, MACHINE]]
                due = state.end[w - 1] + move
                s, e, at = earliest(layout, state, w, k, max(due, hold[w]))
                if s > due + operations[w, WAIT] and joined:
                    late = min(late, head_start(layout, state, v, w - 1, s - move - operations[w, WAIT]))
                    tried[k - offset] = True
                elif e < best_end:
                    best, best_start, best_end, best_place = np.int64(k), s, e, at
            if best >= 0:
                tried[best - offset] = True
                put(layout, state, w, best, best_place, best_start, best_end)
                done += 1
            else:
                # The operation before it may fit in another mode too.
                tried[low - offset : high - offset] = False
                done -= 1
                remove(layout, state, v + done)
        if done == length:
            wait = False
            if meets and joined:
                w = behind_it - 1
                here, there = modes[state.mode[w], MACHINE], modes[operations[behind_it, FIXED], MACHINE]
                wanted = operations[behind_it, FIXED_START] - layout.transport[here, there]
                wanted -= operations[behind_it, WAIT]
                wait = state.end[w] < wanted
                if wait:
                    late = head_start(layout, state, v, w, wanted)
            block_end = state.end[behind_it - 1]
            if wait or not keep:
                for w in range(behind_it - 1, v - 1, -1):
                    remove(layout, state, w)
            if not wait:
                if keep or joined:
                    return start, end, block_end
                return start, np.int64(2 * FAR), np.int64(2 * FAR)
        joined = start <= max(alone_from(layout, state, v), hold[v:behind_it].max())
        time = max(start + 1, late)
