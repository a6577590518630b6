"""Pictures cut into square tiles that overlap, so that long or large ones show their defects at full detail."""

from collections.abc import Iterator

import numpy as np

from twinloop.vision.datasets.samples import Surface

OVERLAP = 0.25
# A picture longer than this is not squashed into a square.
LONGEST = 2.0


def tiles(surface: Surface, side: int) -> Iterator[Surface]:
    """The tiles of a surface, row by row, equally spaced; beyond its edge a surface is mirrored, without a defect.

    A surface no larger than a tile is one, unless it is so long that resizing would squash it.
    """
    image, mask = surface.image, surface.mask
    height, width = image.shape[:2]
    if fits(height, width, side):
        yield surface
        return
    missing = [(0, max(side - height, 0)), (0, max(side - width, 0))]
    image = np.pad(image, [*missing, (0, 0)][: image.ndim], mode="symmetric")
    mask = None if mask is None else np.pad(mask, missing)
    for top in starts(image.shape[0], side):
        for left in starts(image.shape[1], side):
            piece = slice(top, top + side), slice(left, left + side)
            yield Surface(image[piece], None if mask is None else mask[piece])


def fits(height: int, width: int, side: int) -> bool:
    """Whether a picture goes in whole: no larger than a tile, and not squashed when it is resized to a square."""
    return max(height, width) <= min(side, LONGEST * min(height, width))


def starts(length: int, side: int) -> tuple[int, ...]:
    """Where the fewest equally spaced tiles begin whose neighbours share at least a quarter of their side."""
    step = max(int(side * (1 - OVERLAP)), 1)
    count = -(-max(length - side, 0) // step) + 1
    return tuple(np.linspace(0, length - side, count).round().astype(int).tolist())
