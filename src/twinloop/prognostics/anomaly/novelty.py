"""What resembles nothing seen before, told once.

The last values of a signal, over windows of one and of several lengths, are compared with all windows remembered: the
distance of two windows is that of their distributions (Wasserstein's, the mean difference of the sorted values), in
standard deviations of the signal so far. A window farther than the threshold from every other is new; it is remembered
(leader clustering: Hartigan, 1975), so that it is not new when it comes again. A single value tells a spike, a longer
window a level, a spread or a rhythm that was never there. The idea that what was told is part of what is known, so that
a detector falls silent by itself, is that of Wang et al. (Statistical techniques for online anomaly detection, 2011).

A new window begins an episode, in which windows that are new in the same way, higher or lower than what they resemble
most, are remembered in silence; it is over when nothing has been new for a while. Nothing is known beforehand: neither
the signal's range nor its period.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.prognostics.anomaly.detector import Said, rows_of
from twinloop.prognostics.anomaly.jit import machine_code
from twinloop.prognostics.anomaly.settings import NoveltySettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LONG_AGO = -(2**62)


@dataclass(frozen=True)
class Novelty:
    """A detector; see `NoveltySettings`. Its score is the distance, in standard deviations."""

    columns: tuple[str, ...]
    settings: NoveltySettings

    def stream(self) -> "NoveltyStream":
        """The state before an asset's first row."""
        return NoveltyStream(len(self.columns), self.settings)


class Memory(NamedTuple):
    """State of F signals, L lengths, the longest of them M, and K windows remembered.

    moments: [F, 3] count, mean and sum of squares about it. recent: [F, M] last values, the newest last. windows:
    [F, L, K, M] sorted, in the first places; number: [F, L] of them; used: [F, L, K] row of the last that resembled
    each. new: [F, 2] last row that was new by being lower, higher.
    """

    moments: Floats
    recent: Floats
    windows: Floats
    number: Ints
    used: Ints
    new: Ints

    @classmethod
    def empty(cls, width: int, lengths: int, longest: int, memory: int) -> "Memory":
        """The state before the first row."""
        return cls(
            np.zeros((width, 3)),
            np.zeros((width, longest)),
            np.zeros((width, lengths, memory, longest)),
            np.zeros((width, lengths), np.int64),
            np.zeros((width, lengths, memory), np.int64),
            np.full((width, 2), LONG_AGO),
        )


class NoveltyStream:
    """What is known of one asset."""

    def __init__(self, width: int, settings: NoveltySettings) -> None:
        self._settings = settings
        self._lengths = np.array(settings.lengths)
        self._memory = Memory.empty(width, len(settings.lengths), settings.lengths[-1], settings.memory)
        self._row = 0

    def push(self, values: Floats) -> Said:
        """What is said of the next rows, [n, F]."""
        given, settings = rows_of(values, len(self._memory.recent)), self._settings
        said = Said(np.zeros(len(given)), np.zeros(len(given), np.bool_), np.full(len(given), -1))
        _compare(
            given, self._memory, said, self._row, self._lengths, settings.threshold, settings.calm, settings.settle
        )
        self._row += len(given)
        return said


@machine_code
def _compare(
    values: Floats,
    memory: Memory,
    said: Said,
    first: int,
    lengths: Ints,
    threshold: float,
    calm: int,
    settle: int,
) -> None:
    """Compare each row's windows with what is remembered, and remember those that are new."""
    longest = memory.recent.shape[1]
    for index in range(len(values)):
        row = first + index
        for signal in range(values.shape[1]):
            value = values[index, signal]
            if np.isnan(value):
                continue
            recent = memory.recent[signal]
            recent[:-1] = recent[1:].copy()
            recent[-1] = value
            spread = _spread(memory.moments[signal], value)
            for place in range(len(lengths)):
                length = lengths[place]
                if memory.moments[signal, 0] < length:
                    continue
                window = np.sort(recent[longest - length :])
                distance, side = _nearest(window, memory, signal, place, row, threshold * spread)
                if spread > 0 and distance / spread > said.score[index]:
                    said.score[index], said.column[index] = distance / spread, signal
                if distance > threshold * spread:
                    quiet = row - memory.new[signal, side] <= calm
                    said.alarm[index] |= row >= settle and not quiet
                    memory.new[signal, side] = row


@machine_code
def _spread(moments: Floats, value: float) -> float:
    """Standard deviation of a signal with one more value (Welford, 1962)."""
    moments[0] += 1
    step = value - moments[1]
    moments[1] += step / moments[0]
    moments[2] += step * (value - moments[1])
    spread: float = np.sqrt(moments[2] / moments[0])
    return spread


@machine_code
def _nearest(window: Floats, memory: Memory, signal: int, place: int, row: int, least: float) -> tuple[float, int]:
    """Distance to the nearest window, and whether it is lower (0) or higher (1) than that; remembered if it is new."""
    length, number = len(window), memory.number[signal, place]
    windows, used = memory.windows[signal, place], memory.used[signal, place]
    nearest, which, higher = np.inf, -1, 0.0
    for candidate in range(number):
        total, signed = 0.0, 0.0
        for k in range(length):
            step = window[k] - windows[candidate, k]
            total += abs(step)
            signed += step
            if total >= nearest:
                break
        if total < nearest:
            nearest, which, higher = total, candidate, signed
    if which >= 0 and nearest / length <= least:
        used[which] = row
        return nearest / length, int(higher > 0)
    if number < len(used):
        spot = number
        memory.number[signal, place] += 1
    else:
        spot = np.argmin(used)
    windows[spot, :length], used[spot] = window, row
    return (nearest / length, int(higher > 0)) if which >= 0 else (0.0, 0)
