"""Defects marked by boxes, polygons or run lengths instead of mask files, filled in and judged.

A box says where a defect is, not what it looks like: filled, it is called box truth, and pixel
figures measured on it are lower than on outlines. An image with several classes takes the class
of the largest marked area.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from twinloop.vision.datasets.reading import read_turned, turned
from twinloop.vision.datasets.run_lengths import RunLengths
from twinloop.vision.datasets.samples import Refused, Sample, Surface
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

# Tools round outwards and count from 0 or 1: that far beside the image is no mistake, in pixels.
SLACK_PX = 2.0
BOX_TRUTH = "Masks are filled boxes (box truth): the outline of a defect is not known, pixel figures do not compare."


@dataclass(frozen=True)
class Region:
    """One marked defect.

    label: its class. box: left, top, right, bottom in pixels, right and bottom just outside. polygons: outlines
    x, y, x, y, …, which are filled instead of the box where there are any. runs: the very pixels, instead of both.
    where: its place in the annotation. relative: coordinates are shares of the image's width and height, not pixels.
    """

    label: str
    box: tuple[float, float, float, float]
    polygons: tuple[tuple[float, ...], ...] = ()
    where: str = ""
    runs: RunLengths | None = None
    relative: bool = False

    @property
    def area(self) -> float:
        """Pixels of the box, of all outlines or of the runs; shares of the image where coordinates are."""
        if self.runs is not None:
            return self.runs.area
        if self.polygons:
            return sum(_shoelace(polygon) for polygon in self.polygons)
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)

    def in_pixels(self, width: int, height: int) -> "Region":
        """The region in pixels of an image of this size."""
        if not self.relative:
            return self
        left, top, right, bottom = self.box
        box = (left * width, top * height, right * width, bottom * height)
        scale = (width, height)
        outlines = tuple(tuple(value * scale[i % 2] for i, value in enumerate(outline)) for outline in self.polygons)
        return replace(self, box=box, polygons=outlines, relative=False)


def leading_class(regions: Sequence[Region]) -> str:
    """The class with the largest marked area, "good" without regions; between equals the first in the alphabet."""
    areas: dict[str, float] = {}
    for region in regions:
        areas[region.label] = areas.get(region.label, 0.0) + region.area
    return min(areas, key=lambda label: (-areas[label], label)) if areas else GOOD


def marked_sample(
    path: Path,
    regions: Sequence[Region],
    settings: DatasetSettings,
    *,
    name: str,
    group: str,
    size: tuple[int, int] | None = None,
    division: str = "",
) -> Sample:
    """A sample whose mask is drawn from `regions` when it is read.

    size: width and height that the annotation gives, refused where the image has others.
    """
    kept = tuple(regions)
    read = partial(_read, path, kept, size, settings)
    return Sample(name, leading_class(kept), group, read, path=path, division=division)


def several_classes(all_regions: Iterable[Sequence[Region]]) -> tuple[str, ...]:
    """A note on how many images hold defects of several classes; nothing where none does."""
    count = sum(len({region.label for region in regions}) > 1 for regions in all_regions)
    return (f"{count} images hold several classes; each takes the class of its largest marked area.",) if count else ()


def _read(path: Path, regions: tuple[Region, ...], size: tuple[int, int] | None, settings: DatasetSettings) -> Surface:
    limits = {"max_bytes": settings.max_bytes, "max_pixels": settings.max_pixels}
    image, turn = read_turned(path, depth_bits=settings.depth_bits, **limits)
    height, width = image.shape[:2]
    # Annotated before the turn that EXIF notes was applied, as the annotation's own size tells.
    before = size is not None and turn >= 5 and size == (height, width) != (width, height)
    if size is not None and all(size) and size != (width, height) and not before:
        raise Refused(f"image is {width}×{height}, its annotation says {size[0]}×{size[1]}")
    mask = drawn(regions, *((height, width) if before else (width, height)))
    if regions and not mask.any():
        raise Refused("its marked regions cover no pixel of the image")
    return Surface(image, turned(mask, turn) if before else mask)


def drawn(regions: Sequence[Region], width: int, height: int) -> NDArray[np.bool_]:
    """bool [H, W], true inside any of the regions. Raises Refused for one without area or outside the image."""
    canvas = Image.new("L", (width, height))
    pen = ImageDraw.Draw(canvas)
    exact = np.zeros((height, width), bool)
    for region in (region.in_pixels(width, height) for region in regions):
        if region.runs is not None:
            exact |= region.runs.mask(width, height, region.where)
            continue
        _check(region, width, height)
        if region.polygons:
            for polygon in region.polygons:
                # Pillow counts pixel centres as whole numbers, annotations count edges.
                pen.polygon([value - 0.5 for value in polygon], fill=1, outline=1)
        else:
            left, top, right, bottom = region.box
            corners = (math.floor(left), math.floor(top), math.ceil(right) - 1, math.ceil(bottom) - 1)
            pen.rectangle(corners, fill=1)
    return (np.asarray(canvas) > 0) | exact


def _check(region: Region, width: int, height: int) -> None:
    left, top, right, bottom = region.box
    shown = " ".join(f"{value:g}" for value in region.box)
    place = f" ({region.where})" if region.where else ""
    outlines = [value for polygon in region.polygons for value in polygon]
    if not all(map(math.isfinite, (*region.box, *outlines))) or right <= left or bottom <= top:
        raise Refused(f"box {shown}{place} has no area: expected left < right and top < bottom")
    xs, ys = [left, right, *outlines[::2]], [top, bottom, *outlines[1::2]]
    low, wide, high = -SLACK_PX, width + SLACK_PX, height + SLACK_PX
    if min(xs) < low or min(ys) < low or max(xs) > wide or max(ys) > high:
        raise Refused(f"box {shown}{place} reaches outside the image of {width}×{height}")


def _shoelace(polygon: tuple[float, ...]) -> float:
    xs, ys = polygon[::2], polygon[1::2]
    pairs = zip(xs, (*ys[1:], ys[0]), (*xs[1:], xs[0]), ys, strict=True)
    return abs(sum(x * following_y - following_x * y for x, following_y, following_x, y in pairs)) / 2
