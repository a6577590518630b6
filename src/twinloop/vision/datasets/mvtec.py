"""MVTec AD (Bergmann et al., CVPR 2019) and what is laid out like it (BTAD, VisA regrouped, image folders).

    bottle/train/good/000.png                    training images, all good in MVTec AD
    bottle/test/good/000.png                     test images by class …
    bottle/test/broken_large/000.png
    bottle/ground_truth/broken_large/000_mask.png    … with pixel masks (also 000.png)

Also read: several categories beside each other, train/test/val folders with defect classes in any of
them, and ground_truth/<split>/<class>. Without part numbers every image counts as a part.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.reading import read_surface
from twinloop.vision.datasets.samples import NO_PARTS, Collection, Sample, class_label, class_labels
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

LOOKS_FOR = "train/<class> and test/<class> with images (train/good, test/<defect>, ground_truth/<defect>)"
DIVISIONS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
TRUTH = "ground_truth"
# Names in place of classes that belong to other layouts.
NO_CLASSES = {"images", "labels", "annotations", "label"}


def locate(source: Path) -> Path | None:
    """The folder that holds train and test, or the categories that do."""
    return tree.inner(source, lambda root: bool(tree.categories(root, _is_category)))


def mvtec(source: Path, settings: DatasetSettings) -> Collection:
    """All images of a folder in the layout above. Raises InputError where nothing fits it."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    categories = tree.chosen(tree.categories(root, _is_category), settings.category, root)
    samples: list[Sample] = []
    strays: list[tuple[str, str]] = []
    unknown = 0
    for name, folder in categories.items():
        labels = class_labels(sorted({path.name for split in _splits(folder) for path in tree.folders(split)}))
        for split in _splits(folder):
            for images in tree.folders(split):
                label = labels[images.name]
                if label != GOOD and len(categories) > 1:
                    label = class_label(f"{name} {label}")
                truth = _truth(folder, split.name, images.name)
                unknown += 0 if truth or label == GOOD else len(tree.images(images))
                read, unpaired = _class_samples(root, images, truth, label, settings)
                samples += [replace(sample, division=DIVISIONS[split.name.lower()]) for sample in read]
                strays += unpaired
    notes = [NO_PARTS]
    if unknown:
        notes.append(f"{unknown} defective images come without ground_truth: their pixel truth is unknown.")
    text = "No licence text beside the images. MVTec AD itself (Bergmann et al. 2019) is CC BY-NC-SA 4.0."
    return Collection(tuple(samples), tree.origin(root, text), tuple(notes), tuple(strays))


def _class_samples(
    root: Path, images: Path, truth: Path | None, label: str, settings: DatasetSettings
) -> tuple[list[Sample], list[tuple[str, str]]]:
    """The images of one class with their masks, and the images and masks without each other."""
    masks = {} if truth is None else tree.by_stem(truth)
    samples, strays, used = [], [], set[Path]()
    for path in tree.images(images):
        file = path.relative_to(root).as_posix()
        mask = masks.get(f"{path.stem.lower()}_mask") or masks.get(path.stem.lower())
        if mask is None and truth is not None and label != GOOD:
            strays.append((file, f"mask {path.stem}_mask.png is missing"))
            continue
        used.update([mask] if mask else [])
        samples.append(Sample(file, label, file, partial(read_surface, path, mask, label, settings), path=path))
    orphans = sorted(set(masks.values()) - used)
    return samples, strays + [(mask.relative_to(root).as_posix(), "mask has no image") for mask in orphans]


def _is_category(folder: Path) -> bool:
    splits = {DIVISIONS[split.name.lower()]: split for split in _splits(folder)}
    if not {"train", "test"} <= set(splits):
        return False
    classes = {name: [path for path in tree.folders(split) if tree.images(path)] for name, split in splits.items()}
    names = {path.name.lower() for paths in classes.values() for path in paths}
    return bool(classes["train"] and classes["test"]) and not names <= NO_CLASSES


def _splits(folder: Path) -> list[Path]:
    return [path for path in tree.folders(folder) if path.name.lower() in DIVISIONS]


def _truth(folder: Path, split: str, name: str) -> Path | None:
    """Where the masks of a class lie: for one split, or for the test images alone."""
    for path in (folder / TRUTH / split / name, folder / TRUTH / name):
        if path.is_dir() and (path.parent.name == split or DIVISIONS[split.lower()] == "test"):
            return path
    return None
