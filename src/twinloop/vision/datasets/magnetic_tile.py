"""Magnetic tile defects (Huang et al., Visual Computer 2020): photographs with pixel masks, read where they lie.

Files are exp{E}_num_{N}: exposures 1…6 of one tile under consecutive numbers. Within the order of N
a series ends where the exposure number does not increase. Two crops of one tile leave interleaved,
incomplete series, and some tiles were cropped twice: neighbouring incomplete series are joined, and
so are neighbours that look the same. Splitting such parts would leak.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from twinloop.errors import InputError
from twinloop.vision.datasets import tree
from twinloop.vision.datasets.masks import read_mask
from twinloop.vision.datasets.reading import BROKEN, read_image
from twinloop.vision.datasets.samples import Collection, Refused, Sample, Surface, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

CLASSES = {
    "MT_Blowhole": "blowhole",
    "MT_Break": "break",
    "MT_Crack": "crack",
    "MT_Fray": "fray",
    "MT_Free": GOOD,
    "MT_Uneven": "uneven",
}
LOOKS_FOR = f"the folders {', '.join(CLASSES)} with Imgs/exp*_num_*.jpg"
NAME = re.compile(r"exp(\d+)_num_(\d+)\.jpe?g", re.IGNORECASE)
EXPOSURES = frozenset(range(1, 7))
# Correlation of 32×32 thumbnails: within a tile 0.95 in the median, between neighbouring tiles 0.5;
# crops of the same place reach 0.99.
SAME_TILE = 0.985
THUMBNAIL_PX = 32
# Four masks of class uneven are empty and one holds three pixels; the smallest drawn defect has 26.
SLIP_PX = 12


@dataclass(frozen=True, order=True)
class Photo:
    """One photograph: running number, exposure, class and file."""

    number: int
    exposure: int
    label: str
    path: Path


def locate(source: Path) -> Path | None:
    """The folder that holds MT_Blowhole …"""
    return tree.inner(source, lambda root: any((root / folder / "Imgs").is_dir() for folder in CLASSES))


def magnetic_tile(source: Path, settings: DatasetSettings) -> Collection:
    """All photographs in the folders of `CLASSES`, each with Imgs. Raises InputError where it is not that.

    A defective part whose mask is empty, or all but empty, has unknown pixel truth; it is not taken for good.
    """
    root = tree.expected(locate(source), source, LOOKS_FOR)
    photos = sorted(_photos(root))
    parts = join_lookalikes(join_incomplete(series(photos)))
    samples = [
        Sample(
            name=str(photo.path.relative_to(root)),
            label=photo.label,
            group=f"tile_{part[0].number:06d}",
            read=partial(_read, photo, settings.max_bytes, settings.max_pixels),
            path=photo.path,
            masks=(photo.path.with_suffix(".png"),),
        )
        for part in parts
        for photo in part
    ]
    notes = (
        "Exposures of one tile form one part; interleaved series and near-identical neighbours count as one tile.",
        f"A mask of fewer than {SLIP_PX} pixels on a defective tile is read as unknown pixel truth.",
    )
    text = "Magnetic tile defect data set (Huang et al. 2020), https://github.com/abin24/Magnetic-tile-defect-datasets."
    return Collection(tuple(samples), tree.origin(root, text), notes)


def series(photos: Sequence[Photo]) -> list[list[Photo]]:
    """Runs of increasing exposure number in the order of the running number."""
    runs: list[list[Photo]] = []
    for photo in photos:
        if not runs or photo.exposure <= runs[-1][-1].exposure:
            runs.append([])
        runs[-1].append(photo)
    return runs


def join_incomplete(runs: list[list[Photo]]) -> list[list[Photo]]:
    """Neighbouring runs that both lack an exposure are pieces of one tile that was cropped in several places."""
    parts: list[list[Photo]] = []
    previous_complete = True
    for run in runs:
        complete = {photo.exposure for photo in run} >= EXPOSURES
        if parts and not complete and not previous_complete:
            parts[-1] = parts[-1] + run
        else:
            parts.append(run)
        previous_complete = complete
    return parts


def join_lookalikes(parts: list[list[Photo]]) -> list[list[Photo]]:
    """Neighbouring parts with a pair of photographs that correlate above `SAME_TILE` are crops of one tile."""
    joined: list[list[Photo]] = []
    before = np.empty((0, THUMBNAIL_PX**2))
    for part in parts:
        now = np.array([thumbnail for photo in part if (thumbnail := _thumbnail(photo.path)) is not None])
        if len(before) and len(now) and float((before @ now.T).max()) > SAME_TILE:
            joined[-1] = joined[-1] + part
        else:
            joined.append(part)
        before = now
    return joined


def _thumbnail(path: Path) -> NDArray[np.float64] | None:
    """Unit vector whose inner products are correlations; None for a file that cannot be read (quarantined later)."""
    try:
        with Image.open(path, formats=("JPEG",)) as picture:
            picture.draft("L", (2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
            small = picture.convert("L").resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
    except (*BROKEN, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return None
    values = np.asarray(small, dtype=np.float64).ravel()
    values -= values.mean()
    length = float(np.sqrt((values**2).sum()))
    return values / length if length > 0 else None


def _photos(source: Path) -> list[Photo]:
    photos = []
    for folder, label in CLASSES.items():
        for path in sorted((source / folder / "Imgs").glob("*.[jJ]*")):
            match = NAME.fullmatch(path.name)
            if match is None:
                raise InputError(
                    f"data: {printable(str(path))}: expected a name like exp1_num_31.jpg, which tells the tile: "
                    "rename or remove the file"
                )
            photos.append(Photo(int(match[2]), int(match[1]), label, path))
    return photos


def _read(photo: Photo, max_bytes: int, max_pixels: int) -> Surface:
    image = read_image(photo.path, max_bytes=max_bytes, max_pixels=max_pixels)
    mask_path = photo.path.with_suffix(".png")
    if not mask_path.is_file():
        raise Refused(f"mask {mask_path.name} is missing")
    height, width = image.shape[:2]
    mask = read_mask(mask_path, (height, width), max_bytes=max_bytes, max_pixels=max_pixels)
    if photo.label == GOOD and mask.any():
        raise Refused("mask marks a defect, class is good")
    known = photo.label == GOOD or int(mask.sum()) >= SLIP_PX
    return Surface(image, mask if known else None)
