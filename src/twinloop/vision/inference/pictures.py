"""Image files as a detector takes them: whole, or row by row where they are too large to be held twice.

The rules are those of the prepare stage (`datasets.reading`), so that a station sees what training saw. Row by
row, plain grey and colour files stay with Pillow: it maps uncompressed grey ones from the disk, decodes others once.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from twinloop.errors import InputError
from twinloop.vision.datasets.reading import BROKEN, FORMATS, MIN_SIDE_PX, pixel_limit, read_image

Pixels = NDArray[np.uint8]
# Below Pillow's own limit for images, so that it needs no other one: threads share that limit.
MAX_PIXELS = 50_000_000
MAX_BYTES = 100_000_000
LARGE_PIXELS = 1_000_000_000
LARGE_BYTES = 4_000_000_000
ORIENTATION = 0x0112  # EXIF


class Rows(Protocol):
    """An image that is read row by row: shape (height, width); rows(top, bottom) gives [n, width] or [n, width, 3]."""

    shape: tuple[int, int]

    def rows(self, top: int, bottom: int) -> Pixels: ...


class ArrayRows:
    """An array uint8 [H, W] or [H, W, 1 or 3], also one that numpy maps from the disk."""

    def __init__(self, pixels: Pixels) -> None:
        check_pixels(pixels)
        self._pixels = pixels
        self.shape = (pixels.shape[0], pixels.shape[1])

    def rows(self, top: int, bottom: int) -> Pixels:
        return np.asarray(self._pixels[top:bottom])


class FileRows:
    """A plain 8-bit grey or colour file in Pillow's hands."""

    def __init__(self, picture: Image.Image) -> None:
        self._picture = picture
        self.shape = (picture.height, picture.width)

    def rows(self, top: int, bottom: int) -> Pixels:
        return np.asarray(self._picture.crop((0, top, self.shape[1], bottom)))


def check_pixels(image: Pixels) -> None:
    """Raise InputError unless uint8 of shape [H, W], [H, W, 1] or [H, W, 3] with at least one pixel."""
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3)):
        raise InputError(
            f"image: expected uint8 of shape [H, W], [H, W, 1] or [H, W, 3], got {image.dtype} of shape {image.shape}"
        )
    if 0 in image.shape:
        raise InputError(f"image: expected at least one pixel, got shape {image.shape}")


def read_picture(source: Path | bytes, *, max_bytes: int = MAX_BYTES) -> Pixels:
    """uint8 [H, W] or [H, W, 3] of a file, or of its content. Raises Refused; threads may read at once."""
    return read_image(source, max_bytes=max_bytes, max_pixels=MAX_PIXELS)


@contextmanager
def opened_rows(path: Path) -> Iterator[Rows]:
    """A file of up to 10⁹ pixels, row by row. Raises Refused; not for several threads at once."""
    with pixel_limit(LARGE_PIXELS):
        picture = _plain(path)
        if picture is not None:
            with picture:
                yield FileRows(picture)
            return
        pixels = read_image(path, max_bytes=LARGE_BYTES, max_pixels=LARGE_PIXELS)
    yield ArrayRows(pixels)


def _plain(path: Path) -> Image.Image | None:
    """The file, its pixels at hand, where they need no conversion; None where `read_image` must see to it."""
    with ExitStack() as stack:
        try:
            picture = stack.enter_context(Image.open(path, formats=FORMATS))
            if (
                picture.mode in ("L", "RGB")
                and min(picture.size) >= MIN_SIDE_PX
                and picture.getexif().get(ORIENTATION, 1) == 1
                and getattr(picture, "n_frames", 1) == 1
            ):
                picture.load()
                stack.pop_all()
                return picture
        except (*BROKEN, Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
            return None  # read_image finds the same fault and names it
    return None
