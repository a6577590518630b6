"""Folders that stand for classes, as the layouts of folders share them.

A folder is a class, but for folders of masks, and but for one that only says that something is wrong (nok/, defects/)
and holds nothing but folders: those are the kinds of defects then.
"""

from collections.abc import Iterable
from pathlib import Path

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.naming import is_bad
from twinloop.vision.datasets.pairing import Pairing


def class_folders(root: Path, pairing: Pairing) -> tuple[dict[Path, list[Path]], tuple[str, ...]]:
    """The images of every class folder in `root`, those without images left out; and notes on nested kinds."""
    inside: dict[Path, list[Path]] = {}
    for image in pairing.images:
        parts = image.relative_to(root).parts if image.is_relative_to(root) else ()
        if len(parts) > 1:
            inside.setdefault(root / parts[0], []).append(image)
    classes: dict[Path, list[Path]] = {}
    notes = []
    for folder in sorted(inside):
        kinds = _kinds(folder, inside[folder]) if is_bad(folder.name) else {}
        if kinds:
            notes.append(f"{folder.name} holds kinds of defects: {', '.join(kind.name for kind in kinds)}.")
        classes |= kinds or {folder: inside[folder]}
    return classes, tuple(notes)


def masks_alone(root: Path, pairing: Pairing) -> set[Path]:
    """The folders in `root` with masks and no image."""
    images = {image.relative_to(root).parts[0] for image in pairing.images}
    masks: Iterable[Path] = (mask for some in pairing.masks.values() for mask in some)
    strays = (path for path, _ in pairing.strays)
    return {root / path.relative_to(root).parts[0] for path in (*masks, *strays)} - {root / name for name in images}


def _kinds(folder: Path, images: list[Path]) -> dict[Path, list[Path]]:
    kinds: dict[Path, list[Path]] = {kind: [] for kind in tree.folders(folder)}
    for image in images:
        parts = image.relative_to(folder).parts
        if len(parts) == 1:
            return {}
        kinds[folder / parts[0]].append(image)
    return {kind: some for kind, some in kinds.items() if some}
