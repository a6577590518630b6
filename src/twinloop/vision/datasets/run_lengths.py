"""Masks as run lengths (COCO): how many pixels are off, on, off …, down the columns, as numbers or as packed text.

Packed text holds five bits a character, lowest first, a sixth says that more follow, and from the third run on it is
the difference to the run two before (cocoapi, maskApi.c, rleFrString).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.vision.datasets.samples import Refused


@dataclass(frozen=True)
class RunLengths:
    """counts: lengths of the runs, the first one off. size: height and width in pixels."""

    counts: tuple[int, ...]
    size: tuple[int, int]

    @property
    def area(self) -> float:
        return float(sum(self.counts[1::2]))

    def mask(self, width: int, height: int, where: str) -> NDArray[np.bool_]:
        """bool [H, W]. Raises Refused where the image has another size."""
        if self.size != (height, width):
            raise Refused(f"{where}: run lengths are of {self.size[1]}×{self.size[0]}, image is {width}×{height}")
        states = np.arange(len(self.counts)) % 2 == 1
        return np.repeat(states, self.counts).reshape(width, height).T


def runs_of(mask: NDArray[np.bool_]) -> RunLengths:
    """The run lengths of a mask [H, W]; they give the mask back."""
    columns = np.concatenate([[False], mask.ravel(order="F"), [False]])
    changes = np.flatnonzero(np.diff(columns)).tolist()
    edges = [0, *changes, mask.size]
    return RunLengths(tuple(after - before for before, after in pairwise(edges)), (mask.shape[0], mask.shape[1]))


def run_lengths(written: Any, where: str) -> RunLengths:
    """What an annotation's {"size": [height, width], "counts": …} says. Raises Refused with `where`."""
    match written:
        case {"size": [int(height), int(width)], "counts": list() | str() as counts} if height > 0 and width > 0:
            pass
        case _:
            raise Refused(f"{where}: expected run lengths with size [height, width] and counts")
    runs = _unpacked(counts, where) if isinstance(counts, str) else counts
    if not all(isinstance(run, int) and run >= 0 for run in runs) or sum(runs) != height * width:
        raise Refused(f"{where}.counts: expected runs that add up to {height} × {width} pixels")
    return RunLengths(tuple(runs), (height, width))


def _unpacked(text: str, where: str) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise Refused(f"{where}.counts: expected packed run lengths, found {character!r:.12}")
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise Refused(f"{where}.counts: packed run lengths end in the middle of a number")
    return runs
