"""Rows of telemetry to windows: sums of the window that is open at each asset, finished when its next one opens.

Rows are added one by one in their order (numba): the same bits however they come in chunks, and no row is kept. Sums
are of differences from the window's first value; as that is one of those summed up, cancellation costs no more than a
factor of the number of rows in precision (shifted sums: Chan, Golub and LeVeque, 1983).
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.features.jit import machine_code

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
# What a row is: of the window before it in the table, of one that is open already, of a new one, of a new one that
# closes the one before, and too late.
SAME, RESUMES, OPENS, CLOSES, LATE = range(5)
# Of an asset: whether and when it was first heard of, its latest row, the end of its last closed window, and number and
# rows of the window that is open (no rows: none is).
ASSET = np.dtype(
    [
        ("known", np.bool_),
        ("begin", np.float64),
        ("latest", np.float64),
        ("closed", np.float64),
        ("window", np.int64),
        ("rows", np.int64),
    ],
    align=True,
)
# Of an asset's sensor in the open window: how many values are known, the first (and its minute), last, least and
# greatest; sums of x and x² from the first value, of t and t² from its minute, and of their product; greatest step, sum
# of squared steps, the value of the row before (NaN where missing), and how many values are beyond the limits.
SENSOR = np.dtype([(name, np.float64) for name in (
    "count", "first", "since", "last", "low", "high", "x", "xx", "t", "tt", "xt", "step", "steps", "before", "above",
    "below",
)], align=True)  # fmt: skip


def window_number(time_min: Floats, length: float) -> Whole:
    """Number of the window that a time is in; window n goes from n · length, not included, to (n + 1) · length."""
    return np.ceil(time_min / length).astype(np.int64) - 1


class Course(NamedTuple):
    """Features of the course inside windows, [S, N] each, as the catalogue has them; NaN where no value is known."""

    mean: Floats
    last: Floats
    low: Floats
    high: Floats
    spread: Floats
    slope: Floats
    step: Floats
    fast_energy: Floats
    crest: Floats
    above: Floats
    below: Floats
    missing: Floats


class Closed(NamedTuple):
    """Windows that are complete, in order of time per asset.

    place [N]: of the asset. window [N]: its number. before [N]: end of the asset's window before, −∞ for the first.
    rows [N].
    """

    place: Whole
    window: Whole
    before: Floats
    rows: Whole
    course: Course

    @classmethod
    def empty(cls, count: int, sensors: int) -> "Closed":
        """Room for so many windows."""
        numbers = [np.empty(count, np.int64) for _ in range(3)]
        course = Course(*(np.empty((sensors, count)) for _ in Course._fields))
        return cls(numbers[0], numbers[1], np.empty(count), numbers[2], course)

    def first(self, count: int) -> "Closed":
        """The first so many of them."""
        course = Course(*(part[:, :count] for part in self.course))
        return Closed(self.place[:count], self.window[:count], self.before[:count], self.rows[:count], course)


class Windows:
    """The open windows of assets, by their place. low, high: limits [S]."""

    def __init__(self, length_min: float, low: Floats, high: Floats) -> None:
        self.late = 0
        self._length, self._low, self._high = length_min, low, high
        self.assets = np.zeros(0, ASSET)
        self._sensors = np.zeros((0, len(low)), SENSOR)

    def add(self, place: Whole, time_min: Floats, values: Iterable[NDArray[np.float32]]) -> Closed:
        """Windows that these rows close. place, time_min: [R]; values: [R] per sensor, not finite where missing.

        Rows that are not later than all rows of their asset before are left out and counted in `late`.
        """
        self._grow(int(place.max(initial=-1)) + 1)
        window = window_number(time_min, self._length)
        most = 1 + int(((place[1:] != place[:-1]) | (window[1:] != window[:-1])).sum())
        kinds, room = np.empty(len(place), np.uint8), Closed.empty(most, len(self._low))
        count, late = _sort_out(place, time_min, window, self._length, self.assets, kinds, room)
        self.late += late
        starts = np.flatnonzero(kinds)
        slices = (place[starts], kinds[starts], np.append(starts, len(place)))
        for sensor, column in enumerate(values):
            limits = self._low[sensor], self._high[sensor]
            _add(column, time_min, *slices, *limits, self._sensors, room.rows, room.course, sensor)
        return room.first(count)

    def close(self, order: Whole) -> Closed:
        """The windows that are still open, of assets in this order."""
        places = order[self.assets["rows"][order] > 0]
        own = self.assets[places]
        room = Closed.empty(len(places), len(self._low))
        closed = Closed(places, own["window"], own["closed"], own["rows"], room.course)
        for sensor in range(len(self._low)):
            _finish_all(places, self._sensors, closed.rows, closed.course, sensor)
        # Nor is anything later than its latest row that is of a window that was closed.
        self.assets["latest"][places] = self.assets["closed"][places] = (own["window"] + 1) * self._length
        self.assets["rows"][places] = 0
        return closed

    def _grow(self, assets: int) -> None:
        """Room for so many assets, and as many again: growing one by one would copy all of them each time."""
        if assets > len(self.assets):
            more = 2 * assets - len(self.assets)
            self.assets = np.concatenate([self.assets, np.zeros(more, ASSET)])
            self._sensors = np.concatenate([self._sensors, np.zeros((more, len(self._low)), SENSOR)])


@machine_code
def _sort_out(place, time_min, window, length, assets, kinds, closed):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The kind of every row, and the windows that rows close; how many of these, and how many rows are late."""
    count, late, before = 0, 0, -1
    for row in range(len(place)):
        asset = assets[place[row]]
        if not asset.known:
            asset.known, asset.begin, asset.closed = True, time_min[row], -np.inf
        elif not time_min[row] > asset.latest:
            kinds[row], before = LATE, -1
            late += 1
            continue
        if asset.rows == 0:
            kinds[row] = OPENS
        elif window[row] != asset.window:
            kinds[row] = CLOSES
            closed.place[count], closed.window[count] = place[row], asset.window
            closed.before[count], closed.rows[count] = asset.closed, asset.rows
            asset.closed, asset.rows = (asset.window + 1) * length, 0
            count += 1
        else:
            kinds[row] = SAME if place[row] == before else RESUMES
        asset.latest, asset.window = time_min[row], window[row]
        asset.rows += 1
        before = place[row]
    return count, late


