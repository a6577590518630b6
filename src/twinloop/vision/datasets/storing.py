"""Samples read, made into files and judged: images and masks as PNG, what is refused on a list.

Images are stored without loss under numbered names of our own; names from the data appear only as
text. The exposures of a part are read by one worker, results come in the order of the samples.
"""

import csv
import hashlib
import io
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from twinloop.files import write_text
from twinloop.progress import bar, say
from twinloop.spreadsheets import as_text
from twinloop.vision.datasets.comparing import Look
from twinloop.vision.datasets.needs import Seen, seen
from twinloop.vision.datasets.reading import pixel_limit
from twinloop.vision.datasets.samples import Refused, Sample, Surface, printable, slug
from twinloop.vision.datasets.tiles import tiles
from twinloop.vision.index import GOOD, QUARANTINE_FILE

# As many refusals are told one by one; the quarantine list holds them all.
TOLD = 20
Row = dict[str, str | int | None]


class Whole(NamedTuple):
    """What a picture told before it was cut: its class, what it is compared with others by, what an input must show."""

    label: str
    look: Look | None
    seen: Seen


@dataclass(frozen=True)
class Stored:
    """A surface, or a tile of one, that was written: its row of the index (without split), the digest of its pixels and
    mask, the digest of its whole picture, the split it came with, and of the first tile what the picture told.
    """

    row: Row
    content: str
    picture: str
    division: str = ""
    whole: Whole | None = None

    @property
    def sha256(self) -> str:
        return str(self.row["sha256"])

    @property
    def label(self) -> str:
        return str(self.row["label"])

    @property
    def group(self) -> str:
        return str(self.row["group"])

    @property
    def source(self) -> str:
        return str(self.row["source"])


@dataclass
class Quarantine:
    """Files left out with the reason; told as they come. `total` files are looked at, `place` is where they lie.

    named: gives a reason with settings called as the reader knows them.
    """

    total: int
    place: str
    named: Callable[[str], str] = str
    entries: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def share(self) -> float:
        return len(self) / self.total if self.total else 0.0

    def add(self, name: str, reason: str) -> None:
        """Enter one file."""
        self.entries.append((printable(name), printable(self.named(reason))))
        if len(self) <= TOLD:
            file = f"{self.place}/{self.entries[-1][0]}"
            say(f"data: {file}: {self.entries[-1][1]}: quarantined ({len(self)} of {self.total} so far)")
        elif len(self) == TOLD + 1:
            say(f"data: further quarantined files are listed in {QUARANTINE_FILE} only")

    def most_common(self) -> tuple[str, int]:
        """The most frequent reason and how often it came."""
        return Counter(reason for _, reason in self.entries).most_common(1)[0]

    def save(self, path: Path) -> None:
        """Write CSV: file, reason."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("file", "reason"))
        writer.writerows((as_text(file), as_text(reason)) for file, reason in self.entries)
        write_text(path, text.getvalue())


def store(
    samples: Sequence[Sample],
    quarantine: Quarantine,
    target: Path,
    *,
    max_pixels: int,
    workers: int,
    tile_px: int = 0,
) -> list[Stored]:
    """Write every sample that can be read below `target`, enter the others in `quarantine`.

    tile_px: side of the tiles that larger surfaces are cut into; 0 for none.
    """
    for folder in ("images", "masks"):
        (target / folder).mkdir()
    numbered = list(enumerate(samples))
    parts = [list(run) for _, run in itertools.groupby(numbered, key=lambda item: item[1].group)]
    stored: list[Stored] = []
    with (
        pixel_limit(max_pixels),
        ThreadPoolExecutor(max_workers=max(workers, 1)) as pool,
        bar("surface", len(samples)) as shown,
    ):
        for part, results in zip(parts, pool.map(partial(_store_part, target, tile_px), parts), strict=True):
            for (_, sample), result in zip(part, results, strict=True):
                if isinstance(result, Refused):
                    quarantine.add(sample.name, result.for_operator)
                else:
                    stored += result
            shown.step(len(part), note=f"{len(quarantine)} quarantined" if quarantine else "")
    return stored


def _store_part(target: Path, tile_px: int, part: list[tuple[int, Sample]]) -> list[list[Stored] | Refused]:
    return [_store(target, tile_px, number, sample) for number, sample in part]


def _store(target: Path, tile_px: int, number: int, sample: Sample) -> list[Stored] | Refused:
    try:
        surface = sample.read()
    except Refused as refused:
        return refused
    look = Look.at(sample.path, surface.image) if sample.path is not None else None
    told = Whole(sample.label, look, seen(surface.image, surface.mask if sample.label != GOOD else None))
    cut = list(tiles(surface, tile_px)) if tile_px else [surface]
    picture = hashlib.sha256(str(surface.image.shape).encode() + surface.image.tobytes()).hexdigest()
    name = f"{number:06d}_{slug(Path(sample.name).stem)}"
    stored = []
    for place, tile in enumerate(cut):
        # Without a mask any tile may show the defect: all are called by it, and training looks for the one.
        shows = len(cut) == 1 or tile.mask is None or bool(tile.mask.any())
        row, content = _written(
            target,
            name if len(cut) == 1 else f"{name}_{place:04d}",
            tile,
            {"label": sample.label if shows else GOOD, "group": printable(sample.group)},
        )
        row["source"] = printable(sample.name)
        stored.append(Stored(row, content, picture, sample.division, None if place else told))
    return stored


def _written(target: Path, stem: str, surface: Surface, known: dict[str, str]) -> tuple[Row, str]:
    """The row of a surface whose files were written (without its source), and the digest of its pixels and mask."""
    name, label = f"{stem}.png", known["label"]
    height, width = surface.image.shape[:2]
    image = _png(surface.image)
    (target / "images" / name).write_bytes(image)
    content = hashlib.sha256(str(surface.image.shape).encode() + surface.image.tobytes())
    mask_file = mask_digest = None
    # A good part is known to be empty, it needs no file.
    if surface.mask is not None and label != GOOD:
        mask = _png(surface.mask.astype(np.uint8) * 255)
        mask_file, mask_digest = f"masks/{name}", hashlib.sha256(mask).hexdigest()
        (target / mask_file).write_bytes(mask)
        content.update(surface.mask.tobytes())
    row: Row = {
        "image": f"images/{name}",
        "mask": mask_file,
        **known,
        "sha256": hashlib.sha256(image).hexdigest(),
        "mask_sha256": mask_digest,
        "width": width,
        "height": height,
    }
    return row, content.hexdigest()


def _png(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    # Level 3 packs photographs nearly as well as level 6 in half the time.
    Image.fromarray(pixels).save(stream, "PNG", compress_level=3)
    return stream.getvalue()
