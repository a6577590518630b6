"""Boxes and outlines in YOLO's text files, one for each image.

    images/train/7.jpg   labels/train/7.txt      also train/images and train/labels, images/ and labels/, 7.txt beside,
                                                 imgs/ or JPEGImages/ and labels/, train_images/ and train_labels/
    data.yaml            names of the classes (names: a list or numbers with names); also classes.txt or obj.names

A row is a class number and then x y width height of a box, or x y of three or more corners, all as shares of the image.
Commas part them as well, 0.0 is class 0, and a fifth number after a box is the confidence that a detector writes.
An image whose file is empty, or absent where others of its folder have one, is good: YOLO takes it for background.
Images of a folder without any labels are asked about. Keypoints (kpt_shape in data.yaml) mark no area and are refused.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from twinloop.errors import InputError
from twinloop.vision.datasets import tree
from twinloop.vision.datasets.naming import class_label
from twinloop.vision.datasets.parts import part_in_name
from twinloop.vision.datasets.reading import MAX_TEXT_BYTES, read_lines
from twinloop.vision.datasets.regions import BOX_TRUTH, Region, marked_sample, several_classes
from twinloop.vision.datasets.samples import Collection, Refused, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.unmarked import read_unmarked
from twinloop.vision.index import GOOD

LOOKS_FOR = "images/ and labels/ (also in train, val), or N.jpg and N.txt, rows `class x y width height` in 0 … 1"
LISTS = ("classes.txt", "obj.names", "predefined_classes.txt")
# A folder of images and what it is called instead where it holds the labels: train_images, train_labels.
IMAGES = re.compile(r"jpegimages|images?|imgs?|pictures|photos", re.IGNORECASE)
LABELS = ("labels", "label", "annotations")
SHOWN_AS_TEXT = 40
LOOKED_AT = 50
# Shares stray a little beyond 0 … 1; what goes beyond this is in pixels or per cent.
FARTHEST = 2.0
# How far beyond its box a keypoint may lie.
SLACK = 0.01
# Numbers of an outline of four corners, and as many outlines as show that all are of one length.
FOUR_CORNERS, TELLING = 8, 3
SURE = "{} rows carry a fifth number, taken for the confidence of a detector: its opinion stands in for the truth."


@dataclass(frozen=True)
class Names:
    """Names of the class numbers, the file that gives them, and how many numbers follow a box for its keypoints; all
    empty where there is none.
    """

    of: dict[int, str]
    file: str = ""
    keypoints: int = 0


def locate(source: Path) -> Path | None:
    """The folder that holds images and text files of labels that belong together."""
    return tree.inner(tree.unwrapped(source), _fits)


def yolo(source: Path, settings: DatasetSettings) -> Collection:
    """All images. Raises InputError where nothing fits the layout or data.yaml cannot be understood."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    names = _names(root)
    samples, strays, marked, used = [], [], [], set[Path]()
    without = sure = 0
    files = {path: _label_file(root, path.relative_to(root)) for path in tree.images(root)}
    labelled = {path.parent for path, label_file in files.items() if label_file is not None}
    bare = [path for path in files if path.parent not in labelled]
    for path, label_file in files.items():
        if path.parent not in labelled:
            continue
        file = path.relative_to(root)
        try:
            regions = []
            if label_file is None:
                without += 1
            else:
                used.add(label_file)
                found, rated = _regions(label_file, names, settings)
                regions, sure = [region for region in found if region.label != GOOD], sure + rated
        except Refused as refused:
            strays.append((file.as_posix(), refused.for_operator))
            continue
        marked.append(regions)
        group = part_in_name(path, settings) or file.as_posix()
        sample = marked_sample(path, regions, settings, name=file.as_posix(), group=group)
        samples.append(replace(sample, division=tree.division(file)))
    strays += [(path.relative_to(root).as_posix(), "labels have no image") for path in _texts(root) if path not in used]
    good, left, told = read_unmarked(root, bare, samples, "label file", settings)
    notes = [*several_classes(marked), *told, *_like_keypoints(marked)]
    if any(not region.polygons for regions in marked for region in regions):
        notes.append(BOX_TRUTH)
    if sure:
        notes.append(SURE.format(sure))
    if without:
        notes.append(f"{without} images have no label file: background to YOLO, they count as good.")
    if not names.of:
        notes.append("No data.yaml or classes.txt names the classes: they are called by their numbers.")
    text = "No SOURCE.txt, LICENSE or README beside the labels: origin and licence unknown."
    return Collection((*samples, *good), tree.origin(root, text), tuple(notes), (*strays, *left))


