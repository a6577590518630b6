"""Images of different parts that look almost the same: crops, further exposures, the same file saved again.

A perceptual fingerprint of each image, a thumbnail without shading and without what all images share, is compared with
all others. Light and shape are common to a line's images and say nothing; what is left is the part's own.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE_PX = 16
# Correlation of fingerprints: of unrelated textures 0 ± 0.06, of a file saved again 0.99.
ALIKE = 0.95
# Fingerprints that vary less, in grey levels, say nothing; what all images share is known from this many on.
FAINTEST, SHARED_FROM = 0.5, 20
# Images compared, drawn evenly from more, and in blocks of so many.
COMPARED, BLOCK = 20_000, 1024


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Grey levels of an image uint8 [H, W] or [H, W, 3], averaged to 16 × 16, flat."""
    grey = Image.fromarray(image).convert("F" if image.ndim == 2 else "L").convert("F")
    small = grey.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float16).ravel()


def pairs(
    thumbnails: Sequence[NDArray[np.float16]], parts: Sequence[str], digests: Sequence[str]
) -> tuple[tuple[int, int], ...]:
    """Places of images that look alike and count as different parts; equal images (by digest) are not among them."""
    places = np.arange(0, len(thumbnails), max(-(-len(thumbnails) // COMPARED), 1))
    if len(places) < 2:
        return ()
    prints, kept = _fingerprints(np.array([thumbnails[int(place)] for place in places], np.float32))
    places = places[kept]
    found = []
    for start in range(0, len(prints), BLOCK):
        for row, column in np.argwhere(prints[start : start + BLOCK] @ prints.T > ALIKE):
            one, other = int(places[start + row]), int(places[column])
            if one < other and parts[one] != parts[other] and digests[one] != digests[other]:
                found.append((one, other))
    return tuple(found)


def remark(names: Sequence[str], alike: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """A sentence on the pairs that were found; nothing where there are none."""
    if not alike:
        return ()
    count = len({place for pair in alike for place in pair})
    one, other = alike[0]
    return (
        f"{count} images look almost like one of another part (first {names[one]} and {names[other]}): if they show "
        "the same part, groups.csv says so; else a detector is tested on what it has learnt.",
    )


def _fingerprints(levels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Unit vectors whose products are correlations, and the rows that have one."""
    y, x = np.indices((SIDE_PX, SIDE_PX)).reshape(2, -1) / SIDE_PX - 0.5
    shading, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * y, x**2, y**2], axis=1).astype(np.float32))
    plain = levels - levels @ shading @ shading.T
    kept = np.flatnonzero(plain.std(axis=1) > FAINTEST)
    units = _unit(plain[kept])
    if len(units) < SHARED_FROM:
        return units, kept
    own = units - units.mean(axis=0)
    told = np.linalg.norm(own, axis=1) > FAINTEST / SIDE_PX
    return _unit(own[told]), kept[told]


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
