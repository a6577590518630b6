"""MVTec AD (Bergmann et al., CVPR 2019), MVTec LOCO AD (IJCV 2022) and what is laid out like them (BTAD, others).

    bottle/train/good/000.png                    training images, all good in MVTec AD
    bottle/test/good/000.png                     test images by class …
    bottle/test/broken_large/000.png
    bottle/ground_truth/broken_large/000_mask.png    … with pixel masks (also 000.png)
    box/ground_truth/logical_anomalies/000/000.png   LOCO: a folder of masks for each image, joined

Also read: several categories beside each other, train with test or validation, defect classes in any of them, nested
kinds (test/bad/scratch), ground_truth/<split>/<class>, masks beside the images or in a tree of any name. Without part
numbers every image counts as a part.
"""

from pathlib import Path

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.classes import class_folders
from twinloop.vision.datasets.masks import masked_sample
from twinloop.vision.datasets.naming import class_label, classes_of
from twinloop.vision.datasets.pairing import Pairing, paired
from twinloop.vision.datasets.samples import NO_PARTS, Collection, Sample
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.tree import DIVISIONS
from twinloop.vision.index import GOOD

LOOKS_FOR = "train/<class> and test/<class> (or val/) with images (train/good, test/<defect>, ground_truth/<defect>)"
TRUTH = "ground_truth"
MISSING = "mask {}_mask.png is missing"
# Names in place of classes that belong to other layouts.
NO_CLASSES = {"images", "labels", "annotations", "label", "masks", "mask"}


def locate(source: Path) -> Path | None:
    """The folder that holds train and test, or the categories that do."""
    return tree.inner(source, lambda root: bool(tree.categories(root, _is_category)))


def mvtec(source: Path, settings: DatasetSettings) -> Collection:
    """All images of a folder in the layout above. Raises InputError where nothing fits it."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    categories = tree.chosen(tree.categories(root, _is_category), settings.category, root)
    samples: list[Sample] = []
    strays: list[tuple[str, str]] = []
    notes: list[str] = [NO_PARTS]
    unknown = 0
    for name, folder in categories.items():
        pairing = paired(folder, settings, _outside_truth(folder))
        classes = {split: class_folders(split, pairing) for split in _splits(folder)}
        known = [path.name for found, _ in classes.values() for path in found]
        named = classes_of(sorted(set(known)), settings.good, where=str(folder))
        notes += [note for _, some in classes.values() for note in some] + list(named.notes)
        for split, (found, _) in classes.items():
            for images, files in found.items():
                label = named.labels[images.name]
                if label != GOOD and len(categories) > 1:
                    label = class_label(f"{name} {label}")
                truth = _truth(folder, split, images)
                read, unpaired = _class_samples(
                    root, files, truth, pairing, label, DIVISIONS[split.name.lower()], settings
                )
                unknown += sum(not sample.masks for sample in read if label != GOOD)
                samples += read
                strays += unpaired
        strays += [(path.relative_to(root).as_posix(), reason) for path, reason in pairing.strays]
    if unknown:
        notes.append(f"{unknown} defective images come without ground_truth: their pixel truth is unknown.")
    text = "No licence text beside the images. MVTec AD itself (Bergmann et al. 2019) is CC BY-NC-SA 4.0."
    return Collection(tuple(samples), tree.origin(root, text), tuple(dict.fromkeys(notes)), tuple(strays))


def _class_samples(
    root: Path,
    files: list[Path],
    truth: Path | None,
    pairing: Pairing,
    label: str,
    division: str,
    settings: DatasetSettings,
) -> tuple[list[Sample], list[tuple[str, str]]]:
    """The images of one class with their masks, and the images and masks without each other."""
    masks = {} if truth is None else _masks_in(truth)
    in_folders = truth is not None and bool(tree.folders(truth)) and not tree.images(truth, deep=False)
    missing = "its masks are missing: no folder {} with images in ground_truth" if in_folders else MISSING
    samples, strays, used = [], [], set[Path]()
    for path in files:
        file = path.relative_to(root).as_posix()
        own = masks.get(f"{tree.stem(path)}_mask") or masks.get(tree.stem(path)) or pairing.of(path)
        if not own and truth is not None and label != GOOD:
            strays.append((file, missing.format(path.stem)))
            continue
        used.update(own)
        samples.append(masked_sample(path, own, label, settings, name=file, group=file, division=division))
    orphans = sorted(mask for some in masks.values() for mask in some if mask not in used)
    return samples, strays + [(mask.relative_to(root).as_posix(), "mask has no image") for mask in orphans]


def _masks_in(truth: Path) -> dict[str, tuple[Path, ...]]:
    """Mask files by the name of their image: one each, or a folder of them each."""
    joined = {tree.stem(folder / f"{folder.name}.png"): tuple(tree.images(folder)) for folder in tree.folders(truth)}
    return joined | {stem: (path,) for stem, path in tree.by_stem(truth).items()}


def _outside_truth(folder: Path) -> list[Path]:
    """The images of a category but for the masks in ground_truth, which its own rule pairs."""
    return [path for place in tree.folders(folder) if place.name != TRUTH for path in tree.images(place)]


def _is_category(folder: Path) -> bool:
    splits = {DIVISIONS[split.name.lower()]: split for split in _splits(folder)}
    if "train" not in splits or len(splits) < 2:
        return False
    classes = {name: [path for path in tree.folders(split) if tree.images(path)] for name, split in splits.items()}
    names = {path.name.lower() for paths in classes.values() for path in paths}
    return sum(map(bool, classes.values())) > 1 and not names <= NO_CLASSES


def _splits(folder: Path) -> list[Path]:
    return [path for path in tree.folders(folder) if path.name.lower() in DIVISIONS]


def _truth(folder: Path, split: Path, images: Path) -> Path | None:
    """Where the masks of a class lie: for one split, or for all but the training images alone."""
    name = images.relative_to(split)
    for path in (folder / TRUTH / split.name / name, folder / TRUTH / name):
        if path.is_dir() and (path != folder / TRUTH / name or DIVISIONS[split.name.lower()] != "train"):
            return path
    return None
