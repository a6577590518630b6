"""What every source of surfaces yields, whatever its layout: samples that can be read one by one.

A layout is a function from a source to samples. A sample knows its name, class and part before
it is read; reading gives a surface or raises `Refused` with the reason for the quarantine list.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.vision.index import GOOD

# Folder names that mean "no defect", in lower case without separators.
GOOD_NAMES = frozenset({"good", "normal", "ok", "pass", "free", "sound", "defectfree", "nodefect", "nondefective"})
NO_PARTS = "No part numbers come with the data: every image counts as a part of its own."
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})


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
    where the data came divided, else "".
    """

    name: str
    label: str
    group: str
    read: Callable[[], Surface]
    path: Path | None = None
    division: str = ""


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


def class_label(folder: str) -> str:
    """The class that a folder's name stands for: letters, digits, blank, dot, dash and underscore, at most 60 of them.

    >>> class_label("Defect-Free"), class_label("<b>crack</b>")
    ('good', '_b_crack_b_')
    """
    plain = unicodedata.normalize("NFC", folder).strip()
    if re.sub(r"[\W_]", "", plain).lower() in GOOD_NAMES:
        return GOOD
    label = re.sub(r"[^\w .-]+", "_", plain)[:60].strip(" .")
    if not label:
        raise InputError(f"data: {printable(folder)!r}: expected a class name with letters or digits: rename it")
    return label


def class_labels(folders: list[str]) -> dict[str, str]:
    """Class of every folder. Raises InputError where two folders would become one defect class."""
    labels: dict[str, str] = {}
    for folder in folders:
        label = class_label(folder)
        other = next((name for name, taken in labels.items() if taken == label), None)
        if other is not None and label != GOOD:
            raise InputError(
                f"data: folders {printable(other)!r} and {printable(folder)!r} both read as class {label!r}: rename one"
            )
        labels[folder] = label
    return labels


def printable(text: str) -> str:
    """`text` for a terminal: control characters and broken encodings are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)


def slug(text: str) -> str:
    """A harmless piece of a file name: a…z, 0…9 and underscores, at most 40 of them."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower())[:40].strip("_") or "image"
