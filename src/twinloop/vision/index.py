"""A prepared dataset as other stages read it: an index in Parquet beside PNG images and masks.

Every file is checked against the digest in the index when it is read, so that an altered image
is named instead of being learnt from. Free of torch: figures and notebooks read it too.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from twinloop.errors import InputError, RunError
from twinloop.files import sha256
from twinloop.vision.mapped import mapped, write
from twinloop.vision.resizing import resize_image

GOOD = "good"
SPLITS = ("train", "val", "test")
INDEX_FILE = "index.parquet"
QUARANTINE_FILE = "quarantine.csv"
CARD_FILE = "card.md"
SCHEMA = pl.Schema(
    {
        "image": pl.String,
        "mask": pl.String,
        "label": pl.String,
        "group": pl.String,
        "split": pl.String,
        "sha256": pl.String,
        "mask_sha256": pl.String,
        "width": pl.Int64,
        "height": pl.Int64,
        "source": pl.String,
    }
)
# Nearest-pixel reduction loses thin cracks and a majority vote loses more: a quarter of the area is enough.
MASK_COVERAGE = 0.25


@dataclass(frozen=True, eq=False)
class ImageSet:
    """One split, in memory or mapped from a file (then it must not be written to).

    images: uint8 [N, H, W, C]. masks: uint8 [N, H, W], 1 on a defect. masked: bool [N], whether the pixel truth is
    known (a good part is known to be empty, a defective part without a mask is not). labels: int64 [N], places in
    `classes`, "good" first. groups: N independent parts. names: N paths inside the dataset.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    masked: NDArray[np.bool_]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    names: tuple[str, ...]
    pictures: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


def read_index(dataset: str | Path) -> pl.DataFrame:
    """The index of a prepared dataset, one row per image, in a fixed order. Raises InputError where there is none."""
    path = Path(dataset) / INDEX_FILE
    if not path.is_file():
        raise InputError(f"data: {path}: expected a prepared dataset, found none: run the prepare stage first")
    frame = pl.read_parquet(path)
    if frame.schema != SCHEMA:
        raise InputError(
            f"data: {path}: expected the columns {', '.join(SCHEMA)}, found {', '.join(frame.columns)}: "
            "run the prepare stage again"
        )
    return frame


def class_names(frame: pl.DataFrame) -> tuple[str, ...]:
    """All classes of an index, "good" first, the defects in alphabetical order."""
    return (GOOD, *sorted(set(frame["label"].unique()) - {GOOD}))


def load_images(dataset: str | Path, split: str, *, size: int, channels: int, cache: Path | None = None) -> ImageSet:
    """Read one split, every image resized to `size` × `size` pixels (area average; the aspect ratio is not kept).

    channels: 1 for grey, 3 for colour. cache: a folder in which the split is kept decoded and from which it is mapped
    instead of held in memory. A mask pixel is set where at least a quarter of its area is defect; a defect too thin for
    that keeps the pixels it covers most. Raises InputError for a split without images and RunError for a file that is
    missing or differs from its digest.
    """
    if split not in SPLITS or channels not in (1, 3) or size < 1:
        raise InputError(
            f"data: expected split in {SPLITS}, channels 1 or 3 and size ≥ 1, "
            f"found split {split!r}, channels {channels} and size {size}"
        )
    root, index = Path(dataset), read_index(dataset)
    rows = index.filter(pl.col("split") == split)
    if rows.is_empty():
        raise InputError(
            f"data: {root}: split {split!r} has no images, and only a kind of three parts is in every split: "
            "add images and prepare again"
        )
    classes = class_names(index)
    decoded = _decoded(root, rows, size, channels)
    if cache is None:
        images = np.empty((len(rows), size, size, channels), np.uint8)
        masks = np.empty((len(rows), size, size), np.uint8)
        for place, (image, mask) in enumerate(decoded):
            images[place], masks[place] = image, mask
    else:
        folder = cache / f"{sha256(root / INDEX_FILE)[:16]}-{split}-{size}-{channels}"
        held = mapped(folder)
        if held is not None:
            # What was decoded before is still of files that are as the index says.
            _check_files(root, rows)
        images, masks = held or write(folder, decoded, count=len(rows))
    labels = rows["label"].to_list()
    return ImageSet(
        images=images,
        masks=masks,
        masked=np.array([mask is not None or label == GOOD for mask, label in zip(rows["mask"], labels, strict=True)]),
        labels=np.array([classes.index(label) for label in labels], np.int64),
        classes=classes,
        groups=tuple(rows["group"]),
        names=tuple(rows["image"]),
        pictures=tuple(rows["source"]) if rows["source"].n_unique() < len(rows) else (),
    )


def _check_files(root: Path, rows: pl.DataFrame) -> None:
    for row in rows.iter_rows(named=True):
        _content(root / row["image"], row["sha256"])
        if row["mask"] is not None:
            _content(root / row["mask"], row["mask_sha256"])


def _decoded(
    root: Path, rows: pl.DataFrame, size: int, channels: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    for row in rows.iter_rows(named=True):
        picture = _read(root / row["image"], row["sha256"]).convert("L" if channels == 1 else "RGB")
        image = np.asarray(resize_image(picture, size)).reshape(size, size, channels)
        mask = np.zeros((size, size), np.uint8)
        if row["mask"] is not None:
            mask = resize_mask(np.asarray(_read(root / row["mask"], row["mask_sha256"])) > 0, size)
        yield image, mask


def resize_mask(mask: NDArray[np.bool_], size: int) -> NDArray[np.uint8]:
    """uint8 [size, size] in {0, 1} from a bool mask of any shape [H, W]; a non-empty mask stays non-empty."""
    if mask.shape == (size, size):
        return mask.astype(np.uint8)
    coverage = np.asarray(Image.fromarray(mask.astype(np.float32), "F").resize((size, size), Image.Resampling.BOX))
    enough = min(MASK_COVERAGE, float(coverage.max()) / 2)
    return ((coverage >= enough) & (coverage > 0)).astype(np.uint8)


def _read(path: Path, digest: str) -> Image.Image:
    with Image.open(io.BytesIO(_content(path, digest))) as picture:
        picture.load()
        return picture


def _content(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"data: {path}: cannot be read ({error.strerror}): run the prepare stage again") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise RunError(
            f"data: {path}: differs from its digest in {INDEX_FILE}: restore it or run the prepare stage again"
        )
    return content
