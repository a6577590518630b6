"""Boxes and polygons in COCO's JSON (Lin et al., ECCV 2014), one file for all images or one per split.

    annotations/instances_train.json   images, annotations, categories; also annotations.json or train/*.json
    images/… or train/…                where file_name leads: from the JSON's folder, the root, images/ or the split

An image without annotations is good, an image that no file lists is left out. Polygons are filled, run lengths are
pixels; where an annotation has neither, its box is filled. What is wrong in one image puts that image
into quarantine; a file that cannot be understood as a whole is refused with the JSON path.
"""

import mmap
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydantic

from twinloop.errors import InputError
from twinloop.vision.datasets import tree
from twinloop.vision.datasets.naming import class_label
from twinloop.vision.datasets.regions import BOX_TRUTH, Region, marked_sample, several_classes
from twinloop.vision.datasets.run_lengths import run_lengths
from twinloop.vision.datasets.samples import NO_PARTS, Collection, Refused, Sample, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

LOOKS_FOR = "JSON with images, annotations and categories (annotations/*.json, *.json or train/*.json) and images"
KEYS = (b'"images"', b'"annotations"', b'"categories"')
SPLIT = re.compile(r"(?<![a-z])(train|val|valid|test)(?![a-z])", re.IGNORECASE)
FOLDERS = ("", "annotations", "train", "val", "valid", "test")


@dataclass(frozen=True)
class Picture:
    """An entry of images: width and height in pixels, 0 where unknown."""

    id: int | str
    file_name: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Mark:
    """An entry of annotations: bbox is left, top, width, height in pixels; segmentation is polygons or a mask."""

    image_id: int | str
    category_id: int | str
    bbox: tuple[float, ...] = ()
    segmentation: Any = None


@dataclass(frozen=True)
class Category:
    """An entry of categories."""

    id: int | str
    name: str


@dataclass(frozen=True)
class Annotations:
    """The part of a COCO file that is used."""

    images: list[Picture]
    annotations: list[Mark]
    categories: list[Category] = field(default_factory=list)


def locate(source: Path) -> Path | None:
    """The folder that holds the JSON."""
    return tree.inner(source, lambda root: bool(_files(root)))