@machine_code
def _add(values, time_min, place, kind, bounds, low, high, sensors, rows, course, sensor):  # type: ignore[no-untyped-def]  # pragma: no cover
    count = 0
    for part in range(len(place)):
        if kind[part] == LATE:
            continue
        own = sensors[place[part], sensor]
        if kind[part] == CLOSES:
            _finish(own, rows[count], course, sensor, count)
            count += 1
        if kind[part] != RESUMES:
            own.count = own.x = own.xx = own.t = own.tt = own.xt = own.steps = own.above = own.below = 0.0
            own.step, own.before = -1.0, np.nan
        # In registers: in memory every sum would wait for its own storing.
        known, first, since, last, least, most = own.count, own.first, own.since, own.last, own.low, own.high
        sum_x, sum_xx, sum_t, sum_tt, sum_xt = own.x, own.xx, own.t, own.tt, own.xt
        step, steps, before, above, below = own.step, own.steps, own.before, own.above, own.below
        for row in range(bounds[part], bounds[part + 1]):
            value = np.float64(values[row])
            if not np.isfinite(value):
                before = np.nan
                continue
            moved = abs(value - before)
            before = value
            steps += moved * moved if moved >= 0 else 0.0
            step = moved if moved > step else step
            if known == 0:
                first = least = most = value
                since = time_min[row]
            known += 1
            last = value
            least = value if value < least else least
            most = value if value > most else most
            above += 1.0 if value > high else 0.0
            below += 1.0 if value < low else 0.0
            x, t = value - first, time_min[row] - since
            sum_x += x
            sum_xx += x * x
            sum_t += t
            sum_tt += t * t
            sum_xt += x * t
        own.count, own.first, own.since, own.last, own.low, own.high = known, first, since, last, least, most
        own.x, own.xx, own.t, own.tt, own.xt = sum_x, sum_xx, sum_t, sum_tt, sum_xt
        own.step, own.steps, own.before, own.above, own.below = step, steps, before, above, below


@machine_code
def _finish_all(place, sensors, rows, course, sensor):  # type: ignore[no-untyped-def]  # pragma: no cover
    for number in range(len(place)):
        _finish(sensors[place[number], sensor], rows[number], course, sensor, number)


@machine_code
def _finish(own, rows, course, s, n):  # type: ignore[no-untyped-def]  # pragma: no cover
    known = own.count
    course.missing[s, n] = (rows - known) / rows
    if known == 0:
        for feature in course[:-1]:
            feature[s, n] = np.nan
        return
    mean = own.first + own.x / known
    spread = np.sqrt(max(own.xx / known - (own.x / known) ** 2, 0.0))
    time_variance = own.tt / known - (own.t / known) ** 2
    covariance = own.xt / known - own.x / known * (own.t / known)
    course.mean[s, n], course.last[s, n], course.low[s, n], course.high[s, n] = mean, own.last, own.low, own.high
    course.spread[s, n] = spread
    course.slope[s, n] = covariance / time_variance * MINUTES_PER_HOUR if time_variance > 0 else 0.0
    course.step[s, n] = own.step if own.step >= 0 else np.nan
    course.fast_energy[s, n] = own.steps / (4 * known * spread**2) if spread > 0 else 0.0
    course.crest[s, n] = max(own.high - mean, mean - own.low) / spread if spread > 0 else 0.0
    course.above[s, n], course.below[s, n] = own.above / known, own.below / known
