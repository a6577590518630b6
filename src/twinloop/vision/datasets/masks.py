"""Mask files: which pixels of an image are defective, whatever tool wrote them, or a refusal that says what to set.

Read as they are: 0 and one other value; values near 0 and 255 with a few soft edge pixels between (drawn or JPEG), cut
at 128; class numbers 0, 1, 2 …; a transparency channel under one colour. Anything else, and masks of which most mark
nearly everything, is asked about (`DatasetSettings.mask_values`), never guessed.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from twinloop.errors import InputError
from twinloop.vision.datasets.reading import eight_bits, is_deep, opened_picture, pixel_limit, read_turned, turned
from twinloop.vision.datasets.samples import Refused, Sample, Surface
from twinloop.vision.datasets.settings import DatasetSettings, MaskValues
from twinloop.vision.index import GOOD

SETTING = "DatasetSettings.mask_values"
# Levels this near to 0 and 255 count as such; between them lie edge pixels, at most this share of all.
NOISE = 32
SOFT_SHARE = 0.02
# More pixels of one level between are a region of its own, such as a second class.
REGION_PX = 16
# Numbers of classes or defects: so many at most, and none above.
MOST_NUMBERS, HIGHEST_NUMBER = 16, 31
# Share of neighbours along a row that differ: between regions few do.
MOST_EDGES = 0.25
# Masks looked at to see whether black marks the defect, and the share of the image that no usual defect covers.
LOOKED_AT, NEARLY_ALL = 24, 0.5


def read_surface(
    path: Path, masks: Sequence[Path], label: str, settings: DatasetSettings, *, numbered: bool = False
) -> Surface:
    """An image with its masks joined, no mask for unknown pixel truth.

    numbered: the masks hold numbers of defects or classes; every value above 0 is a defect. Raises Refused, also where
    mask and class disagree.
    """
    limits = {"max_bytes": settings.max_bytes, "max_pixels": settings.max_pixels}
    image, turn = read_turned(path, depth_bits=settings.depth_bits, **limits)
    if not masks:
        return Surface(image, None)
    shape = (image.shape[0], image.shape[1])
    values: MaskValues = "numbered" if numbered else settings.mask_values
    joined = np.zeros(shape, bool)
    for mask in masks:
        joined |= _fitted(mask, shape, turn, values, limits)
    name = masks[0].name if len(masks) == 1 else f"{masks[0].parent.name}/ ({len(masks)} files)"
    if label == GOOD and joined.any():
        raise Refused(f"mask {name} marks a defect, class is good")
    if label != GOOD and not joined.any():
        raise Refused(f"mask {name} is empty, class is {label}")
    return Surface(image, joined)


def masked_sample(
    path: Path,
    masks: Sequence[Path],
    label: str,
    settings: DatasetSettings,
    *,
    name: str,
    group: str,
    division: str = "",
    numbered: bool = False,
) -> Sample:
    """A sample that is read by `read_surface`."""
    read = partial(read_surface, path, tuple(masks), label, settings, numbered=numbered)
    return Sample(name, label, group, read, path=path, division=division, masks=tuple(masks))


def shows_defect(mask: Path, settings: DatasetSettings) -> bool:
    """Whether a mask marks anything, for layouts where nothing else tells the class. Raises Refused."""
    limits = {"max_bytes": settings.max_bytes, "max_pixels": settings.max_pixels}
    with pixel_limit(settings.max_pixels):
        return bool(read_mask(mask, None, values=settings.mask_values, **limits).any())


def read_mask(
    path: Path, shape: tuple[int, int] | None, *, max_bytes: int, max_pixels: int, values: MaskValues = "auto"
) -> NDArray[np.bool_]:
    """bool [H, W] for an image of `shape` (H, W; None: any).

    values: as in DatasetSettings.mask_values. Raises Refused for another size or values that do not fit.
    """
    try:
        levels, numbers = _levels(path, max_bytes=max_bytes, max_pixels=max_pixels)
    except Refused as refused:
        raise Refused(f"mask {path.name}: {refused}", setting=refused.setting) from None
    if shape is not None and levels.shape != shape:
        # Width × height, as image viewers say it.
        came, expected = f"{levels.shape[1]}×{levels.shape[0]}", f"{shape[1]}×{shape[0]}"
        raise Refused(f"mask is {came}, image {expected}")
    if values == "numbered":
        return np.asarray(numbers > 0)
    marked = _two_valued(levels)
    if marked is not None:
        return ~marked if values == "black" else marked
    if values == "auto" and _are_numbers(numbers):
        return np.asarray(numbers > 0)
    present = np.unique(levels)
    told = f"mask has {len(present)} levels from {present[0]} to {present[-1]}, expected 0 and one other"
    raise Refused(f"{told}; all above 0 are defects: numbered", setting=SETTING)


def looks_like_mask(path: Path, settings: DatasetSettings) -> bool | None:
    """Whether a picture's values are those of a mask; None where they do not tell: one value, or not to be read."""
    try:
        levels, numbers = _levels(path, max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)
    except Refused:
        return None
    if levels.min() == levels.max():
        return None
    # Regions, not grain: a dithered or an all but black photograph has few values as well.
    regions = float((np.diff(numbers, axis=1) != 0).mean()) <= MOST_EDGES
    return regions and (_two_valued(levels) is not None or _are_numbers(numbers))


