"""Placing operations one after the other, each as early as all that is placed allows.

A block joined by no_wait is tried as a whole and moved on until it fits. Functions marked to be inlined cost less than
their call.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import inlined, machine_code
from twinloop.scheduling.solvers.rich.availability import start_for
from twinloop.scheduling.solvers.rich.layout import (
    CREW,
    DURATION,
    END,
    END_MODE,
    END_NEED,
    END_WINDOW,
    FAR,
    FIRST,
    FIRST_MODE,
    FIRST_NEED,
    FIRST_ROW,
    FIRST_STEP,
    FIRST_WINDOW,
    FIXED,
    FIXED_START,
    JOB,
    LEAST,
    LENGTH,
    LINKED,
    MACHINE,
    OPENS,
    PROFILE,
    WAIT,
)
from twinloop.scheduling.solvers.rich.needs import available
from twinloop.scheduling.solvers.rich.rows import place_of, put, remove
from twinloop.scheduling.solvers.rich.setups import family_at, leaves_room, prepared_from, set_up


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
    modes, row = layout.modes, state.row
    m, duration = modes[mode, MACHINE], modes[mode, DURATION]
    behind, crew = state.behind[m], layout.machines[m, CREW]
    first, count = layout.machines[m, FIRST_ROW], state.row_count[m]
    if duration == 0:
        behind, count = np.int64(-1), np.int64(0)
    low, high = np.int64(0), count
    if behind >= 0:
        low = place_of(layout, state, m, state.start[behind])
    if crew >= 0:
        # In a gap the set-up of the next operation, for which a crew has been taken, would change.
        low = count
    while low < high:
        middle = (low + high) >> 1
        if state.end[row[first + middle]] <= time:
            low = middle + 1
        else:
            high = middle
    place = low
    while True:
        needed = set_up(layout, family_at(layout, state, m, place), mode)
        ready = state.end[row[first + place - 1]] if place > 0 else np.int64(0)
        time = max(time, ready, prepared_from(layout, m, ready, needed))
        closes = np.int64(FAR)
        if place < count:
            closes = state.start[row[first + place]]
        # Behind the last one there is always a place, also where that one fitted nowhere and ends after everything.
        if place == count or time + duration <= closes:
            start, end = available(layout, state, v, mode, time, needed if crew >= 0 else np.int64(0))
            if place == count or (end <= closes and leaves_room(layout, state, mode, place, end)):
                return start, end, place
        place += 1


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
                needed = set_up(layout, family_at(layout, state, m, count), k)
                last = max(last, prepared_from(layout, m, state.end[before], needed))
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
        end = start_for(layout.windows, first, last, end, layout.modes[k, DURATION], layout.modes[k, LEAST])
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
