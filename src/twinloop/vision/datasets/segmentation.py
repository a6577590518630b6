"""Images and masks in two folders, as for semantic segmentation: the mask tells the class.

    images/7.png   masks/7.png        any two names; also train/images and train/masks, or 7.png beside 7_mask.png

An empty mask means good, any other a defect. Two-valued pictures are the masks, whatever their folder is called.
"""

import re
from dataclasses import replace
from pathlib import Path

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.masks import looks_like_mask, masked_sample, shows_defect
from twinloop.vision.datasets.pairing import LOOKED_AT, MASK_WORDS, Pairing, paired
from twinloop.vision.datasets.parts import part_in_name
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.unmarked import read_unmarked
from twinloop.vision.index import GOOD

LOOKS_FOR = "images/N.png and masks/N.png in two folders (also in train, val, test), the class told by the mask"
DEFECT = "defect"
IMAGE_NAMES = "image images img imgs picture pictures photo photos jpegimages rgb input inputs bilder"
IMAGE_WORDS = frozenset(IMAGE_NAMES.split())


def locate(source: Path) -> Path | None:
    """The folder that holds a folder of images and one that is called something like masks, or the sets that do."""
    return tree.inner(source, lambda root: _holds_pair(root) or any(map(_holds_pair, _divisions(root))))


def segmentation(source: Path, settings: DatasetSettings) -> Collection:
    """All images with a mask. Raises InputError where nothing fits the layout, or where images come without one."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    pairing = paired(root, settings)
    samples, strays = [], [(path.relative_to(root).as_posix(), reason) for path, reason in pairing.strays]
    bare = [image for image in pairing.images if not pairing.of(image)]
    for image in pairing.images:
        file = image.relative_to(root)
        try:
            label = _label(image, pairing, settings)
        except Refused as refused:
            strays.append((file.as_posix(), refused.for_operator))
            continue
        if label is None:
            continue
        group = part_in_name(image, settings) or file.as_posix()
        sample = masked_sample(image, pairing.of(image), label, settings, name=file.as_posix(), group=group)
        samples.append(replace(sample, division=tree.division(file)))
    good, left, notes = read_unmarked(root, bare, samples, "mask", settings)
    text = "No SOURCE.txt, LICENSE or README beside the images: origin and licence unknown."
    told = ("The class is read from the mask.", *notes)
    return Collection((*samples, *good), tree.origin(root, text), told, (*strays, *left))


def _label(image: Path, pairing: Pairing, settings: DatasetSettings) -> str | None:
    masks = pairing.of(image)
    if not masks:
        return None
    return DEFECT if any(shows_defect(mask, settings) for mask in masks) else GOOD


def _holds_pair(root: Path) -> bool:
    """Whether `root` holds two folders that say image and mask or show it, or images with their masks beside."""
    inside = {path: tree.by_stem(path) for path in tree.folders(root)}
    if not inside:
        stems = tree.by_stem(root)
        return any(end in MASK_WORDS and stem[: -len(end) - 1] in stems for stem in stems for end in [_last_word(stem)])
    if len(inside) != 2 or not all(map(tree.images, inside)):
        return False
    names = [path.name.lower().replace("_", "") for path in inside]
    if len({*names} & IMAGE_WORDS) == len({*names} & MASK_WORDS) == 1:
        return True
    first, second = inside.values()
    shared = sorted(set(first) & set(second))
    if 2 * len(shared) < max(len(first), len(second), 1):
        return False
    chosen = shared[:: max(len(shared) // LOOKED_AT, 1)]
    told = [{looks_like_mask(files[stem], DatasetSettings()) for stem in chosen} - {None} for files in (first, second)]
    return sorted(told, key=str) == [{False}, {True}]


def _last_word(stem: str) -> str:
    return re.split(r"[\W_]", stem)[-1]


def _divisions(root: Path) -> list[Path]:
    return [path for path in tree.folders(root) if path.name.lower() in tree.DIVISIONS]
