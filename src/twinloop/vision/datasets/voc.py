"""Boxes in Pascal VOC's XML (Everingham et al., IJCV 2010), one file per image.

    Annotations/0001.xml    object: name and bndbox (xmin, ymin, xmax, ymax, counted from 1, both ends inside)
    JPEGImages/0001.jpg     also images/; folders inside both are followed; also 0001.jpg beside 0001.xml
    ImageSets/Main/{train,val,trainval,test}.txt     the division that came with the data, where it did

XML without objects is a good image; an image without XML is left out, or asked about where no XML is empty.
A document with a DOCTYPE or an
entity is refused before it is expanded (entity bombs). A faulty file puts its image into quarantine.
"""

import re
import unicodedata
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.naming import class_label
from twinloop.vision.datasets.regions import BOX_TRUTH, Region, marked_sample, several_classes
from twinloop.vision.datasets.samples import NO_PARTS, Collection, Refused, Sample, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.unmarked import read_unmarked
from twinloop.vision.index import GOOD

LOOKS_FOR = "Annotations/*.xml and JPEGImages (or images)"
IMAGE_FOLDERS = ("jpegimages", "images", "jpegs")
MAX_XML_BYTES = 5_000_000
LOOKED_AT = 8
# .NET writes this in front of what it then saves in UTF-8.
SAYS_UTF_16 = re.compile(rb"""(\xef\xbb\xbf)?<\?xml[^>]*encoding=["']utf-16""", re.IGNORECASE)
LISTS = {"train": "train", "val": "val", "trainval": "train", "test": "test"}
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def locate(source: Path) -> Path | None:
    """The folder that holds annotations and images."""
    return tree.inner(tree.unwrapped(source), lambda root: _parts(root) is not None)


def voc(source: Path, settings: DatasetSettings) -> Collection:
    """All images with an annotation. Raises InputError where nothing fits the layout."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    parts = _parts(root)
    assert parts is not None
    annotations, pictures = parts
    by_path = {_key(path, pictures): path for path in tree.images(pictures)}
    by_name: dict[str, list[Path]] = {}
    for path in by_path.values():
        by_name.setdefault(tree.stem(path), []).append(path)
    division_of = _division(root)
    samples: list[Sample] = []
    strays: list[tuple[str, str]] = []
    marked = []
    used = set()
    for file in sorted(annotations.rglob("*.xml")):
        shown = file.relative_to(root).as_posix()
        alike = by_name.get(tree.stem(file), [])
        picture = by_path.get(_key(file, annotations)) or (alike[0] if len(alike) == 1 else None)
        if picture is None:
            strays.append((shown, "annotation has no image" if not alike else "several images have its name"))
            continue
        used.add(picture)
        name = picture.relative_to(root).as_posix()
        try:
            document = parse_xml(file)
            size = _size(document, file.name)
            regions = [region for region in _regions(document, file.name, settings) if region.label != GOOD]
        except Refused as refused:
            strays.append((name, refused.for_operator))
            continue
        marked.append(regions)
        division = division_of.get(picture.stem, "") or tree.division(picture.relative_to(root))
        samples.append(marked_sample(picture, regions, settings, name=name, group=name, size=size, division=division))
    bare = [path for path in by_path.values() if path not in used]
    good, left, told = read_unmarked(root, bare, samples, "annotation", settings)
    notes = (BOX_TRUTH, NO_PARTS, *told)
    text = "No SOURCE.txt, LICENSE or README beside the annotations: origin and licence unknown."
    told = (*notes, *several_classes(marked))
    return Collection((*samples, *good), tree.origin(root, text), told, (*strays, *left))


def parse_xml(path: Path) -> Element:
    """The root element of a small XML file without DOCTYPE. Raises Refused with file and row."""
    size = path.stat().st_size
    if size > MAX_XML_BYTES:
        raise Refused(f"{path.name}: file has {size} bytes, an annotation at most {MAX_XML_BYTES}")
    content = path.read_bytes()
    builder = TreeBuilder()
    parser = expat.ParserCreate("utf-8" if SAYS_UTF_16.match(content) else None)

    def refuse(*_: Any) -> None:
        raise Refused(f"{path.name}:{parser.CurrentLineNumber}: holds a DOCTYPE or an entity, which are not read")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Refused(f"{path.name}:{error.lineno}: expected XML, found {expat.ErrorString(error.code)}") from None
    return builder.close()


def _regions(document: Element, file: str, settings: DatasetSettings) -> list[Region]:
    regions = []
    for number, entry in enumerate(document.findall("object"), start=1):
        where = f"{file}: object {number}"
        name = (entry.findtext("name") or "").strip()
        if not any(character.isalnum() for character in name):
            raise Refused(f"{where}: expected a name, found {printable(name)!r}")
        written = [(entry.findtext(f"bndbox/{corner}") or "").strip() for corner in CORNERS]
        try:
            left, top, right, bottom = map(float, written)
        except ValueError:
            shown = printable(" ".join(written))[:60]
            raise Refused(f"{where}: expected bndbox with {', '.join(CORNERS)}, found {shown!r}") from None
        regions.append(Region(class_label(name, settings.good), (left - 1, top - 1, right, bottom), where=where))
    return regions


def _size(document: Element, file: str) -> tuple[int, int] | None:
    written = [document.findtext(f"size/{side}") for side in ("width", "height")]
    if None in written:
        return None
    try:
        width, height = (int(float(side or "0")) for side in written)
    except (ValueError, OverflowError):
        raise Refused(f"{file}: expected size with width and height, found {printable(str(written))[:60]}") from None
    return width, height


def _parts(root: Path) -> tuple[Path, Path] | None:
    """The folders of annotations and of images; twice the root where they lie beside each other."""
    names = {path.name.lower(): path for path in tree.folders(root)}
    pictures = next((names[name] for name in IMAGE_FOLDERS if name in names), None)
    annotations = names.get("annotations")
    if pictures is not None and annotations is not None:
        return (annotations, pictures) if next(annotations.rglob("*.xml"), None) is not None else None
    beside = islice(root.rglob("*.xml"), LOOKED_AT)
    return (root, root) if any(map(_is_voc, beside)) and tree.images(root) else None


def _is_voc(path: Path) -> bool:
    with path.open("rb") as stream:
        # In UTF-16 a letter is followed by a zero.
        return b"<annotation" in stream.read(8000).replace(b"\0", b"")


def _key(path: Path, root: Path) -> str:
    return unicodedata.normalize("NFC", path.relative_to(root).with_suffix("").as_posix())


def _division(root: Path) -> dict[str, str]:
    divisions: dict[str, str] = {}
    for name, division in LISTS.items():
        path = root / "ImageSets" / "Main" / f"{name}.txt"
        if path.is_file():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                # trainval repeats what train and val said more exactly.
                divisions.setdefault(line.strip(), division)
    return divisions
