"""Two ways to generate a schedule: operation by operation in a given order, or machine by machine by a rule.

The serial scheme places blocks in the order of their keys as far as precedence allows, in gaps too when `insert`.
The parallel one makes parametrised active schedules (Giffler and Thompson 1960; Bierwirth and Mattfeld 1999).
What a frozen operation waits for is placed before all else, the most urgent first.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.lending import lent
from twinloop.scheduling.solvers.rich.layout import (
    DEADLINE,
    DURATION,
    END,
    END_FOLLOWER,
    END_MODE,
    END_NEED,
    FAR,
    FIRST,
    FIRST_FOLLOWER,
    FIRST_MODE,
    FIRST_NEED,
    FIXED,
    JOB,
    LENGTH,
    MACHINE,
    PROFILE,
    RELEASE,
    WAITS,
)
from twinloop.scheduling.solvers.rich.placing import fit
from twinloop.scheduling.solvers.rich.priorities import priority
from twinloop.scheduling.solvers.rich.rows import begin, place_of
from twinloop.scheduling.solvers.rich.setups import family_at, set_up

# What `fit` is told. Of a numpy type, here and below: numba would compile once more for each Python constant.
TRIED, KEPT = np.bool_(False), np.bool_(True)
# Jobs that the parallel scheme looks at in any case, the first to arrive.
LOOK = 256


@machine_code
def prepare(layout, state):  # type: ignore[no-untyped-def]
    """Begin a schedule: nothing is placed but what is frozen."""
    begin(layout, state)
    state.behind[:] = -1
    state.job_next[:] = -1
    state.job_ready[:] = layout.jobs[:, RELEASE]
    state.job_waits[:] = layout.jobs[:, WAITS]
    for j in range(len(layout.jobs)):
        if layout.jobs[j, WAITS] == 0:
            proceed(layout, state, j, layout.jobs[j, FIRST])


@machine_code
def proceed(layout, state, j, v):  # type: ignore[no-untyped-def]
    """Move job j on to operation v, past frozen ones; a finished job sets those after it going."""
    if past_frozen(layout, state, j, v) or layout.jobs[j, FIRST_FOLLOWER] == layout.jobs[j, END_FOLLOWER]:
        return
    finished = [j]
    while len(finished) > 0:
        j = finished.pop()
        for k in range(layout.jobs[j, FIRST_FOLLOWER], layout.jobs[j, END_FOLLOWER]):
            f = layout.followers[k]
            state.job_ready[f] = max(state.job_ready[f], state.end[layout.jobs[j, END] - 1])
            state.job_waits[f] -= 1
            if state.job_waits[f] == 0 and not past_frozen(layout, state, f, layout.jobs[f, FIRST]):
                finished.append(f)


@machine_code
def past_frozen(layout, state, j, v):  # type: ignore[no-untyped-def]
    """Move job j on to operation v or the first behind it that is not frozen; whether there is one."""
    while v < layout.jobs[j, END] and layout.operations[v, FIXED] >= 0:
        v += 1
    state.job_next[j] = v
    return v < layout.jobs[j, END]


@machine_code
def waiting(layout, state, j):  # type: ignore[no-untyped-def]
    """Whether job j has a next block."""
    return 0 <= state.job_next[j] < layout.jobs[j, END]


@machine_code
def any_frozen(layout):  # type: ignore[no-untyped-def]
    """Whether some operation is frozen."""
    return layout.operations[:, FIXED].max() >= 0


@machine_code
def set_going(layout, state, j, everywhere, known, going):  # type: ignore[no-untyped-def]
    """Note the jobs that the end of job j has set going, `going` [jobs], and mark them known; returns how many.

    They are among those after it, or `everywhere` where jobs in between may be frozen throughout.
    """
    first, end = layout.jobs[j, FIRST_FOLLOWER], layout.jobs[j, END_FOLLOWER]
    count = 0
    if first < end and everywhere:
        for f in range(len(layout.jobs)):
            if not known[f] and waiting(layout, state, f):
                known[f], going[count] = True, f
                count += 1
    elif first < end:
        for k in range(first, end):
            f = layout.followers[k]
            if not known[f] and waiting(layout, state, f):
                known[f], going[count] = True, f
                count += 1
    return count


@machine_code
def place_best(layout, state, v, choice, hold):  # type: ignore[no-untyped-def]
    """Place the block at v in its chosen mode, or in the one in which it ends first, and move its job on."""
    mode = choice[v]
    if mode < 0:
        low, high, least = layout.operations[v, FIRST_MODE], layout.operations[v, END_MODE], np.int64(4 * FAR)
        mode = low
        if high - low > 1:
            for k in range(low, high):
                _, _, block_end = fit(layout, state, v, k, choice, hold, TRIED)
                if block_end < least:
                    mode, least = k, block_end
    fit(layout, state, v, mode, choice, hold, KEPT)
    proceed(layout, state, layout.operations[v, JOB], v + layout.operations[v, LENGTH])


@machine_code
def serial(layout, state, key, choice, hold, insert):  # type: ignore[no-untyped-def]
    """Place all blocks, the least `key` [n] of a possible one first; ties go to the job that is listed first.

    choice: [n] mode, or -1 for the one that ends first. hold: [n] time before which an operation must not start.
    insert: whether an operation may be put into a gap; otherwise it stays behind what its machine got before.
    """
    layout, state, key, choice, hold = lent(layout), lent(state), lent(key), lent(choice), lent(hold)
    prepare(layout, state)
    jobs = len(layout.jobs)
    heap, size = np.empty(jobs, np.int64), np.int64(0)
    queued, going, everywhere = np.zeros(jobs, np.bool_), np.empty(jobs, np.int64), any_frozen(layout)
    for j in range(jobs):
        if waiting(layout, state, j):
            size = push(heap, size, state.job_next[j], layout.operations, key)
            queued[j] = True
    while size > 0:
        v = heap[0]
        size = pop(heap, size, layout.operations, key)
        j = layout.operations[v, JOB]
        place_best(layout, state, v, choice, hold)
        if not insert and layout.operations[v, DEADLINE] == FAR:
            for w in range(v, v + layout.operations[v, LENGTH]):
                if layout.modes[state.mode[w], DURATION] > 0:
                    state.behind[layout.modes[state.mode[w], MACHINE]] = w
        if waiting(layout, state, j):
            size = push(heap, size, state.job_next[j], layout.operations, key)
        else:
            for k in range(set_going(layout, state, j, everywhere, queued, going)):
                size = push(heap, size, state.job_next[going[k]], layout.operations, key)


@machine_code
def sooner(v, w, operations, key):  # type: ignore[no-untyped-def]
    """Whether block v comes before block w: by deadline, then key, then number."""
    if operations[v, DEADLINE] != operations[w, DEADLINE]:
        return operations[v, DEADLINE] < operations[w, DEADLINE]
    return key[v] < key[w] or (key[v] == key[w] and v < w)


@machine_code
def push(heap, size, v, operations, key):  # type: ignore[no-untyped-def]
    """Add block v to a heap; returns the new size."""
    k = size
    while k > 0 and sooner(v, heap[(k - 1) >> 1], operations, key):
        heap[k] = heap[(k - 1) >> 1]
        k = (k - 1) >> 1
    heap[k] = v
    return size + 1


@machine_code
def pop(heap, size, operations, key):  # type: ignore[no-untyped-def]
    """Drop the first block of a heap; returns the new size."""
    size -= 1
    v, k = heap[size], 0
    while 2 * k + 1 < size:
        child = 2 * k + 1
        if child + 1 < size and sooner(heap[child + 1], heap[child], operations, key):
            child += 1
        if not sooner(heap[child], v, operations, key):
            break
        heap[k] = heap[child]
        k = child
    heap[k] = v
    return size


@machine_code
def affected(layout, v, mode, computed, changed):  # type: ignore[no-untyped-def]
    """Whether a machine that the block at v, begun in `mode`, could use has got more work since it was `computed`."""
    if changed[layout.modes[mode, MACHINE]] > computed:
        return True
    for w in range(v + 1, v + layout.operations[v, LENGTH]):
        for k in range(layout.operations[w, FIRST_MODE], layout.operations[w, END_MODE]):
            if changed[layout.modes[k, MACHINE]] > computed:
                return True
    return False


@machine_code
def outdated(layout, v, computed, taken):  # type: ignore[no-untyped-def]
    """Whether a pool or material that the block at v needs has been taken from since it was `computed`."""
    for w in range(v, v + layout.operations[v, LENGTH]):
        for k in range(layout.operations[w, FIRST_NEED], layout.operations[w, END_NEED]):
            if taken[layout.needs[k, PROFILE]] > computed:
                return True
    return False


@machine_code
def parallel(layout, state, rule, delay, mean_duration, mean_set_up):  # type: ignore[no-untyped-def]
    """Generate by a rule. Of all next blocks the machine that could finish one first is taken, and there the one of
    least priority value among those that start soon enough; delay 0 gives non-delay, 1 active schedules.

    Earliest starts are remembered: they are found anew where the machine's row has changed, and where only pools
    or materials are fewer, which moves nothing forward, not before they decide. A job that cannot be there in time for
    the next decision is not looked at, once `LOOK` others are: so a long plan costs no more for each operation.
    Returns how many jobs were looked at in all decisions together.
    """
    layout, state = lent(layout), lent(state)
    operations, modes, at, behind = layout.operations, layout.modes, state.job_next, state.behind
    jobs, machines = len(layout.jobs), len(layout.machines)
    free, hold = np.full(len(operations), -1, np.int64), np.zeros(len(operations), np.int64)
    prepare(layout, state)
    while True:
        v = np.int64(-1)
        for j in range(jobs):
            if waiting(layout, state, j):
                deadline = operations[at[j], DEADLINE]
                if deadline < (FAR if v < 0 else operations[v, DEADLINE]):
                    v = at[j]
        if v < 0:
            break
        place_best(layout, state, v, free, hold)
    start, end = np.empty(len(modes), np.int64), np.empty(len(modes), np.int64)
    computed = np.full(len(modes), -1, np.int64)
    changed, taken = np.zeros(machines, np.int64), np.zeros(len(layout.profiles), np.int64)
    chosen = np.empty(jobs, np.int64)
    finish, queue = np.empty(machines, np.int64), np.empty(machines, np.int64)
    needed = np.zeros(jobs, np.int64)
    # Jobs that are looked at, in their order, and those that come later, by when their next block can be there.
    running, size = np.empty(jobs, np.int64), 0
    coming, later, arrives = np.empty(jobs, np.int64), np.int64(0), np.zeros(len(operations))
    known, going, everywhere = np.zeros(jobs, np.bool_), np.empty(jobs, np.int64), any_frozen(layout)
    longest_set_up = layout.setups.max() if len(layout.setups) > 0 else np.int64(0)
    for j in range(jobs):
        if waiting(layout, state, j):
            known[j] = True
            arrives[at[j]] = arrival_of(layout, state, j)
            later = push(coming, later, at[j], operations, arrives)
    now, looks = 0, 0
    while size + later > 0:
        now += 1
        while later > 0 and size < LOOK:
            size = look_at(running, size, operations[coming[0], JOB])
            later = pop(coming, later, operations, arrives)
        while True:
            looks += size
            finish[:] = 4 * FAR
            queue[:] = 0
            for place in range(size):
                j = running[place]
                v = at[j]
                best, least = np.int64(-1), np.int64(4 * FAR)
                for k in range(operations[v, FIRST_MODE], operations[v, END_MODE]):
                    if computed[k] < 0 or affected(layout, v, k, computed[k], changed):
                        start[k], end[k], _ = fit(layout, state, v, k, free, hold, TRIED)
                        computed[k] = now
                    if end[k] < least:
                        best, least = np.int64(k), end[k]
                chosen[j] = best
                m = modes[best, MACHINE]
                finish[m] = min(finish[m], least)
                queue[m] += modes[best, DURATION]
            # The first machine, in the order in which jobs name them, that finishes first.
            busy, least = np.int64(-1), np.int64(4 * FAR)
            for place in range(size):
                m = modes[chosen[running[place]], MACHINE]
                if finish[m] < least:
                    busy, least = m, finish[m]
            fresh = True
            while later > 0 and arrives[coming[0]] - longest_set_up <= least:
                size = look_at(running, size, operations[coming[0], JOB])
                later = pop(coming, later, operations, arrives)
                fresh = False
            for place in range(size if fresh else 0):
                j = running[place]
                v = at[j]
                if modes[chosen[j], MACHINE] == busy and outdated(layout, v, computed[chosen[j]], taken):
                    for k in range(operations[v, FIRST_MODE], operations[v, END_MODE]):
                        if outdated(layout, v, computed[k], taken):
                            fresh = False
                            computed[k] = -1
            if fresh:
                break
        # A machine decides when it begins to work or to be set up.
        soonest = np.int64(4 * FAR)
        for place in range(size):
            k = chosen[running[place]]
            if modes[k, MACHINE] == busy:
                needed[place] = 0
                if behind[busy] >= 0:
                    done = place_of(layout, state, busy, state.start[behind[busy]])
                    needed[place] = set_up(layout, family_at(layout, state, busy, done), k)
                soonest = min(soonest, start[k] - needed[place])
        limit = soonest + delay * (least - soonest)
        pick, lowest = -1, np.inf
        for place in range(size):
            j = running[place]
            k = chosen[j]
            begins = start[k] - needed[place]
            if modes[k, MACHINE] != busy or (begins > soonest and begins >= limit):
                continue
            value = priority(layout, state, rule, at[j], k, soonest, needed[place], queue, mean_duration, mean_set_up)
            if pick < 0 or value < lowest:
                pick, lowest = place, value
        j = running[pick]
        v, k = at[j], chosen[j]
        fit(layout, state, v, k, free, hold, KEPT)
        for w in range(v, v + operations[v, LENGTH]):
            if modes[state.mode[w], DURATION] > 0:
                m = modes[state.mode[w], MACHINE]
                behind[m] = w
                changed[m] = now + 1
            for need in range(operations[w, FIRST_NEED], operations[w, END_NEED]):
                taken[layout.needs[need, PROFILE]] = now + 1
        proceed(layout, state, j, v + operations[v, LENGTH])
        if waiting(layout, state, j):
            arrives[at[j]] = arrival_of(layout, state, j)
            if size <= LOOK or arrives[at[j]] - longest_set_up <= least:
                continue
            later = push(coming, later, at[j], operations, arrives)
        size -= 1
        for place in range(pick, size):
            running[place] = running[place + 1]
        if not waiting(layout, state, j):
            for k in range(set_going(layout, state, j, everywhere, known, going)):
                f = going[k]
                arrives[at[f]] = arrival_of(layout, state, f)
                later = push(coming, later, at[f], operations, arrives)
    return looks


@machine_code
def arrival_of(layout, state, j):  # type: ignore[no-untyped-def]
    """A time before which the next block of job j cannot begin: when its job has got so far."""
    v = state.job_next[j]
    return float(state.job_ready[j] if v == layout.jobs[j, FIRST] else state.end[v - 1])


@machine_code
def look_at(running, size, j):  # type: ignore[no-untyped-def]
    """Put job j among those that are looked at, in the order of jobs; returns how many they are."""
    place = size
    while place > 0 and running[place - 1] > j:
        running[place] = running[place - 1]
        place -= 1
    running[place] = j
    return size + 1
