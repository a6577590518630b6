"""Open time and profiles against counting minute by minute."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.scheduling.problem import Window
from twinloop.scheduling.problem.calendar import joined
from twinloop.scheduling.solvers.rich.availability import change, free_from, in_open_time, start_for
from twinloop.scheduling.solvers.rich.layout import FAR

LATEST = 30
edges = st.lists(st.integers(0, LATEST), max_size=8, unique=True).map(sorted)


def windows(found):
    rows = joined(Window(start, end) for start, end in zip(found[::2], found[1::2], strict=False))
    return np.array([(w.start, w.end) for w in rows], dtype=np.int64).reshape(-1, 2)


def closed(rows, time):
    return any(start <= time < end for start, end in rows)


def worked(rows, start, duration, least):
    """End of work that begins at `start`, minute by minute; None where it cannot begin there."""
    time, left = start, duration
    while True:
        room = 0
        while room < left and not closed(rows, time + room):
            room += 1
        if room == left:
            return time + left
        if time == start and (not room or room < least):
            return None
        left -= room if room >= least else 0
        time += room
        while closed(rows, time):
            time += 1


@settings(deadline=None, max_examples=300)
@given(edges, st.integers(0, LATEST), st.integers(1, 12), st.integers(1, 12))
def test_work_begins_at_the_first_minute_from_which_it_can_be_done(found, time, duration, least):
    rows, least = windows(found), min(least, duration)
    ends = ((start, worked(rows, start, duration, least)) for start in range(time, 5 * LATEST))
    assert in_open_time(rows, 0, len(rows), time, duration, least) == next(pair for pair in ends if pair[1])


@settings(deadline=None, max_examples=300)
@given(edges, st.integers(0, 2 * LATEST), st.integers(1, 12), st.integers(1, 12))
def test_no_earlier_start_leads_to_so_late_an_end(found, end, duration, least):
    rows, least = windows(found), min(least, duration)
    first = start_for(rows, 0, len(rows), end, duration, least)
    for start in range(max(0, first)):
        done = worked(rows, start, duration, least)
        assert done is None or done < end


takings = st.lists(st.tuples(st.integers(0, LATEST), st.integers(1, 9), st.booleans(), st.integers(1, 3)), max_size=8)


@settings(deadline=None, max_examples=300)
@given(takings, st.integers(0, LATEST), st.integers(1, 9), st.integers(1, 3))
def test_a_profile_counts_what_is_taken_and_forgets_what_is_given_back(taken, time, duration, quantity):
    capacity = 3 + sum(amount for *_, amount in taken)
    step_time, step_level, count = np.zeros(40, np.int64), np.zeros(40, np.int64), 1
    step_level[0] = capacity
    level = np.full(3 * LATEST, capacity)
    for start, length, for_good, amount in taken:
        end = FAR if for_good else start + length
        count = change(step_time, step_level, 0, count, -amount, start, end)
        level[start : min(end, len(level))] -= amount
    steps = np.searchsorted(step_time[:count], np.arange(len(level)), side="right") - 1
    assert (step_level[steps] == level).all()
    assert (np.diff(step_level[:count]) != 0).all()
    # Nothing more is free before the time it names, at which all is free unless it names a blocking step's end.
    needed = int(level[time : time + duration].min()) + quantity
    free = free_from(step_time, step_level, 0, count, needed, time, time + duration)
    assert free > time
    assert all(level[start : start + duration].min() < needed for start in range(time, min(free, 2 * LATEST)))
    assert free_from(step_time, step_level, 0, count, needed - quantity, time, time + duration) == time
    for start, length, for_good, amount in reversed(taken):
        end = FAR if for_good else start + length
        count = change(step_time, step_level, 0, count, amount, start, end)
    assert (count, step_time[0], step_level[0]) == (1, 0, capacity)