def _fits(root: Path) -> bool:
    """Whether a text file of labels has an image: rows of one of the first few are read to see."""
    pairs = (file for path in tree.images(root) if (file := _label_file(root, path.relative_to(root))) is not None)
    files = list(islice(pairs, LOOKED_AT))
    filled = [file for file in files if 0 < file.stat().st_size <= MAX_TEXT_BYTES]
    return any(map(_has_rows, filled)) or bool(files and not filled and (root / "data.yaml").is_file())


def _has_rows(file: Path) -> bool:
    try:
        cells = next((_cells(line) for line in read_lines(file) if line.strip()), [])
        values = [float(cell) for cell in cells[1:5]]
        shares = all(-1 <= value <= FARTHEST for value in values)
        # Boxes in pixels and names instead of numbers come near: they are refused with the reason.
        return len(values) == 4 and (shares or (len(cells) in (5, 6) and cells[0].isdecimal() and min(values) >= 0))
    except (Refused, ValueError):
        return False


def _label_file(root: Path, image: Path) -> Path | None:
    """The text file of an image: below labels instead of images, or beside it."""
    candidates = []
    for place, part in reversed(list(enumerate(image.parts[:-1]))):
        if (match := IMAGES.search(part)) is None:
            continue
        for word in LABELS:
            for cased in dict.fromkeys((_cased(word, match[0]), word)):
                renamed = part[: match.start()] + cased + part[match.end() :]
                candidates.append(Path(*image.parts[:place], renamed, *image.parts[place + 1 :]).with_suffix(".txt"))
    candidates.append(image.with_suffix(".txt"))
    return next((file for name in candidates if (file := tree.named(root, name.as_posix())) is not None), None)


def _cased(word: str, other: str) -> str:
    """The word in capitals as the other one is."""
    return word.upper() if other.isupper() else word.title() if other.istitle() else word


def _texts(root: Path) -> list[Path]:
    """Text files that look like labels: their rows do."""
    return [
        path
        for path in sorted(root.rglob("*.txt"))
        if path.name.lower() not in (*LISTS, *tree.NOTES) and path.is_file() and _has_rows(path)
    ]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().rstrip(",").split(",")] if "," in line else line.split()


def _regions(file: Path, names: Names, settings: DatasetSettings) -> tuple[list[Region], int]:
    """What a file marks, and how many of its rows carry a confidence."""
    regions, sure = [], 0
    for number, line in enumerate(read_lines(file), start=1):
        cells = _cells(line)
        if not cells:
            continue
        where = f"{file.name}:{number}"
        try:
            value, values = float(cells[0]), tuple(map(float, cells[1:]))
            kind = int(value)
        except (ValueError, OverflowError):
            raise Refused(f"{where}: expected a class number and shares, found {_shown(line)}") from None
        if kind != value or kind < 0:
            raise Refused(f"{where}: expected a class number, 0 or more, found {_shown(line)}")
        if max(values, default=0) > FARTHEST:
            raise Refused(
                f"{where}: expected shares of the image, 0 … 1, found {_shown(line)}: "
                "divide x and width by the image's width, y and height by its height"
            )
        if names.of and kind not in names.of:
            known = f"{len(names.of)} classes ({min(names.of)} to {max(names.of)})"
            raise Refused(f"{where}: class {kind} is out of range, {names.file} names {known}")
        written = names.of.get(kind, "")
        label = class_label(written, settings.good) if written else f"class {kind}"
        if len(values) == 5 and 0 <= values[4] <= 1:
            sure += 1
            values = values[:4]
        if _are_keypoints(values, names):
            raise Refused(f"{where}: keypoints mark no area: keep the first five columns of the rows")
        if len(values) == 4:
            x, y, width, height = values
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            regions.append(Region(label, box, where=where, relative=True))
        elif len(values) >= 6 and len(values) % 2 == 0:
            xs, ys = values[::2], values[1::2]
            box = (min(xs), min(ys), max(xs), max(ys))
            regions.append(Region(label, box, (values,), where=where, relative=True))
        else:
            raise Refused(f"{where}: expected x y width height, or x y of three corners or more, found {_shown(line)}")
    return regions, sure


