"""A user's own images: one folder per class, with masks and parts where they are known.

    source/good/1.png            "good", "ok", "normal", "free" … mean: no defect
    source/scratch/7.png         every other folder is a defect class
    source/scratch/7_mask.png    its pixels, beside the image …
    source/masks/scratch/7.png   … or in a parallel tree (also 7_mask.png)
    source/groups.csv            columns file,group: which images show the same part

Without groups.csv the text before a double underscore names the part (`tile7__2.png`); an image
without either is a part of its own. One folder around it all is passed through.
"""

import csv
from functools import partial
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets.reading import read_image, read_mask
from twinloop.vision.datasets.samples import (
    IMAGE_SUFFIXES,
    Collection,
    Refused,
    Sample,
    Surface,
    class_labels,
    printable,
)
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

MASK_TREE = "masks"
MASK_END = "_mask"
GROUPS_FILE = "groups.csv"
NOTES = ("SOURCE.txt", "LICENSE", "LICENSE.txt", "README.md", "README.txt", "README")
LAYOUT = "expected one folder per class, such as good/ and scratch/, with images in them"


def folder(source: Path, settings: DatasetSettings) -> Collection:
    """All images of a folder in the layout above. Raises InputError where nothing fits it."""
    root = _inner(source)
    classes = sorted(path.name for path in _folders(root) if path.name != MASK_TREE)
    labels = class_labels(classes)
    images = {name: [path for path in _images(root / name) if not path.stem.endswith(MASK_END)] for name in classes}
    empty = [name for name, paths in images.items() if not paths]
    if not classes:
        raise InputError(f"data: {printable(str(source))}: {LAYOUT}, found no folder: see factory.data.source")
    if empty:
        raise InputError(
            f"data: {printable(str(root / empty[0]))}: expected images ({', '.join(sorted(IMAGE_SUFFIXES))}), "
            "found none: add some or remove the folder"
        )
    masks = _masks(root, classes)
    groups = _read_groups(root)
    samples, used = [], set[Path]()
    for name in classes:
        for path in images[name]:
            file = path.relative_to(root).as_posix()
            mask = masks.get(path.relative_to(root).with_suffix("").as_posix())
            used.update([mask] if mask else [])
            samples.append(
                Sample(
                    name=file,
                    label=labels[name],
                    group=groups.pop(file, "") or _part(path, file),
                    read=partial(_read, path, mask, labels[name], settings.max_bytes, settings.max_pixels),
                )
            )
    if groups:
        raise InputError(
            f"data: {printable(str(root / GROUPS_FILE))}: names {printable(next(iter(groups)))!r}, which is not an "
            f"image of this folder ({len(groups)} such rows): paths are relative to the file, with forward slashes"
        )
    orphans = sorted(set(masks.values()) - used)
    strays = tuple((path.relative_to(root).as_posix(), "mask has no image") for path in orphans)
    return Collection(tuple(samples), _origin(root), strays=strays)


def _inner(source: Path) -> Path:
    """Below folders that hold nothing but one other folder of folders, as archives often have."""
    root = source
    while len(inside := _folders(root)) == 1 and not _images(root, deep=False) and _folders(inside[0]):
        root = inside[0]
    return root


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX")))


def _images(root: Path, *, deep: bool = True) -> list[Path]:
    found = root.rglob("*") if deep else root.glob("*")
    return sorted(
        path
        for path in found
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _masks(root: Path, classes: list[str]) -> dict[str, Path]:
    """Mask files by the image they belong to: its path below the root, without suffix."""
    found: dict[str, Path] = {}
    for name in classes:
        for path in _images(root / name):
            if path.stem.endswith(MASK_END):
                found[_image_of(path.relative_to(root))] = path
    if (root / MASK_TREE).is_dir():
        for path in _images(root / MASK_TREE):
            found[_image_of(path.relative_to(root / MASK_TREE))] = path
    return found


def _image_of(mask: Path) -> str:
    return mask.with_name(mask.stem.removesuffix(MASK_END)).as_posix()


def _part(path: Path, file: str) -> str:
    part, separator, _ = path.stem.partition("__")
    return part if separator and part else file


def _read_groups(root: Path) -> dict[str, str]:
    path = root / GROUPS_FILE
    if not path.is_file():
        return {}
    groups: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = csv.DictReader(stream)
        if not {"file", "group"} <= set(rows.fieldnames or ()):
            raise InputError(f"data: {printable(str(path))}: expected the columns file,group, found {rows.fieldnames}")
        for row in rows:
            file, group = (row["file"] or "").strip(), (row["group"] or "").strip()
            if not file or not group or groups.get(file, group) != group:
                raise InputError(
                    f"data: {printable(str(path))}:{rows.line_num}: expected one file and its group, "
                    f"found {printable(file)!r} and {printable(group)!r}: mend the row"
                )
            groups[file] = group
    return groups


def _read(path: Path, mask_path: Path | None, label: str, max_bytes: int, max_pixels: int) -> Surface:
    image = read_image(path, max_bytes=max_bytes, max_pixels=max_pixels)
    if mask_path is None:
        return Surface(image, None)
    height, width = image.shape[:2]
    mask = read_mask(mask_path, (height, width), max_bytes=max_bytes, max_pixels=max_pixels)
    if label == GOOD and mask.any():
        raise Refused(f"mask {mask_path.name} marks a defect, class is good")
    if label != GOOD and not mask.any():
        raise Refused(f"mask {mask_path.name} is empty, class is {label}")
    return Surface(image, mask)


def _origin(root: Path) -> str:
    for name in NOTES:
        if (root / name).is_file():
            return (root / name).read_text(encoding="utf-8", errors="replace")[:4000]
    return "No SOURCE.txt, LICENSE or README beside the images: origin and licence unknown."
