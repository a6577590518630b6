"""Defects marked by boxes or polygons instead of pixel masks, filled in and judged.

A box says where a defect is, not what it looks like: filled, it is called box truth, and pixel
figures measured on it are lower than on outlines. An image with several classes takes the class
of the largest marked area.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from twinloop.vision.datasets.reading import read_image
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
    x, y, x, y, …, which are filled instead of the box where there are any. where: its place in the annotation.
    """

    label: str
    box: tuple[float, float, float, float]
    polygons: tuple[tuple[float, ...], ...] = ()
    where: str = ""

    @property
    def area(self) -> float:
        """Pixels of the box or of all outlines."""
        if self.polygons:
            return sum(_shoelace(polygon) for polygon in self.polygons)
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


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
    image = read_image(path, max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)
    height, width = image.shape[:2]
    if size is not None and all(size) and size != (width, height):
        raise Refused(f"image is {width}×{height}, its annotation says {size[0]}×{size[1]}")
    canvas = Image.new("L", (width, height))
    pen = ImageDraw.Draw(canvas)
    for region in regions:
        _check(region, width, height)
        if region.polygons:
            for polygon in region.polygons:
                # Pillow counts pixel centres as whole numbers, annotations count edges.
                pen.polygon([value - 0.5 for value in polygon], fill=1, outline=1)
        else:
            left, top, right, bottom = region.box
            corners = (math.floor(left), math.floor(top), math.ceil(right) - 1, math.ceil(bottom) - 1)
            pen.rectangle(corners, fill=1)
    mask = np.asarray(canvas) > 0
    if regions and not mask.any():
        raise Refused("its marked regions cover no pixel of the image")
    return Surface(image, mask)


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