def _are_keypoints(values: tuple[float, ...], names: Names) -> bool:
    """Whether keypoints follow the box: as data.yaml says, or x, y and 0, 1 or 2, all seen ones inside."""
    points = values[4:]
    if names.keypoints or not points or len(points) % 3:
        return bool(points) and len(points) == names.keypoints
    seen = [(x, y) for x, y, visible in zip(*(points[place::3] for place in range(3)), strict=True) if visible]
    return bool(seen) and {*points[2::3]} <= {0, 1, 2} and _inside(values, seen)


def _inside(box: tuple[float, ...], points: Iterable[tuple[float, float]]) -> bool:
    x, y, width, height = box[:4]
    return all(abs(px - x) <= width / 2 + SLACK and abs(py - y) <= height / 2 + SLACK for px, py in points)


def _like_keypoints(marked: Sequence[Sequence[Region]]) -> tuple[str, ...]:
    """A remark where outlines could as well be boxes with keypoints of two numbers each, which nothing else tells."""
    outlines = [outline for regions in marked for region in regions for outline in region.polygons]
    length = len(outlines[0]) if outlines else 0
    if len(outlines) < TELLING or length <= FOUR_CORNERS or {len(outline) for outline in outlines} != {length}:
        return ()
    if not all(_inside(outline, zip(outline[4::2], outline[5::2], strict=True)) for outline in outlines):
        return ()
    return (
        f"All rows have {length} numbers and are read as outlines; they may be boxes with {length // 2 - 2} keypoints: "
        "if so, kpt_shape in data.yaml says it.",
    )


def _shown(line: str) -> str:
    return repr(printable(line.strip())[:SHOWN_AS_TEXT])


def _names(root: Path) -> Names:
    for path in sorted(root.rglob("*.y*ml"), key=lambda path: (len(path.parts), path)):
        if not path.is_file() or path.stat().st_size > MAX_TEXT_BYTES:
            continue
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8-sig", errors="replace"))
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
            raise InputError(
                f"data: {printable(str(path))}:{line}: expected YAML with names of the classes, cannot be read: fix it"
            ) from None
        if not isinstance(content, dict) or "names" not in content:
            continue
        names = content["names"]
        pairs = dict(enumerate(names)) if isinstance(names, list) else names
        if not isinstance(pairs, dict) or not all(_numbered(number, name) for number, name in pairs.items()):
            raise InputError(
                f"data: {printable(str(path))}: names: expected a list of names or numbers with names, "
                f"found {printable(str(names))[:SHOWN_AS_TEXT]!r}"
            )
        return Names({int(number): str(name) for number, name in pairs.items()}, path.name, _keypoints(content))
    for name in LISTS:
        if (root / name).is_file():
            lines = (root / name).read_text(encoding="utf-8-sig", errors="replace").splitlines()
            return Names(dict(enumerate(line.strip() for line in lines if line.strip())), name)
    return Names({})


def _keypoints(content: dict[str, Any]) -> int:
    """How many numbers the keypoints of a row take, by kpt_shape: [how many, numbers of each]."""
    match content.get("kpt_shape"):
        case [int(count), int(numbers)]:
            return count * numbers
    return 0


def _numbered(number: object, name: object) -> bool:
    """Whether a class is given by its number, also in quotes, and its name."""
    return str(number).isdecimal() and isinstance(name, str | int | float)
