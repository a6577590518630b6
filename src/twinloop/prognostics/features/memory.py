"""What an asset carries from window to window: exponential means, trends, its early life, stress that adds up.

Recursions of a few numbers per asset and sensor (numba): a stream costs as much per window as a table does, and gives
the same bits however its rows are cut, as nothing is ever added up in another order.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.prognostics.features.jit import machine_code

Floats = NDArray[np.float64]
# Beyond so many spreads a level is stress.
EXCESS_FROM = 2.0


class Memory(NamedTuple):
    """State of A assets, S sensors and K spans.

    weight, mean, square, second: [A, S, K], of exponential sums (their weights, of x, x², and of the means). early,
    early_count, life, life_count, excess: [A, S]. drifted: [A, 2, D], windows of drift and joint drift beyond each
    distance.
    """

    weight: Floats
    mean: Floats
    square: Floats
    second: Floats
    early: Floats
    early_count: Floats
    life: Floats
    life_count: Floats
    excess: Floats
    drifted: Floats

    @classmethod
    def empty(cls, assets: int, sensors: int, spans: int, drifts: int) -> "Memory":
        """The state before the first window."""
        deep = [np.zeros((assets, sensors, spans)) for _ in range(4)]
        flat = [np.zeros((assets, sensors)) for _ in range(5)]
        parts = [*deep, *flat, np.zeros((assets, 2, drifts))]
        return cls(*parts)

    def grown(self, assets: int) -> "Memory":
        """The same with room for so many assets, and as many again: room for one by one would copy all each time."""
        more = 2 * assets - len(self.weight)
        if assets <= len(self.weight):
            return self
        return Memory(*(np.concatenate([part, np.zeros((more, *part.shape[1:]))]) for part in self))


class Remembered(NamedTuple):
    """level, trend, unrest: [N, S, K]. change, life_mean, excess: [N, S]. drift: [N, 2], drifted: [N, 2, D].

    The two of a drift are that of the sensors and that of the joint signals.
    """

    level: Floats
    trend: Floats
    unrest: Floats
    change: Floats
    life_mean: Floats
    excess: Floats
    drift: Floats
    drifted: Floats


def remember(
    memory: Memory,
    asset: NDArray[np.int64],
    relative: Floats,
    served: NDArray[np.bool_],
    *,
    spans: Floats,
    early: int,
    moving: NDArray[np.bool_],
    distances: Floats,
) -> Remembered:
    """Features of windows [N] in order of time per asset; `memory` moves on with them.

    relative: [N, S], the sensors, then the joint signals, NaN where missing: then memory stays as it was. served: [N],
    a service since the window before. moving: of the sensors, those that ever moved. distances: [D], of a drift.
    """
    count, sensors = relative.shape
    deep = [np.empty((count, sensors, len(spans))) for _ in range(3)]
    flat = [np.empty((count, sensors)) for _ in range(3)]
    parts = [*deep, *flat, np.empty((count, 2)), np.empty((count, 2, len(distances)))]
    out = Remembered(*parts)
    _pass(memory, asset, relative, served, 2 / (spans + 1), early, moving, distances, out)
    return out


@machine_code
def _pass(memory, asset, relative, served, alpha, early, moving, distances, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    spans = len(alpha)
    middle = spans // 2
    for row in range(len(asset)):
        a = asset[row]
        for s in range(relative.shape[1]):
            x = relative[row, s]
            if served[row]:
                memory.excess[a, s] = 0.0
            if not np.isnan(x):
                if memory.early_count[a, s] < early:
                    memory.early[a, s] += x
                    memory.early_count[a, s] += 1
                memory.life[a, s] += x
                memory.life_count[a, s] += 1
                memory.excess[a, s] += max(abs(x) - EXCESS_FROM, 0.0)
            for k in range(spans):
                if not np.isnan(x):
                    rest = 1 - alpha[k]
                    weight = memory.weight[a, s, k] * rest + alpha[k]
                    memory.weight[a, s, k] = weight
                    memory.mean[a, s, k] = memory.mean[a, s, k] * rest + alpha[k] * x
                    memory.square[a, s, k] = memory.square[a, s, k] * rest + alpha[k] * x * x
                    level = memory.mean[a, s, k] / weight
                    memory.second[a, s, k] = memory.second[a, s, k] * rest + alpha[k] * level
                weight = memory.weight[a, s, k]
                if weight == 0.0:
                    out.level[row, s, k] = np.nan
                    out.trend[row, s, k] = np.nan
                    out.unrest[row, s, k] = np.nan
                    continue
                level = memory.mean[a, s, k] / weight
                rest = 1 - alpha[k]
                out.level[row, s, k] = level
                # A span of 1 has no second smoothing to compare with.
                out.trend[row, s, k] = (level - memory.second[a, s, k] / weight) * alpha[k] / rest if rest > 0 else 0.0
                out.unrest[row, s, k] = np.sqrt(max(memory.square[a, s, k] / weight - level * level, 0.0))
            if memory.life_count[a, s] == 0.0:
                out.change[row, s] = np.nan
                out.life_mean[row, s] = np.nan
            else:
                early_mean = memory.early[a, s] / memory.early_count[a, s]
                out.change[row, s] = out.level[row, s, middle] - early_mean
                out.life_mean[row, s] = memory.life[a, s] / memory.life_count[a, s]
            out.excess[row, s] = memory.excess[a, s]
        known = 0
        apart, shared = 0.0, 0.0
        for s in range(relative.shape[1]):
            change = out.change[row, s]
            if np.isnan(change):
                continue
            if s >= len(moving):
                shared += change * change
            elif moving[s]:
                apart += change * change
                known += 1
        for kind in range(2):
            # Directions have length 1: their drift is of all sensors together, so per sensor as the other is.
            drift = np.sqrt((apart if kind == 0 else shared) / max(known, 1))
            out.drift[row, kind] = drift
            for d in range(len(distances)):
                memory.drifted[a, kind, d] = memory.drifted[a, kind, d] + 1 if drift > distances[d] else 0.0
                out.drifted[row, kind, d] = memory.drifted[a, kind, d]
