"""A split decoded once at a model's size: two arrays in files that are mapped, not read, however many images there are.

What is mapped is what the index says: its digest names the folder, and both files are held against the digests that
they were written with. A cache may be thrown away at any time; of one dataset's, those of earlier contents are.
"""

import hashlib
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


def mapped(folder: Path, decoded: Iterator[tuple[Pixels, Pixels]], *, count: int) -> Decoded:
    """The arrays below `folder`, written first from `decoded` (image [H, W, C], mask [H, W]) where they are not there.

    What was altered since is written anew.
    """
    if not _sound(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with replacing(folder) as fresh:
            _write(fresh, decoded, count)
        _thin(folder.parent)
    images, masks = (np.asarray(np.load(folder / name, mmap_mode="r")) for name in (IMAGES, MASKS))
    return Decoded(images, masks)


def _sound(folder: Path) -> bool:
    try:
        digests = read_json(folder / MANIFEST)
        return all(sha256(folder / name) == digests[name] for name in (IMAGES, MASKS))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write(fresh: Path, decoded: Iterator[tuple[Pixels, Pixels]], count: int) -> None:
    with (fresh / IMAGES).open("wb") as images, (fresh / MASKS).open("wb") as masks:
        hashes = [hashlib.sha256(), hashlib.sha256()]
        for place, arrays in enumerate(decoded):
            for file, digest, pixels in zip((images, masks), hashes, arrays, strict=True):
                if not place:
                    digest.update(_header(file, (count, *pixels.shape)))
                content = pixels.tobytes()
                digest.update(content)
                file.write(content)
    names = zip((IMAGES, MASKS), hashes, strict=True)
    write_json(fresh / MANIFEST, {name: digest.hexdigest() for name, digest in names})


def _header(file: BinaryIO, shape: tuple[int, ...]) -> bytes:
    described = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(file, described)
    file.flush()
    return Path(file.name).read_bytes()


def _thin(cache: Path) -> None:
    """Forget the oldest; whoever has them mapped goes on with what is theirs."""
    folders = sorted((path for path in cache.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for folder in folders[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
