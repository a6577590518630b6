"""One image file, made uniform or refused with a reason.

Result: 8-bit grey or RGB, turned as its EXIF says. Deep grey is scaled from the bits that the values fill, which is
often less than the file could hold (12 in 16); CMYK and other colour spaces are converted, palettes resolved,
transparency dropped.
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

from twinloop.vision.datasets.samples import Refused

# Formats whose Pillow readers are plain decoders: nothing that starts another program.
PIXELS = "DatasetSettings.max_pixels"
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM", "GIF")
BROKEN = (OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error)
MIN_SIDE_PX = 8
MAX_TEXT_BYTES = 5_000_000
DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I")
# Values that leave this many bits or fewer of 16 filled come from a camera of fewer bits, or from the dark.
SHALLOW_BITS = 12
# The same of colours, of which Pillow reads the upper eight bits alone.
SHALLOW_COLOUR = 1 << (SHALLOW_BITS - 8)
# EXIF's numbers of a turn (JEITA CP-3451, tag 0x0112); 1 is none.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
CONVERSIONS = {
    **dict.fromkeys(DEEP, "16-bit grey: scaled to 8 bit"),
    "CMYK": "CMYK: converted to RGB",
    "YCbCr": "YCbCr: converted to RGB",
    "LAB": "LAB: converted to RGB",
    "P": "palette: resolved to RGB",
    "LA": "transparency: dropped",
    "RGBA": "transparency: dropped",
    "1": "one bit: black and white",
}


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


def read_image(source: Path | bytes, *, max_bytes: int, max_pixels: int, depth_bits: int = 0) -> NDArray[np.uint8]:
    """uint8 [H, W] or [H, W, 3] of a file, or of a file's content. Raises Refused.

    depth_bits: how many bits the values of deep grey fill; 0: those of the file, and values that leave the upper bits
    empty are refused, since one image cannot tell a dark picture from a shallow one.
    """
    return read_turned(source, max_bytes=max_bytes, max_pixels=max_pixels, depth_bits=depth_bits)[0]


def read_turned(
    source: Path | bytes, *, max_bytes: int, max_pixels: int, depth_bits: int = 0
) -> tuple[NDArray[np.uint8], int]:
    """As `read_image`, and the EXIF number (1 … 8) of the turn that was applied; 1: none."""
    picture = opened_picture(source, max_bytes=max_bytes, max_pixels=max_pixels)
    turn = _turn(picture)
    picture = ImageOps.exif_transpose(picture)
    if is_deep(picture):
        return eight_bits(np.asarray(picture), depth_bits=depth_bits), turn
    if picture.mode == "F":
        raise Refused("pixels are floating-point numbers, expected 8 or 16 bit: convert the file")
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if picture.mode in ("1", "L", "LA", "La"):
        return np.array(picture.convert("L")), turn
    pixels = np.array(picture.convert("RGB"))
    grey = bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all())
    return (pixels[..., 0].copy() if grey else pixels), turn


def is_deep(picture: Image.Image) -> bool:
    """Whether a picture holds grey values of more than 8 bits."""
    return picture.mode in DEEP


def turned(mask: NDArray[np.bool_], turn: int) -> NDArray[np.bool_]:
    """A mask [H, W] turned as EXIF's number says."""
    return np.asarray(Image.fromarray(mask.astype(np.uint8)).transpose(TURNS[turn])) > 0


def highest_value(path: Path, *, max_bytes: int, max_pixels: int) -> int | None:
    """The highest grey value of a deep file; None for any other file and for one that cannot be read."""
    try:
        with Image.open(path, formats=FORMATS) as header:
            if not is_deep(header):
                return None
        return int(np.asarray(opened_picture(path, max_bytes=max_bytes, max_pixels=max_pixels)).max())
    except (Refused, *BROKEN, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return None


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
            changes = [CONVERSIONS[picture.mode]] if picture.mode in CONVERSIONS else []
            if _is_deep_colour(picture):
                changes.append("16-bit colour: its upper 8 bits are read")
            # Of a PNG this loads the picture, whose kind of pixels is forgotten then.
            turned = _turn(picture) != 1
    except (*BROKEN, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return ()
    return (*changes, "EXIF orientation: turned") if turned else tuple(changes)


def opened_picture(
    source: Path | bytes, *, max_bytes: int, max_pixels: int, least_px: int = MIN_SIDE_PX
) -> Image.Image:
    """A picture file, checked and loaded. least_px: the shortest side that is read. Raises Refused."""

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
            if min(width, height) < least_px:
                raise Refused(f"image is {width}×{height}, at least {least_px} pixels a side are needed")
            frames = getattr(picture, "n_frames", 1)
            if frames > 1 and picture.format != "MPO":
                raise Refused(
                    f"file holds {frames} images, expected one: save the one that is meant as a file of its own"
                )
            deep_colour = _is_deep_colour(picture)
            # Checks the sums of formats that have them; afterwards the file must be opened again.
            picture.verify()
        with Image.open(stream(), formats=FORMATS) as picture:
            picture.load()
            if deep_colour and 0 < int(np.asarray(picture.convert("RGB")).max()) < SHALLOW_COLOUR:
                raise Refused("its 16-bit colours leave the upper bits empty, of which 8 are read: scale them to 16")
            return picture
    except Refused:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused(f"image has more than {max_pixels} pixels", setting=PIXELS) from None
    except UnidentifiedImageError:
        raise Refused(f"not an image of a known format ({', '.join(FORMATS)})") from None
    except (*BROKEN, MemoryError) as error:
        raise Refused(f"cannot be read: {str(error)[:120] or type(error).__name__}") from None


def eight_bits(values: NDArray[np.generic], *, depth_bits: int) -> NDArray[np.uint8]:
    """Deep grey values scaled to 8 bit; depth_bits as in `read_image`. Raises Refused for values beyond it."""
    lowest, highest = int(values.min()), int(values.max())
    if lowest < 0 or highest > 65535:
        raise Refused(f"grey values from {lowest} to {highest}, expected at most 16 bit: convert the file")
    if depth_bits == 0 and 0 < highest < 1 << SHALLOW_BITS:
        raise Refused(f"its 16-bit values end at {highest}, which fills {highest.bit_length()} bits: scale them to 16")
    full = (1 << (depth_bits or 16)) - 1
    if highest > full:
        raise Refused(f"grey value {highest} is beyond {depth_bits} bits", setting="DatasetSettings.depth_bits")
    return np.asarray((values.astype(np.uint32) * 255 + full // 2) // full).astype(np.uint8)


def _is_deep_colour(picture: Image.Image) -> bool:
    """Whether a picture that is not loaded yet holds colours of 16 bits."""
    return picture.mode in ("LA", "RGB", "RGBA") and any(";16" in str(tile[3]) for tile in getattr(picture, "tile", ()))


def _turn(picture: Image.Image) -> int:
    turn = picture.getexif().get(0x0112, 1)
    return turn if turn in TURNS else 1
