"""DAGM 2007 (Wieler & Hahn, "Weakly supervised learning for industrial optical inspection").

    Class1/Train/0001.PNG              one texture per class folder, good and defective mixed
    Class1/Train/Label/0012_label.PNG  a rough ellipse around the defect; good images have none
    Class1/Test/…

A class folder is a texture with one kind of defect, not a defect class: with several textures the
defects are named after theirs. Every image counts as a part.
"""

import re
from pathlib import Path

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.masks import masked_sample
from twinloop.vision.datasets.samples import NO_PARTS, Collection
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

LOOKS_FOR = "Class1 … Class10, each with Train and Test, images and Label/*_label.PNG in them"
TEXTURE = re.compile(r"class(\d+)", re.IGNORECASE)
LABEL_END = "_label"


def locate(source: Path) -> Path | None:
    """The folder that holds Class1 …, or one such folder."""
    return tree.inner(source, lambda root: bool(_textures(root)))


def dagm(source: Path, settings: DatasetSettings) -> Collection:
    """All images of one or several textures. Raises InputError where nothing fits the layout."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    textures = tree.chosen(_textures(root), settings.category, root)
    samples, strays = [], []
    for name, folder in textures.items():
        number = TEXTURE.search(name)
        defect = f"defect {number[1]}" if number and len(textures) > 1 else "defect"
        for split in _splits(folder):
            masks = tree.by_stem(split / "Label")
            for path in tree.images(split, deep=False):
                file = path.relative_to(root).as_posix()
                mask = masks.pop(path.stem.lower() + LABEL_END, None)
                label = GOOD if mask is None else defect
                own = () if mask is None else (mask,)
                division = split.name.lower()
                samples.append(masked_sample(path, own, label, settings, name=file, group=file, division=division))
            strays += [(path.relative_to(root).as_posix(), "mask has no image") for path in masks.values()]
    notes = (
        "Masks are ellipses around the defect, larger than it: pixel figures are not comparable.",
        NO_PARTS,
    )
    text = "DAGM 2007 competition data (Wieler & Hahn, University of Heidelberg); no licence text beside the images."
    return Collection(tuple(samples), tree.origin(root, text), notes, tuple(strays))


def _textures(root: Path) -> dict[str, Path]:
    textures = tree.categories(root, _is_texture)
    return {name: textures[name] for name in sorted(textures, key=lambda name: (len(name), name))}


def _is_texture(folder: Path) -> bool:
    return any((split / "Label").is_dir() and tree.images(split, deep=False) for split in _splits(folder))


def _splits(folder: Path) -> list[Path]:
    return [path for path in tree.folders(folder) if path.name.lower() in ("train", "test")]
