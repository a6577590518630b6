"""The last windows of an asset as a network sees them; free of torch, as whoever asks an exported network is."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Sequences(NamedTuple):
    """Rows ordered by asset and time. values: [N, C], finite. first: [N], index of the asset's first row."""

    values: Floats
    first: NDArray[np.int64]

    @classmethod
    def of(cls, values: NDArray[Any], unit: NDArray[np.int64]) -> "Sequences":
        """From values [N, C], where NaN becomes 0, and the number of each row's asset [N], ascending."""
        starts = np.append(True, unit[1:] != unit[:-1])
        first = np.maximum.accumulate(np.where(starts, np.arange(len(unit)), 0))
        return cls(np.nan_to_num(values).astype(np.float32), first)

    def windows(self, rows: NDArray[np.int64], length: int) -> Floats:
        """[B, length, C + 1] the last `length` rows until each of `rows` [B]; before the first row it is repeated.

        The last channel is 1 where a row is real.
        """
        places = rows[:, None] - np.arange(length)[::-1]
        first = self.first[rows][:, None]
        real = (places >= first).astype(np.float32)
        return np.concatenate([self.values[np.maximum(places, first)], real[:, :, None]], axis=2)
