"""What a model's input must be so that it shows the defects: its size, its colour, and whether pictures go in as tiles.

A defect of which fewer than `LEAST_PX` input pixels are left across its narrow side is lost in the first layers. The
narrow side is the diameter of the largest circle within a mask or box; that of the smallest tenth counts. Colour counts
where a forest tells good from defective parts by extremes of colour clearly better than by those of brightness
(cross-validated by part, as `provenance` does).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from twinloop.files import read_json, write_json
from twinloop.vision.datasets.provenance import skill
from twinloop.vision.datasets.tiles import LONGEST

FILE = "input.json"
LEAST_PX = 4
SMALLEST = 0.1
# Beyond this side of the input tiles are cheaper than one large input; below the other, too little context is left.
MOST_PX, TILE_PX, FEWEST_PX, GRID_PX = 320, 224, 96, 32
SCALES = (1, 2, 4, 8)
UNPLACED = "no mask says which tile shows a defect, so training looks for the one that is least like good ones"
COLOUR_GAIN, COLOUR_SURE = 0.1, 0.7
BOX_PX, THUMB_PX = 3, 256
EXTREMES = (0.1, 1.0, 99.0, 99.9)

Floats = NDArray[np.float64]


class Seen(NamedTuple):
    """What one picture tells: its sides, the narrow side of its defect (nan without a mask), all in its own pixels, and
    extremes of brightness and of colour; a grey picture has none of colour.
    """

    width: int
    height: int
    narrow: float
    brightness: tuple[float, ...]
    colour: tuple[float, ...]


@dataclass(frozen=True)
class Input:
    """What the input should be. tile_px: side of the tiles that pictures are cut into, 0 for none. reasons: why."""

    size_px: int
    channels: int
    tile_px: int
    narrow_px: float | None
    longest_px: int
    reasons: tuple[str, ...]

    def save(self, folder: Path) -> None:
        """Write it beside the index."""
        write_json(folder / FILE, asdict(self) | {"reasons": list(self.reasons)})

    @classmethod
    def load(cls, folder: Path) -> "Input":
        """Of a prepared dataset."""
        record: dict[str, Any] = read_json(folder / FILE)
        return cls(**record | {"reasons": tuple(record["reasons"])})

    def shown_at(self, size_px: int) -> float | None:
        """Input pixels across the narrow side of the smallest tenth of defects; None where no mask tells."""
        return None if self.narrow_px is None else self.narrow_px * size_px / self.longest_px

    def too_small(self, size_px: int) -> str:
        """A sentence where an input of that size would not show the defects; "" where it does."""
        shown = self.shown_at(size_px)
        if shown is None or shown >= LEAST_PX or size_px >= self.size_px:
            return ""
        tiles = f", tiles of {self.tile_px} px" if self.tile_px else ""
        return (
            f"the smallest tenth of the defects cover {shown:.1f} of {size_px} input pixels, and {LEAST_PX} show one: "
            f"ModelSettings.size_px={self.size_px}{tiles}"
        )


def seen(image: NDArray[np.uint8], mask: NDArray[np.bool_] | None) -> Seen:
    """Of an image uint8 [H, W] or [H, W, 3] and its mask, None where there is none or nothing in it."""
    height, width = image.shape[:2]
    narrow = narrow_side(mask) if mask is not None else math.nan
    step = max(max(height, width) // THUMB_PX, 1)
    thin = image[::step, ::step].astype(np.float64)
    if thin.ndim == 2:
        return Seen(width, height, narrow, _extremes(thin), ())
    red, green, blue = (thin[..., channel] for channel in range(3))
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    colour = (*_extremes(red - green), *_extremes(blue - (red + green) / 2))
    return Seen(width, height, narrow, _extremes(brightness), colour)


def narrow_side(mask: NDArray[np.bool_]) -> float:
    """Diameter in pixels of the largest circle within a mask [H, W]; nan where it is empty."""
    if not mask.any():
        return math.nan
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    inside = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    # Of a row of pixels the distance is 1 on both sides, and it is one pixel wide.
    return 2 * float(ndimage.distance_transform_edt(inside).max()) - 1


def proposed(pictures: Sequence[Seen], good: Sequence[bool], parts: Sequence[str], *, tile_px: int = -1) -> Input:
    """The input for these pictures; one entry per picture in all arguments.

    tile_px: side of the tiles that they are cut into (0: none); -1 where that is to be proposed too.
    """
    channels, told = _channels(pictures, good, parts)
    narrow = _narrow(pictures)
    longest, short = (int(np.median([side(one.width, one.height) for one in pictures])) for side in (max, min))
    stretches = [max(one.width, one.height) / min(one.width, one.height) for one in pictures]
    stretch, long = max(stretches), [one for one, own in zip(pictures, stretches, strict=True) if own > LONGEST]
    needed = FEWEST_PX if narrow is None else max(_multiple(LEAST_PX * longest / narrow), FEWEST_PX)
    # Without a mask nobody knows which tile of a defective picture shows the defect: tiles are then as large as may be.
    placed = not any(math.isnan(one.narrow) for one, fine in zip(pictures, good, strict=True) if not fine)
    if tile_px < 0:
        held = longest if np.median(stretches) <= LONGEST else short
        side = _tile(short, narrow) if placed and narrow else _whole(held)
        tile_px = side if long or (placed and needed > MOST_PX) else 0
    if tile_px and (longest > tile_px or long):
        why = f", as they are up to {stretch:.1f}:1 long" if long else ""
        rest = f"whole ones would need an input of {needed} px" if placed else UNPLACED
        reason = f"pictures are cut into tiles of {tile_px} px{why}; {rest}"
        return Input(tile_px // _scale(tile_px), channels, tile_px, narrow, tile_px, (reason, *told))
    size, reasons = min(needed, MOST_PX), list(told)
    if narrow is not None and size > FEWEST_PX:
        reasons.insert(0, f"input {size} px: the smallest tenth of the defects are {narrow:.1f} of {longest} px across")
    if long:
        reasons.append(
            f"pictures of up to {stretch:.1f}:1 are squashed into a square: DatasetSettings.tile_px=-1 cuts tiles"
        )
    return Input(size, channels, 0, narrow, longest, tuple(reasons))


def _narrow(pictures: Sequence[Seen]) -> float | None:
    known = [one.narrow for one in pictures if not math.isnan(one.narrow)]
    return float(np.quantile(known, SMALLEST)) if known else None


def _tile(short: int, narrow: float) -> int:
    """Side of tiles that show the defects at an input of at most `TILE_PX`, no longer than the pictures' short side."""
    scale = max(int(narrow / LEAST_PX), 1)
    return max(min(short, TILE_PX * scale) // GRID_PX * GRID_PX, GRID_PX)


def _whole(side: int) -> int:
    """Side of tiles that hold pictures of `side` px, and which `_scale` divides into whole cells."""
    scale = next((scale for scale in SCALES if side <= MOST_PX * scale), SCALES[-1])
    return min(_multiple(side / scale), MOST_PX) * scale


def _scale(tile_px: int) -> int:
    """Pixels of a tile per pixel of the input, as few as keep the input bearable and the heat map's cells whole."""
    for scale in SCALES:
        if tile_px // scale <= MOST_PX and tile_px % (4 * scale) == 0:
            return scale
    return max(tile_px // MOST_PX, 1)


def _multiple(side: float) -> int:
    return math.ceil(side / GRID_PX) * GRID_PX


def _channels(pictures: Sequence[Seen], good: Sequence[bool], parts: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    if not all(one.colour for one in pictures):
        return 1, ()
    truth, groups = ~np.array(good), np.unique(np.array(parts), return_inverse=True)[1]
    grey = skill(np.array([one.brightness for one in pictures]), truth, groups)
    both = skill(np.array([(*one.brightness, *one.colour) for one in pictures]), truth, groups)
    if grey is None or both is None or both < max(grey + COLOUR_GAIN, COLOUR_SURE):
        return 1, ()
    return 3, (f"colour tells defects apart: grey {grey:.3f}, three channels {both:.3f}",)


def _extremes(values: Floats) -> tuple[float, ...]:
    """How far the extremes lie from the middle, after a small mean that takes the noise away."""
    smooth = ndimage.uniform_filter(values, BOX_PX, mode="nearest")
    return tuple((np.percentile(smooth, EXTREMES) - np.median(smooth)).tolist())
