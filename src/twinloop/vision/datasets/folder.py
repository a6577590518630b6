"""A user's own images: one folder per class, with masks where they are known.

    source/good/1.png            "good", "ok", "normal", "Gutteil" … mean: no defect; data.good names others
    source/scratch/7.png         every other folder is a defect class
    source/nok/scratch/7.png     also below a folder that only says that something is wrong
    source/scratch/7_mask.png    its pixels, beside the image (7_GT, 7-mask, 7.bmp …)
    source/masks/scratch/7.png   … or in a parallel tree of any name

One folder around it all is passed through.
"""

from collections import Counter
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets import tree
from twinloop.vision.datasets.classes import class_folders, masks_alone
from twinloop.vision.datasets.masks import masked_sample
from twinloop.vision.datasets.naming import classes_of
from twinloop.vision.datasets.pairing import SURE_TREE, paired
from twinloop.vision.datasets.parts import part_in_name
from twinloop.vision.datasets.samples import IMAGE_SUFFIXES, Collection, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.table import ENDINGS, unread
from twinloop.vision.index import GOOD

LOOKS_FOR = "one folder per class, such as good/ and scratch/, with images in them"


def locate(source: Path) -> Path | None:
    """The folder that holds the class folders: below folders with nothing but one other folder of folders."""
    root = source
    while len(inside := tree.folders(root)) == 1 and not tree.images(root, deep=False) and tree.folders(inside[0]):
        root = inside[0]
    classes = [path for path in tree.folders(root) if path.name != SURE_TREE]
    return root if any(tree.images(path) for path in classes) else None


def folder(source: Path, settings: DatasetSettings) -> Collection:
    """All images of a folder in the layout above. Raises InputError where nothing fits it."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    pairing = paired(root, settings, [path for path in tree.images(root) if path.parent != root])
    classes, notes = class_folders(root, pairing)
    full = set(classes) | {path.parent for path in classes} | masks_alone(root, pairing)
    for empty in [path for path in tree.folders(root) if path not in full]:
        raise InputError(f"data: {printable(str(empty))}: {_no_images(empty)}")
    named = classes_of((path.name for path in classes), settings.good, where=str(root))
    if GOOD not in named.labels.values() and (why := unread(root)):
        raise InputError(
            f"data: {printable(str(root))}: no folder says good (DatasetSettings.good), and {printable(why)}"
        )
    samples = []
    for path, images in classes.items():
        label = named.labels[path.name]
        for image in images:
            file = image.relative_to(root).as_posix()
            part = part_in_name(image, settings) or file
            samples.append(masked_sample(image, pairing.of(image), label, settings, name=file, group=part))
    strays = tuple((path.relative_to(root).as_posix(), reason) for path, reason in pairing.strays)
    text = "No SOURCE.txt, LICENSE or README beside the images: origin and licence unknown."
    return Collection(tuple(samples), tree.origin(root, text), (*notes, *named.notes), strays)


def _no_images(empty: Path) -> str:
    if tables := [path.name for path in sorted(empty.iterdir()) if path.suffix.lower() in ENDINGS]:
        return (
            f"expected images, found {tables[0]}: a table of labels belongs into {empty.parent.name}, above its images"
        )
    endings = Counter(path.suffix.lower() or "no ending" for path in empty.rglob("*") if path.is_file())
    told = ", ".join(f"{count} × {ending}" for ending, count in endings.most_common(3))
    if not told:
        return f"expected images ({', '.join(sorted(IMAGE_SUFFIXES))}), found none: add some, or take the folder away"
    return f"expected images of a class, found {told}: labels are read in the layouts that `doctor data` lists"
