"""A split decoded once at a model's size: two arrays in files that are mapped, not read, however many images there are.

What is mapped is what the index says: its digest names the folder, and both files are held against the digests that
they were written with. A cache may be thrown away at any time; of one dataset's, those of earlier contents are.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.files import read_json, replacing, sha256, write_json

IMAGES, MASKS, MANIFEST = "images.npy", "masks.npy", "digests.json"
KEPT = 8

Pixels = NDArray[np.uint8]


class Decoded(NamedTuple):
    """images uint8 [N, H, W, C] and masks uint8 [N, H, W]."""

    images: Pixels
    masks: Pixels


def mapped(folder: Path) -> Decoded | None:
    """The arrays below `folder`; None where they are not there or were altered."""
    try:
        digests = read_json(folder / MANIFEST)
        if any(sha256(folder / name) != digests[name] for name in (IMAGES, MASKS)):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _opened(folder)


def write(folder: Path, decoded: Iterator[tuple[Pixels, Pixels]], *, count: int) -> Decoded:
    """Write the arrays of `count` images, one by one, and map them: image [H, W, C], mask [H, W]."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replacing(folder) as fresh:
        with (fresh / IMAGES).open("wb") as images, (fresh / MASKS).open("wb") as masks:
            for place, arrays in enumerate(decoded):
                for file, pixels in zip((images, masks), arrays, strict=True):
                    if not place:
                        _header(file, (count, *pixels.shape))
                    file.write(pixels.tobytes())
        write_json(fresh / MANIFEST, {name: sha256(fresh / name) for name in (IMAGES, MASKS)})
    _thin(folder.parent)
    return _opened(folder)


def _opened(folder: Path) -> Decoded:
    return Decoded(*(np.asarray(np.load(folder / name, mmap_mode="r")) for name in (IMAGES, MASKS)))


def _header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_2_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _thin(cache: Path) -> None:
    """Forget the oldest; whoever has them mapped goes on with what is theirs."""
    folders = sorted((path for path in cache.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for folder in folders[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
