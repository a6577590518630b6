"""What every source of surfaces yields, whatever its layout: samples that can be read one by one.

A layout is a function from a source to samples. A sample knows its name, class and part before
it is read; reading gives a surface or raises `Refused` with the reason for the quarantine list.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NO_PARTS = "No part numbers come with the data: every image counts as a part of its own."
IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".pgm", ".ppm"}
)


class Refused(Exception):
    """One file cannot be used; the text is the reason, fit for whoever sent the file.

    setting: what an operator may change about it, such as DatasetSettings.max_bytes; empty where nothing.
    """

    def __init__(self, reason: str, *, setting: str = "") -> None:
        super().__init__(reason)
        self.setting = setting

    @property
    def for_operator(self) -> str:
        """The reason with the setting, for the quarantine list."""
        return f"{self} ({self.setting})" if self.setting else str(self)


@dataclass(frozen=True, eq=False)
class Surface:
    """One surface in memory: image uint8 [H, W] or [H, W, 3]; mask bool [H, W], None where pixel truth is unknown."""

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Sample:
    """One surface that can be read.

    name: as its owner knows it, relative to the source; may hold any character. label: "good" or a defect class.
    group: the independent part; all images of a part stay on one side of a split. read: gives the surface, the same
    every time, or raises Refused. path: its image file, None where it is rendered. division: "train", "val" or "test"
    where the data came divided, else "". masks: the mask files that reading joins, where its truth is in such files.
    """

    name: str
    label: str
    group: str
    read: Callable[[], Surface]
    path: Path | None = None
    division: str = ""
    masks: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Collection:
    """All samples of a source, in a fixed order; `origin` and `notes` are shown in the data card.

    strays: (name, reason) of files that belong to no sample; they count as quarantined. layout: the layout's name.
    """

    samples: tuple[Sample, ...]
    origin: str
    notes: tuple[str, ...] = ()
    strays: tuple[tuple[str, str], ...] = ()
    layout: str = ""


def printable(text: str) -> str:
    """`text` for a terminal: control characters and broken encodings are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)


def slug(text: str) -> str:
    """A harmless piece of a file name: a…z, 0…9 and underscores, at most 40 of them."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower())[:40].strip("_") or "image"
