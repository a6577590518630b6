"""Twelve ways in which a picture of a surface is spoilt, for tests and measurements of what a detector must refuse.

Each is a function of an image uint8 [H, W, C] and a generator, and gives uint8 of any size. The camera's faults keep
what was photographed; "another surface" has brightness and contrast of the one it replaces.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter1d

Image = NDArray[np.uint8]
Spoil = Callable[[Image, np.random.Generator], Image]


def _flat(level: int) -> Spoil:
    return lambda image, random: np.full_like(image, level)


def _scaled(factor: float) -> Spoil:
    return lambda image, random: _pixels(image * factor)


def _out_of_focus(image: Image, random: np.random.Generator) -> Image:
    """Blurred by a thirtieth of its side."""
    spread = len(image) / 30
    return _pixels(gaussian_filter(image.astype(np.float64), (spread, spread, 0)))


def _moved(image: Image, random: np.random.Generator) -> Image:
    """Smeared along or across over a sixth of its side."""
    axis = int(random.integers(2))
    return _pixels(uniform_filter1d(image.astype(np.float64), image.shape[axis] // 6, axis=axis))


def _noisy(image: Image, random: np.random.Generator) -> Image:
    return _pixels(image + random.normal(0, 40, image.shape))


def _stretched(image: Image, random: np.random.Generator) -> Image:
    return image.repeat(10, axis=1)


def _half_covered(image: Image, random: np.random.Generator) -> Image:
    """One half under something dark and even."""
    covered = image.copy()
    half = covered[:, : image.shape[1] // 2]
    half[:] = _pixels(random.normal(60, 4, half.shape))
    return covered if random.random() < 0.5 else covered[:, ::-1].copy()


def _another_surface(image: Image, random: np.random.Generator) -> Image:
    """Chequered: squares of an eleventh of its side, a little uneven."""
    height, width = image.shape[:2]
    square = max(2, width // 11)
    rows, columns = np.mgrid[:height, :width] + random.integers(0, square, 2)[:, None, None]
    pattern = 2.0 * ((rows // square + columns // square) % 2) - 1
    uneven = pattern[..., None] * image.std() + random.normal(0, 3, image.shape)
    return _pixels(image.mean() + uneven)


def _pixels(values: NDArray[np.floating]) -> Image:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


SPOILT: dict[str, Spoil] = {
    "black": _flat(0),
    "white": _flat(255),
    "grey": _flat(128),
    "out of focus": _out_of_focus,
    "motion blur": _moved,
    "a third of the light": _scaled(1 / 3),
    "over-exposed": _scaled(2.5),
    # 12 bits in a 16-bit file: full scale is a sixteenth of what the file could hold.
    "12 bits read as 16": _scaled(1 / 16),
    "noise": _noisy,
    "stretched 10:1": _stretched,
    "half covered": _half_covered,
    "another surface": _another_surface,
}
