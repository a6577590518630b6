"""Shapes in LabelMe's JSON, one file beside each image (also in a folder of their own).

    7.png   7.json      shapes: label, shape_type (polygon, rectangle, circle, line, linestrip, point), points in pixels
                        a mask: two corners of its box, both inside, and its pixels as a PNG in base64

JSON without shapes is a good image. Lines and points have no area and are refused with their place.
"""

import base64
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.naming import class_label
from twinloop.vision.datasets.parts import part_in_name
from twinloop.vision.datasets.reading import MAX_TEXT_BYTES, PIXELS, opened_picture
from twinloop.vision.datasets.regions import Region, marked_sample, several_classes
from twinloop.vision.datasets.run_lengths import RunLengths, runs_of
from twinloop.vision.datasets.samples import Collection, Refused, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.unmarked import read_unmarked
from twinloop.vision.index import GOOD

LOOKS_FOR = "N.png and N.json beside it with shapes, as LabelMe writes it"
# Embedded images make the JSON long.
MAX_JSON_BYTES = 20 * MAX_TEXT_BYTES
CIRCLE_CORNERS = 64


def locate(source: Path) -> Path | None:
    """The folder with images and LabelMe's JSON in it or below."""
    return tree.inner(
        tree.unwrapped(source), lambda root: any(map(_is_labelme, _files(root)[:8])) and bool(tree.images(root))
    )