def coco(source: Path, settings: DatasetSettings) -> Collection:
    """All listed images. Raises InputError for JSON that does not have COCO's form."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    samples: list[Sample] = []
    strays: list[tuple[str, str]] = []
    marked: list[list[Region]] = []
    listed: set[Path] = set()
    boxes = 0
    for file in _files(root):
        content = _parsed(file, settings.max_bytes)
        names = {category.id: class_label(category.name, settings.good) for category in content.categories}
        marks: dict[int | str, list[tuple[int, Mark]]] = defaultdict(list)
        for place, mark in enumerate(content.annotations):
            marks[mark.image_id].append((place, mark))
        for place, picture in enumerate(content.images):
            own = marks.pop(picture.id, [])
            where = f"{file.name}: images[{place}]"
            try:
                path = _image(root, file, picture.file_name)
                if path is None:
                    raise Refused(f"{where}.file_name: there is no such file below {file.parent.name or '.'}")
                if path in listed:
                    raise Refused(f"{where}: listed a second time")
                listed.add(path)
                regions = [region for item in own if (region := _region(file, *item, names)).label != GOOD]
            except Refused as refused:
                strays.append((picture.file_name, refused.for_operator))
                continue
            marked.append(regions)
            boxes += sum(not region.polygons and region.runs is None for region in regions)
            name = path.relative_to(root).as_posix()
            size, division = (picture.width, picture.height), _division(file)
            samples.append(marked_sample(path, regions, settings, name=name, group=name, size=size, division=division))
        for image_id, orphans in marks.items():
            strays += [
                (file.relative_to(root).as_posix(), f"annotations[{place}].image_id: no image has the id {image_id!r}")
                for place, _ in orphans
            ]
    unlisted = [path for path in tree.images(root) if path not in listed]
    strays += [(path.relative_to(root).as_posix(), "no annotation file lists it") for path in unlisted]
    notes = [NO_PARTS]
    if boxes:
        notes.append(f"{boxes} defects have no polygon, their box is filled. {BOX_TRUTH}")
    text = "No SOURCE.txt, LICENSE or README beside the annotations: origin and licence unknown."
    return Collection(tuple(samples), tree.origin(root, text), (*notes, *several_classes(marked)), tuple(strays))


def _files(root: Path) -> list[Path]:
    """Annotation files; where there are instances_*.json, those alone (COCO keeps captions and key points beside)."""
    files = [
        path for name in FOLDERS for path in sorted((root / name).glob("*.json")) if path.is_file() and _has_keys(path)
    ]
    return [path for path in files if path.name.startswith("instances")] or files


def _has_keys(path: Path) -> bool:
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return all(content.find(key) >= 0 for key in KEYS)


def _parsed(file: Path, max_bytes: int) -> Annotations:
    if file.stat().st_size > max_bytes:
        raise InputError(
            f"data: {printable(str(file))}: file has {file.stat().st_size} bytes, at most {max_bytes} "
            "(DatasetSettings.max_bytes)"
        )
    try:
        content = pydantic.TypeAdapter(Annotations).validate_json(file.read_bytes())
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        keys = [key for key in first["loc"] if isinstance(key, int) or key not in ("int", "str")]
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
        fault = f"{printable(path) or 'content'}: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise InputError(
            f"data: {printable(str(file))}: {fault} ({error.error_count()} fault(s)): fix or export the file again"
        ) from None
    entries: list[tuple[str, Sequence[Picture | Category]]] = [
        ("images", content.images),
        ("categories", content.categories),
    ]
    for name, listed in entries:
        known: set[int | str] = set()
        for place, entry in enumerate(listed):
            if entry.id in known:
                raise InputError(
                    f"data: {printable(str(file))}: {name}[{place}].id: {entry.id!r} occurs a second time: "
                    "fix or export the file again"
                )
            known.add(entry.id)
    return content


def _image(root: Path, file: Path, file_name: str) -> Path | None:
    split = file.stem.removeprefix("instances_")
    for folder in (file.parent, file.parent / "images", root, root / "images", root / split, root / "images" / split):
        path = tree.named(folder, file_name)
        if path is not None:
            return path
    return None


def _region(file: Path, place: int, mark: Mark, names: dict[int | str, str]) -> Region:
    where = f"{file.name}: annotations[{place}]"
    if mark.category_id not in names:
        raise Refused(f"{where}.category_id: no category has the id {mark.category_id!r}")
    runs = run_lengths(mark.segmentation, f"{where}.segmentation") if isinstance(mark.segmentation, dict) else None
    polygons = _polygons(mark.segmentation, where)
    if len(mark.bbox) == 4:
        left, top, width, height = mark.bbox
        box = (left, top, left + width, top + height)
    elif runs is not None and not mark.bbox:
        box = (0.0, 0.0, float(runs.size[1]), float(runs.size[0]))
    elif mark.bbox or not polygons:
        raise Refused(f"{where}.bbox: expected left, top, width, height, found {len(mark.bbox)} numbers")
    else:
        xs = [x for polygon in polygons for x in polygon[::2]]
        ys = [y for polygon in polygons for y in polygon[1::2]]
        box = (min(xs), min(ys), max(xs), max(ys))
    return Region(names[mark.category_id], box, polygons, where, runs)


def _polygons(segmentation: Any, where: str) -> tuple[tuple[float, ...], ...]:
    """Outlines of at least three corners; none where there are run lengths."""
    if not isinstance(segmentation, list):
        return ()
    for number, polygon in enumerate(segmentation):
        fits = isinstance(polygon, list) and len(polygon) >= 6 and len(polygon) % 2 == 0
        if not fits or not all(isinstance(value, int | float) for value in polygon):
            raise Refused(f"{where}.segmentation[{number}]: expected x, y of at least three corners")
    return tuple(tuple(float(value) for value in polygon) for polygon in segmentation)


def _division(file: Path) -> str:
    """The split that the file's own name or its folder's tells; "" where neither does."""
    for name in (file.stem.replace("_", " "), file.parent.name):
        if match := SPLIT.search(name):
            return "val" if match[1].lower() == "valid" else match[1].lower()
    return ""
