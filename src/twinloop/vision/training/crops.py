"""Square pieces cut from training images, so that tiny defects are learnt at full detail without their whole image."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

# A defect is aimed at so that it comes to lie in the middle half of the piece.
NEAR = (0.25, 0.75)


def window(mask: NDArray[np.uint8], side: int, rng: Generator, *, defect_share: float) -> tuple[slice, slice]:
    """A piece of side × side pixels of an image with the pixel truth `mask` [H, W], anywhere in it.

    defect_share: how often the piece is laid around a random pixel of the defect, if there is one.
    """
    height, width = mask.shape
    row, column = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    if rng.random() < defect_share:
        places = np.flatnonzero(mask)
        if len(places):
            centre = divmod(int(places[rng.integers(len(places))]), width)
            corner = np.array(centre) - (side * rng.uniform(*NEAR, 2)).astype(int)
            row, column = corner.clip(0, (height - side, width - side))
    return slice(int(row), int(row) + side), slice(int(column), int(column) + side)
