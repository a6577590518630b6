"""Kolektor surface defects: SDD (Tabernik et al., JIM 2020) and SDD2 (Božič et al., Computers in Industry 2021).

    SDD    kos01/Part0.jpg   kos01/Part0_label.bmp       a folder is one commutator, its images belong together
    SDD2   train/10000.png   train/10000_GT.png   test/…     every image counts as a part

Each image has a mask; the class is read from it: an empty one means good.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.masks import masked_sample, shows_defect
from twinloop.vision.datasets.samples import NO_PARTS, Collection, Refused, Sample
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

SDD_LOOKS_FOR = "kos01 … kos50 with PartN.jpg and PartN_label.bmp"
SDD2_LOOKS_FOR = "train and test with N.png and N_GT.png"
COMMUTATOR = re.compile(r"kos\d+", re.IGNORECASE)
DEFECT = "defect"
LICENCE = "CC BY-NC-SA 4.0 as published; no licence text beside the images."


def locate_sdd(source: Path) -> Path | None:
    """The folder that holds kos01 …"""
    return tree.inner(source, lambda root: any(tree.images(path, deep=False) for path in _commutators(root)))


def locate_sdd2(source: Path) -> Path | None:
    """The folder that holds train and test."""
    return tree.inner(
        source,
        lambda root: any(name.endswith("_gt") for folder in _divisions(root) for name in tree.by_stem(folder)),
    )


def kolektor_sdd(source: Path, settings: DatasetSettings) -> Collection:
    """All images of all commutators. Raises InputError where nothing fits the layout."""
    root = tree.expected(locate_sdd(source), source, SDD_LOOKS_FOR)
    samples, strays = _read(root, _commutators(root), "_label", settings)
    notes = ("The images of one kos folder show one commutator and form one part.", "The class is read from the mask.")
    text = f"KolektorSDD (Tabernik et al. 2020), https://www.vicos.si/resources/kolektorsdd: {LICENCE}"
    return Collection(samples, tree.origin(root, text), notes, strays)


def kolektor_sdd2(source: Path, settings: DatasetSettings) -> Collection:
    """All images of train and test. Raises InputError where nothing fits the layout."""
    root = tree.expected(locate_sdd2(source), source, SDD2_LOOKS_FOR)
    samples, strays = _read(root, _divisions(root), "_gt", settings)
    notes = (NO_PARTS, "The class is read from the mask.")
    text = f"KolektorSDD2 (Božič et al. 2021), https://www.vicos.si/resources/kolektorsdd2: {LICENCE}"
    return Collection(samples, tree.origin(root, text), notes, strays)


def _read(
    root: Path, folders: Iterable[Path], mask_end: str, settings: DatasetSettings
) -> tuple[tuple[Sample, ...], tuple[tuple[str, str], ...]]:
    samples, strays = [], []
    for folder in folders:
        division = folder.name.lower() if folder.name.lower() in ("train", "test") else ""
        files = tree.by_stem(folder)
        for stem, path in files.items():
            file = path.relative_to(root).as_posix()
            if stem.endswith(mask_end):
                if stem.removesuffix(mask_end) not in files:
                    strays.append((file, "mask has no image"))
                continue
            mask = files.get(stem + mask_end)
            try:
                if mask is None:
                    raise Refused(f"mask {path.stem}{mask_end} is missing")
                label = DEFECT if shows_defect(mask, settings) else GOOD
            except Refused as refused:
                strays.append((file, refused.for_operator))
                continue
            group = file if division else folder.name
            samples.append(masked_sample(path, (mask,), label, settings, name=file, group=group, division=division))
    return tuple(samples), tuple(strays)


def _commutators(root: Path) -> list[Path]:
    return [path for path in tree.folders(root) if COMMUTATOR.fullmatch(path.name)]


def _divisions(root: Path) -> list[Path]:
    return [path for path in tree.folders(root) if path.name.lower() in ("train", "test")]
