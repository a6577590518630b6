"""What the events of an asset say at a time: how long since its last service and failure, how many, how many errors.

An event counts from its own minute on: what is noted later than a window's end is future.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class History:
    """Times of events by asset and kind, ascending. events: asset, kind, time_min."""

    def __init__(self, events: pl.DataFrame) -> None:
        ordered = events.select("asset", "kind", "time_min").sort("time_min")
        parts = ordered.partition_by(["asset", "kind"], as_dict=True)
        self._times = {key: part["time_min"].to_numpy() for key, part in parts.items()}

    def until(self, asset: str, kind: str, time_min: Floats) -> NDArray[np.int64]:
        """Number of events of this kind until each of the times, that minute included."""
        times = self._times.get((asset, kind))
        if times is None:
            return np.zeros(len(time_min), dtype=np.int64)
        return np.searchsorted(times, time_min, side="right")

    def since(self, asset: str, kind: str, time_min: Floats, *, begin: float) -> Floats:
        """Minutes since the last event of this kind, since `begin` before the first."""
        times = self._times.get((asset, kind), np.empty(0))
        latest = np.append(begin, np.maximum(times, begin))[self.until(asset, kind, time_min)]
        minutes: Floats = time_min - latest
        return minutes
