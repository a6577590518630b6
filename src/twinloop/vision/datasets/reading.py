"""One image file and its mask, made uniform or refused with a reason.

Result: 8-bit grey or RGB, turned as its EXIF says. 16-bit grey is scaled by 1/257, CMYK and other
colour spaces are converted, palettes resolved, transparency dropped. A mask is binary: 0 and one
other value, or values near 0 and 255 with a few soft edge pixels between (drawn or JPEG), cut at 128.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from twinloop.vision.datasets.samples import Refused, Surface
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

# Formats whose Pillow readers are plain decoders: nothing that starts another program.
PIXELS = "DatasetSettings.max_pixels"
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM")
BROKEN = (OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error)
MIN_SIDE_PX = 8
MAX_TEXT_BYTES = 5_000_000
# In a mask, levels this near to 0 and 255 count as such; between them lie edge pixels, at most this share of all.
NOISE = 32
SOFT_SHARE = 0.02
CONVERSIONS = {
    "I;16": "16-bit grey: scaled to 8 bit",
    "I;16L": "16-bit grey: scaled to 8 bit",
    "I;16B": "16-bit grey: scaled to 8 bit",
    "I;16N": "16-bit grey: scaled to 8 bit",
    "I": "16-bit grey: scaled to 8 bit",
    "CMYK": "CMYK: converted to RGB",
    "YCbCr": "YCbCr: converted to RGB",
    "LAB": "LAB: converted to RGB",
    "P": "palette: resolved to RGB",
    "LA": "transparency: dropped",
    "RGBA": "transparency: dropped",
    "1": "one bit: black and white",
}
# More pixels of one level between are a region of its own, such as a second class.
REGION_PX = 16


@contextmanager
def pixel_limit(max_pixels: int) -> Iterator[None]:
    """Make Pillow refuse images of more than `max_pixels` before it allocates them.

    Changes Pillow's process-wide limit and the warning filter; enter it once, around all threads that read.
    """
    before = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = max_pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def read_image(source: Path | bytes, *, max_bytes: int, max_pixels: int) -> NDArray[np.uint8]:
    """uint8 [H, W] or [H, W, 3] of a file, or of a file's content. Raises Refused."""
    picture = ImageOps.exif_transpose(_opened(source, max_bytes=max_bytes, max_pixels=max_pixels))
    if picture.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I"):
        return _eight_bits(np.asarray(picture))
    if picture.mode == "F":
        raise Refused("pixels are floating-point numbers, expected 8 or 16 bit: convert the file")
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if picture.mode in ("1", "L", "LA", "La"):
        return np.array(picture.convert("L"))
    pixels = np.array(picture.convert("RGB"))
    grey = bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all())
    return pixels[..., 0].copy() if grey else pixels


def read_surface(
    path: Path, mask_path: Path | None, label: str, settings: DatasetSettings, *, numbered: bool = False
) -> Surface:
    """An image with its mask, None for unknown pixel truth. Raises Refused, also where mask and class disagree.

    numbered: the mask holds numbers of defects or classes; every value above 0 is a defect.
    """
    limits = {"max_bytes": settings.max_bytes, "max_pixels": settings.max_pixels}
    image = read_image(path, **limits)
    if mask_path is None:
        return Surface(image, None)
    height, width = image.shape[:2]
    mask = read_mask(mask_path, (height, width), numbered=numbered, **limits)
    if label == GOOD and mask.any():
        raise Refused(f"mask {mask_path.name} marks a defect, class is good")
    if label != GOOD and not mask.any():
        raise Refused(f"mask {mask_path.name} is empty, class is {label}")
    return Surface(image, mask)


def shows_defect(mask_path: Path, settings: DatasetSettings) -> bool:
    """Whether a mask marks anything, for layouts where nothing else tells the class. Raises Refused."""
    with pixel_limit(settings.max_pixels):
        return bool(read_mask(mask_path, None, max_bytes=settings.max_bytes, max_pixels=settings.max_pixels).any())


