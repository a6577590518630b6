"""The score of the Numenta Anomaly Benchmark (Lavin and Ahmad, 2015), by its rules.

A window of a labelled anomaly counts once, by its earliest detection: 1 at its first row, falling by a sigmoid to
nearly 0 at its last. A detection outside is false and costs the more the farther it lies behind the last window. The
first 15 % of a series, at most 750 rows, count for nothing. Weights come from the benchmark's profiles; over all series
together, detecting nothing is 0 and detecting every window at its first row is 100.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.prognostics.data.nab import PROBATION, PROBATION_ROWS
from twinloop.prognostics.data.record import Record

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEEPNESS = 5.0
# Window lengths behind a window from which on a false alarm costs all that it can.
FAR = 3.0


class Profile(NamedTuple):
    """Weights: of a window that is found, of a false alarm, of a window that is missed."""

    found: float = 1.0
    false: float = 0.11
    missed: float = 1.0


class Labelled(NamedTuple):
    """A series of `rows` rows and the first and last row of each window of an anomaly, in order."""

    rows: int
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """Rows at the beginning that count for nothing."""
        return min(math.floor(PROBATION * self.rows), math.floor(PROBATION * PROBATION_ROWS))


def labelled(record: Record) -> dict[str, Labelled]:
    """Asset → its windows as rows, those without a row left out. Raises InputError where no asset has any."""
    found = {}
    for asset in record.telemetry.assets:
        times = record.telemetry.of_asset(asset)["time_min"].to_numpy()
        own = record.windows.filter(asset=asset).sort("begin_min")
        first = np.searchsorted(times, own["begin_min"].to_numpy())
        last = np.searchsorted(times, own["end_min"].to_numpy(), side="right") - 1
        rows = tuple((a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True) if a <= b)
        found[asset] = Labelled(len(times), rows)
    if not any(series.windows for series in found.values()):
        raise InputError("anomaly: expected labelled windows to score detections by, got none: add NAB's labels")
    return found


def read_profiles(path: Path) -> dict[str, Profile]:
    """The benchmark's profiles.json. Raises InputError for a file of something else."""
    try:
        content = read_json(path)
        costs = {name: one["CostMatrix"] for name, one in content.items()}
        return {
            name: Profile(float(cost["tpWeight"]), float(cost["fpWeight"]), float(cost["fnWeight"]))
            for name, cost in costs.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"anomaly: {path}: expected NAB's profiles.json with a CostMatrix per profile") from None


def worth(series: Labelled) -> Floats:
    """[count] what a detection at each row is worth, unweighted: from 1 down to 0 in a window, from 0 to -1 outside."""
    value = np.full(series.rows, -1.0)
    follows = [first for first, _ in series.windows[1:]]
    for (first, last), following in zip(series.windows, [*follows, series.rows], strict=True):
        length = last - first + 1
        inside = np.arange(first, last + 1)
        value[inside] = _sigmoid((inside - last - 1) / length) / _sigmoid(np.array([-1.0]))
        behind = np.arange(last + 1, following)
        value[behind] = _sigmoid((behind - last) / max(length - 1, 1))
    return value


def earned(series: Labelled, alarms: Ints, profile: Profile) -> float:
    """What the detections at these rows earn, weighted, before it is set between nothing and all."""
    value, rows = worth(series), alarms[alarms >= series.probation]
    outside, total = np.ones(len(rows), dtype=bool), 0.0
    for first, last in series.windows:
        within = (rows >= first) & (rows <= last)
        outside &= ~within
        total += profile.found * value[rows[within]].max() if within.any() else -profile.missed
    return float(total + profile.false * value[rows[outside]].sum())


def score(earnings: Sequence[float], windows: int, profile: Profile) -> float:
    """Of what all series earned together, with so many windows in them: 0 for nothing detected, 100 for all at once."""
    nothing, perfect = -profile.missed * windows, profile.found * windows
    return 100 * (sum(earnings) - nothing) / (perfect - nothing)


class Swept(NamedTuple):
    """Scores with the threshold that is best for all series, which that is, and with that of all others for each."""

    score: float
    threshold: float
    left_out: float


def sweep(series: Mapping[str, Labelled], alarms: Mapping[float, Mapping[str, Ints]], profile: Profile) -> Swept:
    """One threshold for all series, as the benchmark chooses it. alarms: threshold → asset → rows of its alarms.

    Of thresholds that are as good, the first is taken.
    """
    thresholds, names = list(alarms), list(series)
    table = np.array([[earned(series[name], alarms[t][name], profile) for name in names] for t in thresholds])
    windows = sum(len(one.windows) for one in series.values())
    best = int(table.sum(axis=1).argmax())
    others = [float(table[(table.sum(axis=1) - table[:, place]).argmax(), place]) for place in range(len(names))]
    return Swept(score(table[best].tolist(), windows, profile), thresholds[best], score(others, windows, profile))


def _sigmoid(position: Floats) -> Floats:
    """From 1 far before a window's end to -1 far behind it, in lengths of the window."""
    value: Floats = 2 / (1 + np.exp(STEEPNESS * np.minimum(position, FAR))) - 1
    return np.where(position > FAR, -1.0, value)
