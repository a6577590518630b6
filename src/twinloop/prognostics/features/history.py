"""What the events of an asset say at a time: how long since its last service and failure, how many, how many errors.

An event counts from its own minute on: what is noted later than a window's end is future.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.prognostics.features.jit import machine_code

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class History:
    """Times of events of assets by their place, ascending per asset. events: asset, kind, time_min."""

    def __init__(self, events: pl.DataFrame) -> None:
        ordered = events.select(pl.col("asset").cast(pl.String), "kind", "time_min").sort("asset", "time_min")
        parts = ordered.partition_by("kind", as_dict=True)
        self._times = {kind: part["time_min"].to_numpy(writable=True) for (kind,), part in parts.items()}
        # Of each kind, where an asset's times begin and end: by its name, and by its place, once it has one.
        self._named = {kind: _ranges(part["asset"]) for (kind,), part in parts.items()}
        self._placed = {kind: np.empty((0, 2), np.int64) for kind in self._times}

    def extend(self, assets: Sequence[str]) -> None:
        """The assets of the next places."""
        for kind, ranges in self._named.items():
            own = np.array([ranges.get(asset, (0, 0)) for asset in assets], np.int64).reshape(-1, 2)
            self._placed[kind] = np.concatenate([self._placed[kind], own])

    def until(self, kind: str, place: Whole, time_min: Floats) -> Whole:
        """[N] number of events of this kind until each of the times of assets, that minute included."""
        if kind not in self._times:
            return np.zeros(len(place), np.int64)
        first, beyond = self._found(kind, place, time_min)
        return beyond - first

    def since(self, kind: str, place: Whole, time_min: Floats, begin: Floats) -> Floats:
        """[N] minutes since the last event of this kind, since `begin` before the first."""
        if kind not in self._times:
            return time_min - begin
        first, beyond = self._found(kind, place, time_min)
        latest = np.where(beyond > first, self._times[kind][beyond - 1], begin)
        return time_min - np.maximum(latest, begin)

    def _found(self, kind: str, place: Whole, time_min: Floats) -> tuple[Whole, Whole]:
        """[N] each, among all times of the kind: the asset's first, and its first that is later."""
        beyond = np.empty(len(place), np.int64)
        _search(self._times[kind], self._placed[kind], place, time_min, beyond)
        return self._placed[kind][place, 0], beyond


def _ranges(assets: pl.Series) -> dict[str, tuple[int, int]]:
    runs = assets.rle().struct.unnest().with_columns(end=pl.col("len").cast(pl.Int64).cum_sum())
    return {name: (end - length, end) for length, name, end in runs.iter_rows()}


@machine_code
def _search(times, ranges, place, wanted, beyond):  # type: ignore[no-untyped-def]  # pragma: no cover
    for row in range(len(place)):
        low, high = ranges[place[row], 0], ranges[place[row], 1]
        while low < high:
            middle = (low + high) // 2
            if times[middle] <= wanted[row]:
                low = middle + 1
            else:
                high = middle
        beyond[row] = low
