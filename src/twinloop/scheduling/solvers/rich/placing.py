"""Placing operations one after the other, each as early as all that is placed allows.

Rows of machines are kept in order of time and changed in place, as profiles are; what is placed can be removed
exactly, so that a block joined by no_wait is tried as a whole and moved on until it fits. A material counts as free
only as far as no operation that starts later goes short. Functions marked to be inlined cost less than their call.
"""

import numpy as np

from twinloop.scheduling.problem.hours import NEVER
from twinloop.scheduling.solvers.jit import inlined, machine_code
from twinloop.scheduling.solvers.rich.availability import change, free_from, in_open_time, start_for
from twinloop.scheduling.solvers.rich.layout import (
    CLOSES,
    CREW,
    DURATION,
    END,
    END_AWAY,
    END_MODE,
    END_NEED,
    END_SHUT,
    END_WINDOW,
    FAMILIES,
    FAMILY,
    FAR,
    FIRST,
    FIRST_AWAY,
    FIRST_MODE,
    FIRST_NEED,
    FIRST_ROW,
    FIRST_SETUP,
    FIRST_SHUT,
    FIRST_STEP,
    FIRST_WINDOW,
    FIXED,
    FIXED_END,
    FIXED_START,
    FOR_GOOD,
    INITIAL,
    JOB,
    LEAST,
    LENGTH,
    LINKED,
    MACHINE,
    OPENS,
    PROFILE,
    QUANTITY,
    STEPS,
    WAIT,
)


@machine_code
def set_up(layout, family, mode):  # type: ignore[no-untyped-def]
    """Set-up time for a mode on its machine while that is set up for a family (-1: for none)."""
    behind = layout.modes[mode, FAMILY]
    if family < 0 or behind < 0:
        return np.int64(0)
    m = layout.modes[mode, MACHINE]
    return layout.setups[layout.machines[m, FIRST_SETUP] + layout.machines[m, FAMILIES] * family + behind]


@machine_code
def family_at(layout, state, m, place):  # type: ignore[no-untyped-def]
    """The family that a machine is set up for behind the first `place` operations of its row."""
    if layout.machines[m, FAMILIES] == 0:
        return np.int64(-1)
    first = layout.machines[m, FIRST_ROW]
    for k in range(first + place - 1, first - 1, -1):
        family = layout.modes[state.mode[state.row[k]], FAMILY]
        if family >= 0:
            return family
    return layout.machines[m, INITIAL]


@machine_code
def prepared_from(layout, m, time, needed):  # type: ignore[no-untyped-def]
    """When a machine that is free from `time` on can have been set up, as far as open time is concerned."""
    if needed == 0:
        return time
    _, done = in_open_time(
        layout.windows, layout.machines[m, FIRST_SHUT], layout.machines[m, END_SHUT], time, needed, needed
    )
    return done


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
def leaves_room(layout, state, mode, place, end):  # type: ignore[no-untyped-def]
    """Whether all behind `place` can still be set up in time when `mode` is put there and ends at `end`."""
    m = layout.modes[mode, MACHINE]
    if layout.machines[m, FAMILIES] == 0:
        return True
    first, own = layout.machines[m, FIRST_ROW], layout.modes[mode, FAMILY]
    family = own if own >= 0 else family_at(layout, state, m, place)
    ready = end
    for k in range(first + place, first + state.row_count[m]):
        v = state.row[k]
        needed = set_up(layout, family, state.mode[v])
        if needed > 0 and prepared_from(layout, m, ready, needed) > state.start[v]:
            return False
        if own < 0 or layout.modes[state.mode[v], FAMILY] >= 0:
            return True
        ready = state.end[v]
    return True


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
