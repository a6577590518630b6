"""Which pictures of a tree are masks of which others: told by content, whatever the names.

Pictures that lie together, and share what follows the name of another picture there (7_GT beside 7), are judged
together: two-valued ones are masks, others are photographs, a mixture is asked about. A mask belongs to the picture of
its size that has its name without that ending (or its folder's name, where an image has a folder of masks), and most
folders in common.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from twinloop.errors import InputError
from twinloop.vision.datasets import tree
from twinloop.vision.datasets.masks import looks_like_mask
from twinloop.vision.datasets.reading import BROKEN, FORMATS, pixel_limit
from twinloop.vision.datasets.samples import printable
from twinloop.vision.datasets.settings import DatasetSettings

# Names of folders and endings that say mask, in lower case without separators.
MASK_NAMES = """
mask masks gt groundtruth truth label labels seg segs segmentation segmentations annotation annotations
maske masken masque masques mascara mascaras maschera maschere
"""
MASK_WORDS = frozenset(MASK_NAMES.split())
# These two are masks whatever they show, so that a faulty one is named as a mask.
SURE_TREE, SURE_END = "masks", "_mask"
PREFIX = re.compile(r"([^\W_\d]+[\W_]+)(.+)")
# Pictures of one kind looked at before it is judged.
LOOKED_AT = 8


@dataclass(frozen=True)
class Pairing:
    """images: photographs in order. masks: those of an image. strays: (path, reason) of masks left over."""

    images: tuple[Path, ...]
    masks: dict[Path, tuple[Path, ...]]
    strays: tuple[tuple[Path, str], ...] = ()

    def of(self, image: Path) -> tuple[Path, ...]:
        """The masks of one image, none where its pixel truth is unknown."""
        return self.masks.get(image, ())


@dataclass(frozen=True)
class _Kind:
    """Pictures of one folder that share an ending; `ending` is empty for those that stand for themselves."""

    folder: Path
    ending: str
    files: tuple[Path, ...]

    @property
    def sure(self) -> bool:
        return self.ending == SURE_END or self.folder.parts[:1] == (SURE_TREE,)

    def says_mask(self) -> bool:
        return _word(self.ending) in MASK_WORDS or any(_word(part) in MASK_WORDS for part in self.folder.parts)


def paired(root: Path, settings: DatasetSettings, files: Sequence[Path] | None = None) -> Pairing:
    """The photographs below `root` (or of `files` there) and their masks.

    Raises InputError where pictures might be masks and might not.
    """
    kinds = _kinds(root, tree.images(root) if files is None else files)
    with pixel_limit(settings.max_pixels):
        verdicts = {place: kind.sure or _are_masks(kind, root, settings) for place, kind in enumerate(kinds)}
    if all(verdicts.values()) and not any(kind.sure or kind.says_mask() for kind in kinds):
        # Two-valued pictures alone are the pictures themselves.
        verdicts = dict.fromkeys(verdicts, False)
    images = [root / file for place, kind in enumerate(kinds) if not verdicts[place] for file in kind.files]
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for image in images:
        by_stem[tree.stem(image)].append(image)
    masks: dict[Path, list[Path]] = defaultdict(list)
    strays: list[tuple[Path, str]] = []
    for place, kind in enumerate(kinds):
        if not verdicts[place]:
            continue
        owners = {file: _owner(file, kind.ending, root, by_stem) for file in kind.files}
        if not kind.sure and not kind.says_mask() and not _fit(owners, root):
            raise InputError(
                f"data: {printable(str(root / kind.folder))}: {len(kind.files)} two-valued pictures pair with no image "
                "of their name and size: masks belong in masks/ under their image's name, images in a class's folder"
            )
        for file, owner in owners.items():
            if owner is None:
                strays.append((root / file, "mask has no image"))
            else:
                masks[owner].append(root / file)
    return Pairing(tuple(sorted(images)), {image: tuple(found) for image, found in masks.items()}, tuple(strays))


def _kinds(root: Path, files: Iterable[Path]) -> list[_Kind]:
    folders: dict[Path, list[Path]] = defaultdict(list)
    for file in files:
        relative = file.relative_to(root)
        folders[relative.parent].append(relative)
    kinds = []
    for folder, inside in folders.items():
        endings: dict[str, list[Path]] = defaultdict(list)
        stems: dict[str, set[str]] = defaultdict(set)
        for file in inside:
            stems[tree.stem(file)].add(file.suffix.lower())
        for file in inside:
            endings[_ending(file, stems)].append(file)
        kinds += [_Kind(folder, ending, tuple(some)) for ending, some in sorted(endings.items())]
    return kinds


def _ending(file: Path, stems: dict[str, set[str]]) -> str:
    """What follows another picture's name in this one's: "_gt", "-mask", or ".png" beside the same name as .jpg."""
    stem = tree.stem(file)
    for match in re.finditer(r"[\W_]", stem):
        if stem[: match.start()] in stems and _word(stem[match.start() :]):
            return stem[match.start() :]
    if (front := PREFIX.fullmatch(stem)) and _word(front[1]) in MASK_WORDS and front[2] in stems:
        return f"{front[1]}*"
    if stem.endswith(SURE_END):
        return SURE_END
    if len(stems[stem]) > 1 and file.suffix.lower() in (".png", ".bmp", ".tif", ".tiff", ".gif"):
        return file.suffix.lower()
    return ""


def _are_masks(kind: _Kind, root: Path, settings: DatasetSettings) -> bool:
    """Whether pictures of one kind are masks, by up to `LOOKED_AT` of them."""
    chosen = kind.files[:: max(len(kind.files) // LOOKED_AT, 1)]
    told = [looks for file in chosen if (looks := looks_like_mask(root / file, settings)) is not None]
    if not told:
        # Empty ones, or none that can be read: the name is all there is.
        return kind.says_mask()
    if all(told):
        return True
    if any(told) and (kind.ending or kind.says_mask()):
        raise InputError(
            f"data: {printable(str(root / kind.folder))}: {sum(told)} of {len(told)} pictures "
            f"{f'that end in {printable(kind.ending)} ' if kind.ending else ''}are two-valued, the others are not: "
            "masks or images? Name masks N_mask.png beside N.png"
        )
    return False


def _owner(mask: Path, ending: str, root: Path, by_stem: dict[str, list[Path]]) -> Path | None:
    """The picture a mask belongs to; None where there is none, or several lie equally near."""
    stem = tree.stem(mask)
    if ending.endswith("*"):
        names = [stem.removeprefix(ending[:-1])]
    else:
        names = [stem if ending.startswith(".") else stem.removesuffix(ending)]
    if word := re.fullmatch(r"(.+?)[\W_]+([^\W_\d]+)", stem):
        names += [word[1]] if _word(word[2]) in MASK_WORDS else []
    names.append(tree.stem(mask.parent / f"{mask.parent.name}.png"))
    for name in names:
        near = sorted(by_stem.get(name, []), key=lambda image: _distance(image.relative_to(root), mask, name))
        gaps = [_distance(image.relative_to(root), mask, name) for image in near[:2]]
        if near and (len(near) == 1 or gaps[0] < gaps[1]):
            return near[0]
    return None


def _distance(image: Path, mask: Path, name: str) -> int:
    """Folders that one of the two has alone; a folder that is named like the image is a folder of its masks."""
    ours = list(image.parent.parts)
    theirs = [part for part in mask.parent.parts if part.lower() != name]
    common = sum(min(ours.count(part), theirs.count(part)) for part in set(ours))
    return len(ours) + len(theirs) - 2 * common


def _fit(owners: dict[Path, Path | None], root: Path) -> bool:
    """Whether most masks have a picture of their size, by up to `LOOKED_AT` of them."""
    pairs = [(root / mask, owner) for mask, owner in owners.items()]
    chosen = pairs[:: max(len(pairs) // LOOKED_AT, 1)]
    fitting = sum(owner is not None and _size(mask) == _size(owner) for mask, owner in chosen)
    return 2 * fitting > len(chosen)


def _size(path: Path) -> tuple[int, ...]:
    """Both sides, the shorter first: a turn that EXIF notes is none of the mask's business here."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            return tuple(sorted(picture.size))
    except (*BROKEN, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return ()


def _word(text: str) -> str:
    return re.sub(r"[\W_\d]", "", text).lower()
