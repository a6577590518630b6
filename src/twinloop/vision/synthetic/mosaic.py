"""Surfaces far larger than a texture is drawn: mirrored pieces of 512 px, rendered in strips.

An 8192 px image needs a few strips of memory beside itself instead of several gigabytes. Sound grain
repeats, so these surfaces are for tiling and throughput, not for training on whole images.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from twinloop.vision.synthetic.bodies import EXPOSURE, PLACE, Part, defect, sound, stream
from twinloop.vision.synthetic.camera import developed, draw_exposure
from twinloop.vision.synthetic.settings import SurfaceSettings

PIECE_PX = 512
STRIP_PX = 256


def render_large(
    settings: SurfaceSettings, part: Part, exposure: int, *, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One exposure of a part larger than 512 px: image uint8 and the defect's pixels, bool, [size_px, size_px] each."""
    size, whole = settings.size_px, settings.size_px + 2 * settings.camera.shift_px
    texture, marks, angle = sound(settings, part, PIECE_PX, seed=seed)
    plain = texture + marks
    flaw = None if part.kind is None else defect(settings, part, PIECE_PX, angle=angle, seed=seed)
    row, column = (int(place) for place in stream(seed, PLACE, part.number).integers(0, whole - PIECE_PX + 1, 2))
    if flaw is not None:
        row = _at_border(flaw.mask[0], flaw.mask[-1], row, whole)
        column = _at_border(flaw.mask[:, 0], flaw.mask[:, -1], column, whole)
    rng = stream(seed, EXPOSURE, part.number, exposure)
    shot = draw_exposure(settings, rng)
    margin = math.ceil(4 * shot.focus_px) + 1
    across = _mirrored(np.arange(shot.left - margin, shot.left + size + margin))
    image, mask = np.empty((size, size), np.uint8), np.zeros((size, size), bool)
    for first in range(0, size, STRIP_PX):
        last = min(first + STRIP_PX, size)
        top = shot.top + first - margin
        down = _mirrored(np.arange(top, shot.top + last + margin))
        strip = plain[np.ix_(down, across)]
        if flaw is not None:
            # Rows of the defect's piece that lie in this strip, and their places in it.
            start, stop = max(top, row), min(shot.top + last + margin, row + PIECE_PX)
            if start < stop:
                side = column - shot.left + margin
                left, right = max(side, 0), min(side + PIECE_PX, strip.shape[1])
                here = slice(start - top, stop - top), slice(left, right)
                there = slice(start - row, stop - row), slice(left - side, right - side)
                grain = texture[np.ix_(down[here[0]], across[here[1]])]
                strip[here] += grain * (flaw.keep[there] - 1) + flaw.change[there]
        focused = ndimage.gaussian_filter(strip, shot.focus_px, mode="nearest")[margin:-margin, margin:-margin]
        image[first:last] = developed(shot, focused, first_row=first, rng=rng)
    if flaw is not None:
        top, left = row - shot.top, column - shot.left
        inside = slice(max(top, 0), min(top + PIECE_PX, size)), slice(max(left, 0), min(left + PIECE_PX, size))
        rows, columns = inside
        mask[inside] = flaw.mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return image, mask


def _at_border(first: NDArray[np.bool_], last: NDArray[np.bool_], place: int, whole: int) -> int:
    """Where a piece goes along one axis: a defect that reaches its first or last line is at that border of the part."""
    return 0 if first.any() else whole - PIECE_PX if last.any() else place


def _mirrored(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places on an endless axis as places in a piece that is repeated, every second time backwards."""
    turn = places % (2 * PIECE_PX)
    return np.where(turn < PIECE_PX, turn, 2 * PIECE_PX - 1 - turn)