def labelme(source: Path, settings: DatasetSettings) -> Collection:
    """All annotated images. Raises InputError where nothing fits, or where images without JSON may be good or not."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    images = tree.images(root)
    by_stem: dict[str, list[Path]] = {}
    for path in images:
        by_stem.setdefault(tree.stem(path), []).append(path)
    samples, strays, marked, used = [], [], [], set[Path]()
    for file in _files(root):
        shown = file.relative_to(root).as_posix()
        try:
            content = _content(file)
            image = _image(file, content, by_stem)
            used.add(image)
            size = _size(content, file.name)
            regions = [region for region in _regions(content, file.name, size, settings) if region.label != GOOD]
        except Refused as refused:
            strays.append((shown, refused.for_operator))
            continue
        marked.append(regions)
        relative = image.relative_to(root)
        group = part_in_name(image, settings) or relative.as_posix()
        sample = marked_sample(image, regions, settings, name=relative.as_posix(), group=group, size=size)
        samples.append(replace(sample, division=tree.division(relative)))
    bare = [path for path in images if path not in used]
    good, left, notes = read_unmarked(root, bare, samples, "annotation", settings)
    text = "No SOURCE.txt, LICENSE or README beside the annotations: origin and licence unknown."
    told = (*several_classes(marked), *notes)
    return Collection((*samples, *good), tree.origin(root, text), told, (*strays, *left))


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.json") if path.is_file() and not path.name.startswith("."))


def _is_labelme(file: Path) -> bool:
    try:
        _content(file)
    except Refused:
        return False
    return True


def _content(file: Path) -> dict[str, Any]:
    if file.stat().st_size > MAX_JSON_BYTES:
        raise Refused(f"{file.name}: file has {file.stat().st_size} bytes, an annotation at most {MAX_JSON_BYTES}")
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Refused(f"{file.name}: expected JSON, found {str(error)[:80]}") from None
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise Refused(f"{file.name}: expected LabelMe's JSON with a list of shapes")
    return content


def _image(file: Path, content: dict[str, Any], by_stem: dict[str, list[Path]]) -> Path:
    """Beside the JSON under its name, else what imagePath names, else the only image of that name."""
    alike = by_stem.get(tree.stem(file), [])
    beside = [path for path in alike if path.parent == file.parent]
    written = str(content.get("imagePath") or "").replace("\\", "/").rpartition("/")[2]
    named = tree.named(file.parent, written) if written else None
    if len(beside) == 1:
        return beside[0]
    if named is not None:
        return named
    if len(alike) == 1:
        return alike[0]
    raise Refused("annotation has no image" if not alike else "several images have its name")


def _size(content: dict[str, Any], file: str) -> tuple[int, int] | None:
    width, height = content.get("imageWidth"), content.get("imageHeight")
    if width is None or height is None:
        return None
    if not isinstance(width, int) or not isinstance(height, int):
        raise Refused(f"{file}: expected imageWidth and imageHeight as whole numbers")
    return width, height


def _regions(
    content: dict[str, Any], file: str, size: tuple[int, int] | None, settings: DatasetSettings
) -> list[Region]:
    regions = []
    for number, shape in enumerate(content["shapes"]):
        where = f"{file}: shapes[{number}]"
        if not isinstance(shape, dict) or not any(c.isalnum() for c in str(shape.get("label") or "")):
            raise Refused(f"{where}: expected a label")
        label, corners = class_label(str(shape["label"]), settings.good), _corners(shape, where)
        if shape.get("shape_type") == "mask":
            runs = _pixels(shape, corners, size, where, settings)
            regions.append(Region(label, (*corners[0], *corners[1]), where=where, runs=runs))
            continue
        outline = _outline(shape, corners, where)
        xs, ys = outline[::2], outline[1::2]
        box = (min(xs), min(ys), max(xs), max(ys))
        regions.append(Region(label, box, (outline,), where=where))
    return regions


def _corners(shape: dict[str, Any], where: str) -> list[tuple[float, float]]:
    try:
        return [(float(x), float(y)) for x, y in shape["points"]]
    except (KeyError, TypeError, ValueError):
        raise Refused(f"{where}.points: expected pairs of numbers") from None


def _pixels(
    shape: dict[str, Any],
    corners: list[tuple[float, float]],
    size: tuple[int, int] | None,
    where: str,
    settings: DatasetSettings,
) -> RunLengths:
    """The pixels of a mask that lies in the image between two corners, both inside. size: of the image."""
    if size is None or len(corners) != 2 or not isinstance(shape.get("mask"), str):
        raise Refused(f"{where}: expected a mask with two points, and imageWidth and imageHeight")
    if not 0 < size[0] * size[1] <= settings.max_pixels:
        raise Refused(f"{where}: an image of {size[0]}×{size[1]}, at most {settings.max_pixels} pixels", setting=PIXELS)
    try:
        content = base64.b64decode(shape["mask"], validate=True)
    except ValueError:
        raise Refused(f"{where}.mask: expected a PNG in base64") from None
    try:
        picture = opened_picture(content, max_bytes=settings.max_bytes, max_pixels=settings.max_pixels, least_px=1)
    except Refused as refused:
        raise Refused(f"{where}.mask: {refused}", setting=refused.setting) from None
    marked, (left, top) = np.asarray(picture.convert("L")) > 0, (round(value) for value in corners[0])
    whole = np.zeros(size[::-1], bool)
    if min(left, top) < 0 or left + marked.shape[1] > size[0] or top + marked.shape[0] > size[1]:
        raise Refused(f"{where}.mask: {marked.shape[1]}×{marked.shape[0]} at {left} {top} reaches outside the image")
    whole[top : top + marked.shape[0], left : left + marked.shape[1]] = marked
    return runs_of(whole)


def _outline(shape: dict[str, Any], corners: list[tuple[float, float]], where: str) -> tuple[float, ...]:
    kind = shape.get("shape_type", "polygon")
    match kind, corners:
        case "polygon", [_, _, _, *_]:
            pass
        case "rectangle", [(left, top), (right, bottom)]:
            corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        case "circle", [(x, y), rim]:
            radius = math.dist((x, y), rim)
            turns = [2 * math.pi * step / CIRCLE_CORNERS for step in range(CIRCLE_CORNERS)]
            corners = [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]
        case _:
            shown = printable(str(kind))[:20]
            raise Refused(f"{where}: a {shown} of {len(corners)} points has no area: draw a polygon or rectangle")
    return tuple(value for corner in corners for value in corner)