def check_polarity(samples: Sequence[Sample], settings: DatasetSettings) -> None:
    """Raise InputError where most masks mark more than half of their image and nobody said that this is meant."""
    if settings.mask_values != "auto":
        return
    files = [mask for sample in samples for mask in sample.masks[:1]]
    shares = []
    for mask in files[:: max(len(files) // LOOKED_AT, 1)]:
        try:
            marked = read_mask(mask, None, max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)
        except Refused:
            continue
        if marked.any():
            shares.append(float(marked.mean()))
    if shares and (median := float(np.median(shares))) > NEARLY_ALL:
        raise InputError(
            f"data: masks mark {median:.0%} of their image (median of {len(shares)}): is the defect black in them? "
            f"{SETTING}=black reads it so, =white keeps what they mark"
        )


def _fitted(
    mask: Path, shape: tuple[int, int], turn: int, values: MaskValues, limits: dict[str, int]
) -> NDArray[np.bool_]:
    """A mask for an image of `shape`, which its EXIF note `turn` turned; turned with it where its size says so."""
    if turn == 1 or _has_turn(mask):
        return read_mask(mask, shape, values=values, **limits)
    before = shape[::-1] if turn >= 5 else shape
    marked = read_mask(mask, None, values=values, **limits)
    if before == shape and marked.shape == shape and marked.any() and not marked.all():
        raise Refused(f"image is turned by EXIF, sizes do not tell whether mask {mask.name} is: save the image turned")
    if marked.shape == before != shape:
        return turned(marked, turn)
    return read_mask(mask, shape, values=values, **limits)


def _has_turn(mask: Path) -> bool:
    try:
        with Image.open(mask) as picture:
            return picture.getexif().get(0x0112, 1) not in (0, 1)
    except OSError:
        return False


def _levels(path: Path, *, max_bytes: int, max_pixels: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a mask file shows, uint8 [H, W], and the numbers in it: those of a palette, else the same."""
    picture = ImageOps.exif_transpose(opened_picture(path, max_bytes=max_bytes, max_pixels=max_pixels))
    if is_deep(picture):
        values = np.asarray(picture)
        small = int(values.max()) < 256 and int(values.min()) >= 0
        # Numbers in a deep file are numbers, not a faint grey.
        deep = values.astype(np.uint8) if small else eight_bits(values, depth_bits=16)
        return deep, deep
    palette = np.array(picture) if picture.mode == "P" else None
    if "A" in picture.getbands() or "transparency" in picture.info:
        shown = np.array(picture.convert("RGBA"))
        colour, alpha = shown[..., :3].max(axis=2), shown[..., 3]
        if alpha.min() != alpha.max():
            if colour.min() != colour.max() and ((colour > 0) != (alpha > 0)).any():
                raise Refused("colour and transparency mark different pixels: save it without transparency")
            return alpha, alpha
    elif picture.mode in ("L", "1"):
        colour = np.array(picture.convert("L"))
    elif picture.mode == "F":
        raise Refused("pixels are floating-point numbers, expected 8 or 16 bit: convert the file")
    else:
        colour = np.array(picture.convert("RGB")).max(axis=2)
    return colour, colour if palette is None else palette


def _two_valued(levels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Where the upper of two values is, also with soft edges between; None where there are more."""
    present = np.unique(levels)
    if len(present) == 1 or (len(present) == 2 and present[0] == 0):
        return np.asarray(levels > 0)
    soft = levels[(levels >= NOISE) & (levels < 256 - NOISE)]
    region = max(REGION_PX, soft.size / 2)
    if (
        present[-1] >= 256 - NOISE
        and soft.size <= SOFT_SHARE * levels.size
        and np.bincount(soft, minlength=1).max() <= region
    ):
        return np.asarray(levels >= 128)
    return None


def _are_numbers(numbers: NDArray[np.uint8]) -> bool:
    present = np.unique(numbers)
    return bool(present[0] == 0 and len(present) <= MOST_NUMBERS and present[-1] <= HIGHEST_NUMBER)