def read_lines(path: Path) -> list[str]:
    """The rows of a small text file beside an image. Raises Refused where there is none."""
    try:
        size = path.stat().st_size
        if size > MAX_TEXT_BYTES:
            raise Refused(f"{path.name}: file has {size} bytes, an annotation at most {MAX_TEXT_BYTES}")
        return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise Refused(f"annotation {path.name}: {(error.strerror or 'cannot be read').lower()}") from None


def conversions(path: Path) -> tuple[str, ...]:
    """What is changed when an image file is read, in words; from its header alone."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            turned = picture.getexif().get(0x0112, 1) not in (0, 1)
            changes = [CONVERSIONS[picture.mode]] if picture.mode in CONVERSIONS else []
    except (*BROKEN, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return ()
    return (*changes, "EXIF orientation: turned") if turned else tuple(changes)


def read_mask(
    path: Path, shape: tuple[int, int] | None, *, max_bytes: int, max_pixels: int, numbered: bool = False
) -> NDArray[np.bool_]:
    """bool [H, W] for an image of `shape` (H, W; None: any). Raises Refused for another size or more than two values.

    numbered: any number of values is fine, those above 0 are defects.
    """
    try:
        if numbered and (picture := _opened(path, max_bytes=max_bytes, max_pixels=max_pixels)).mode == "P":
            # The palette shows the numbers in colours; the numbers themselves tell.
            values = np.array(picture)
        else:
            values = read_image(path, max_bytes=max_bytes, max_pixels=max_pixels)
    except Refused as refused:
        raise Refused(f"mask {path.name}: {refused}", setting=refused.setting) from None
    if shape is not None and values.shape[:2] != shape:
        # Width × height, as image viewers say it.
        came, expected = f"{values.shape[1]}×{values.shape[0]}", f"{shape[1]}×{shape[0]}"
        raise Refused(f"mask is {came}, image {expected}")
    if values.ndim == 3:
        values = values.max(axis=2)
    if numbered:
        return np.asarray(values > 0)
    levels = np.unique(values)
    if len(levels) <= 2 and (levels[0] == 0 or len(levels) == 1):
        return np.asarray(values > 0)
    soft = values[(values >= NOISE) & (values < 256 - NOISE)]
    region = max(REGION_PX, soft.size / 2)
    if (
        levels[-1] >= 256 - NOISE
        and soft.size <= SOFT_SHARE * values.size
        and np.bincount(soft, minlength=1).max() <= region
    ):
        return np.asarray(values >= 128)
    raise Refused(f"mask has {len(levels)} levels from {levels[0]} to {levels[-1]}, expected 0 and one other")


def _opened(source: Path | bytes, *, max_bytes: int, max_pixels: int) -> Image.Image:
    def stream() -> Path | io.BytesIO:
        return io.BytesIO(source) if isinstance(source, bytes) else source

    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size == 0:
            raise Refused("file is empty")
        if size > max_bytes:
            raise Refused(f"file has {size} bytes, at most {max_bytes}", setting="DatasetSettings.max_bytes")
        with Image.open(stream(), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > max_pixels:
                raise Refused(f"image is {width}×{height}, more than {max_pixels} pixels", setting=PIXELS)
            if min(width, height) < MIN_SIDE_PX:
                raise Refused(f"image is {width}×{height}, at least {MIN_SIDE_PX} pixels a side are needed")
            frames = getattr(picture, "n_frames", 1)
            if frames > 1 and picture.format != "MPO":
                raise Refused(f"file holds {frames} images, expected one")
            # Checks the sums of formats that have them; afterwards the file must be opened again.
            picture.verify()
        with Image.open(stream(), formats=FORMATS) as picture:
            picture.load()
            return picture
    except Refused:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused(f"image has more than {max_pixels} pixels", setting=PIXELS) from None
    except UnidentifiedImageError:
        raise Refused(f"not an image of a known format ({', '.join(FORMATS)})") from None
    except (*BROKEN, MemoryError) as error:
        raise Refused(f"cannot be read: {str(error)[:120] or type(error).__name__}") from None


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    lowest, highest = int(values.min()), int(values.max())
    if lowest < 0 or highest > 65535:
        raise Refused(f"grey values from {lowest} to {highest}, expected at most 16 bit: convert the file")
    return np.asarray((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
