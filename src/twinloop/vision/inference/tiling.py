"""Images larger than the model's input: overlapping tiles, stitched so that no seam is seen, in bounded memory.

Tiles are weighted by a raised cosine over their overlap and divided by the sum of weights, as in overlap-add
(Crochiere, 1980): what neighbours agree on comes back unchanged. The grid is a product of rows and columns, so the
weights are too, and a map is finished one row of tiles after the other; no more of it is held.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError

Map = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Where tiles of `tile` = (h, w) cells lie on a map of `size` = (height, width) cells: their first rows, columns.

    The last tiles end with the map; a map smaller than a tile is one tile large.
    """

    size: tuple[int, int]
    tile: tuple[int, int]
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)


def new_grid(size: tuple[int, int], tile: tuple[int, int], *, overlap: float) -> Grid:
    """The fewest equally spaced tiles whose neighbours share at least `overlap` of their side, 0 ≤ overlap < 1.

    >>> new_grid((8, 20), (8, 8), overlap=0.25).columns
    (0, 6, 12)
    """
    if not 0 <= overlap < 1:
        raise InputError(f"tiles: overlap = {overlap}: expected a share of the tile's side from 0 to below 1")
    whole = (max(size[0], tile[0]), max(size[1], tile[1]))
    rows, columns = (_starts(length, side, overlap) for length, side in zip(whole, tile, strict=True))
    return Grid(whole, tile, rows, columns)


def stitch(grid: Grid, rows_of_tiles: Iterable[NDArray[np.floating]]) -> Iterator[Map]:
    """The map's rows in order, in bands [n, width], from every row of tiles [columns, h, w] in turn."""
    height, _ = grid.tile
    vertical, across = _window(grid.tile[0], grid.rows), _window(grid.tile[1], grid.columns)
    beside = _summed(grid.size[1], across, grid.columns)
    pending, weight = np.zeros((height, grid.size[1]), np.float32), np.zeros((height, 1), np.float32)
    for place, tiles in enumerate(rows_of_tiles):
        row = np.zeros((height, grid.size[1]), np.float32)
        for start, tile in zip(grid.columns, tiles, strict=True):
            row[:, start : start + grid.tile[1]] += tile * across
        pending += row / beside * vertical[:, None]
        weight += vertical[:, None]
        following = grid.rows[place + 1] if place + 1 < len(grid.rows) else grid.size[0]
        done = following - grid.rows[place]
        yield pending[:done] / weight[:done]
        pending = np.concatenate([pending[done:], np.zeros((done, grid.size[1]), np.float32)])
        weight = np.concatenate([weight[done:], np.zeros((done, 1), np.float32)])


class Reduced:
    """A map that arrives in bands, kept at a bounded size: every value is the hottest of a block of cells.

    A maximum, because the mean of a block would hide the small defects that a large image is taken for.
    """

    def __init__(self, size: tuple[int, int], *, limit: int) -> None:
        self.factor = math.ceil(max(size) / limit)
        self.map = np.full([-(-length // self.factor) for length in size], -np.inf, np.float32)
        self._row = 0

    def add(self, band: Map) -> None:
        """Take the next rows [n, width] of the map."""
        columns = np.arange(0, band.shape[1], self.factor)
        rows = np.arange(self._row, self._row + len(band)) // self.factor
        np.maximum.at(self.map, rows, np.maximum.reduceat(band, columns, axis=1))
        self._row += len(band)


def _starts(length: int, side: int, overlap: float) -> tuple[int, ...]:
    step = max(1, math.floor(side * (1 - overlap)))
    count = math.ceil((length - side) / step) + 1
    return tuple(np.linspace(0, length - side, count).round().astype(int).tolist())


def _window(side: int, starts: tuple[int, ...]) -> Map:
    """Weights [side] that rise over the overlap of neighbours from almost nothing to one, and fall as they rise."""
    shared = side - max(np.diff(starts), default=side)
    distance = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
    weights: Map = (np.sin(np.pi / 2 * np.minimum(distance / max(shared, 0.5), 1)) ** 2).astype(np.float32)
    return weights


def _summed(length: int, window: Map, starts: tuple[int, ...]) -> Map:
    total = np.zeros(length, np.float32)
    for start in starts:
        total[start : start + len(window)] += window
    return total
