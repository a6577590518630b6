"""When something is free: open time between closed windows, and profiles of pools and materials.

Both lie in flat tables, rows in order of time, and are searched by halving. A profile is a step function of what is
free; its steps are joined where they are equal, so that giving back undoes taking exactly.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.rich.layout import CLOSES, FAR, OPENS


@machine_code
def in_open_time(windows, first, last, start, duration, least):  # type: ignore[no-untyped-def]
    """Earliest start, not before `start`, and end of work that runs at least `least` before a pause.

    Work that cannot pause has a `least` of its duration.
    """
    low, high = first, last
    while low < high:
        middle = (low + high) >> 1
        if windows[middle, OPENS] > start:
            high = middle
        else:
            low = middle + 1
    while low < last and windows[low, CLOSES] < start + least:
        start = windows[low, OPENS]
        low += 1
    time, left = start, duration
    while low < last and windows[low, CLOSES] < time + left:
        if windows[low, CLOSES] - time >= least:
            left -= windows[low, CLOSES] - time
        time = windows[low, OPENS]
        low += 1
    return start, time + left


@machine_code
def start_for(windows, first, last, end, duration, least):  # type: ignore[no-untyped-def]
    """A start that no start ending at `end` or later precedes."""
    if least < duration:
        low, high = first, last
        while low < high:
            middle = (low + high) >> 1
            if windows[middle, CLOSES] < end:
                low = middle + 1
            else:
                high = middle
        finishes = True
        for k in range(low - 1, first - 1, -1):
            if windows[k, OPENS] < end:
                room = end - windows[k, OPENS]
                if room >= duration:
                    break
                if finishes or room >= least:
                    duration -= room
            finishes = False
            end = windows[k, CLOSES]
    return end - duration


@machine_code
def step_at(step_time, first, count, time):  # type: ignore[no-untyped-def]
    """The last step that begins at `time` or before."""
    low, high = first, first + count
    while low < high:
        middle = (low + high) >> 1
        if step_time[middle] <= time:
            low = middle + 1
        else:
            high = middle
    return low - 1


@machine_code
def free_from(step_time, step_level, first, count, quantity, start, end):  # type: ignore[no-untyped-def]
    """`start` when `quantity` is free during [start, end), else the end of the last step with less."""
    k = first + count - 1 if end >= FAR else step_at(step_time, first, count, end - 1)
    while True:
        if step_level[k] < quantity:
            return step_time[k + 1] if k + 1 < first + count else np.int64(FAR)
        if step_time[k] <= start:
            return start
        k -= 1


@machine_code
def change(step_time, step_level, first, count, quantity, start, end):  # type: ignore[no-untyped-def]
    """Add `quantity` to the profile during [start, end); returns its number of steps. Equal steps are joined."""
    low = step_at(step_time, first, count, start)
    if step_time[low] < start:
        low += 1
        for k in range(first + count, low, -1):
            step_time[k], step_level[k] = step_time[k - 1], step_level[k - 1]
        step_time[low], step_level[low] = start, step_level[low - 1]
        count += 1
    high = first + count
    if end < FAR:
        high = step_at(step_time, first, count, end)
        if step_time[high] < end:
            high += 1
            for k in range(first + count, high, -1):
                step_time[k], step_level[k] = step_time[k - 1], step_level[k - 1]
            step_time[high], step_level[high] = end, step_level[high - 1]
            count += 1
    for k in range(low, high):
        step_level[k] += quantity
    if high < first + count and step_level[high] == step_level[high - 1]:
        count -= 1
        for k in range(high, first + count):
            step_time[k], step_level[k] = step_time[k + 1], step_level[k + 1]
    if low > first and step_level[low] == step_level[low - 1]:
        count -= 1
        for k in range(low, first + count):
            step_time[k], step_level[k] = step_time[k + 1], step_level[k + 1]
    return count
