"""A user's own images: one folder per class, with masks and parts where they are known.

    source/good/1.png            "good", "ok", "normal", "free" … mean: no defect
    source/scratch/7.png         every other folder is a defect class
    source/scratch/7_mask.png    its pixels, beside the image …
    source/masks/scratch/7.png   … or in a parallel tree (also 7_mask.png)
    source/groups.csv            columns file,group: which images show the same part

Without groups.csv the text before a double underscore names the part (`tile7__2.png`); an image
without either is a part of its own. One folder around it all is passed through.
"""

from functools import partial
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets import tree
from twinloop.vision.datasets.reading import read_surface
from twinloop.vision.datasets.samples import IMAGE_SUFFIXES, Collection, Sample, class_labels, printable
from twinloop.vision.datasets.settings import DatasetSettings

MASK_TREE = "masks"
MASK_END = "_mask"
GROUPS_FILE = "groups.csv"
LOOKS_FOR = "one folder per class, such as good/ and scratch/, with images in them"


def locate(source: Path) -> Path | None:
    """The folder that holds the class folders: below folders with nothing but one other folder of folders."""
    root = source
    while len(inside := tree.folders(root)) == 1 and not tree.images(root, deep=False) and tree.folders(inside[0]):
        root = inside[0]
    classes = [path for path in tree.folders(root) if path.name != MASK_TREE]
    return root if any(tree.images(path) for path in classes) else None


def folder(source: Path, settings: DatasetSettings) -> Collection:
    """All images of a folder in the layout above. Raises InputError where nothing fits it."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    classes = [path.name for path in tree.folders(root) if path.name != MASK_TREE]
    labels = class_labels(classes)
    images = {name: [path for path in tree.images(root / name) if not path.stem.endswith(MASK_END)] for name in classes}
    empty = [name for name, paths in images.items() if not paths]
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
            part = groups.pop(file, "") or _part(path, file)
            read = partial(read_surface, path, mask, labels[name], settings)
            samples.append(Sample(file, labels[name], part, read, path=path))
    if groups:
        raise InputError(
            f"data: {printable(str(root / GROUPS_FILE))}: names {printable(next(iter(groups)))!r}, which is not an "
            f"image of this folder ({len(groups)} such rows): paths are relative to the file, with forward slashes"
        )
    orphans = sorted(set(masks.values()) - used)
    strays = tuple((path.relative_to(root).as_posix(), "mask has no image") for path in orphans)
    text = "No SOURCE.txt, LICENSE or README beside the images: origin and licence unknown."
    return Collection(tuple(samples), tree.origin(root, text), strays=strays)


def _masks(root: Path, classes: list[str]) -> dict[str, Path]:
    """Mask files by the image they belong to: its path below the root, without suffix."""
    masks: dict[str, Path] = {}
    for name in classes:
        for path in tree.images(root / name):
            if path.stem.endswith(MASK_END):
                masks[_image_of(path.relative_to(root))] = path
    if (root / MASK_TREE).is_dir():
        for path in tree.images(root / MASK_TREE):
            masks[_image_of(path.relative_to(root / MASK_TREE))] = path
    return masks


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
    for number, cells in tree.table(path, ("file", "group")):
        file, group = cells["file"], cells["group"]
        if not file or not group or groups.get(file, group) != group:
            raise InputError(
                f"data: {printable(str(path))}:{number}: expected one file and its group, "
                f"found {printable(file)!r} and {printable(group)!r}: fix the row"
            )
        groups[file] = group
    return groups
