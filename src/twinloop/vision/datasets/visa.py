"""VisA (Zou et al., ECCV 2022): twelve objects, good and defective images listed in CSV files.

    pcb1/Data/Images/Normal/0000.JPG   pcb1/Data/Images/Anomaly/000.JPG   pcb1/Data/Masks/Anomaly/000.png
    pcb1/image_anno.csv        image,label,mask: names the defects, which classes are taken from
    split_csv/1cls.csv         object,split,label,image,mask: the division that came with the data

Paths begin with the object. One object alone is read too; a row that names several defects counts
for the first. Masks hold numbers of defects: every value above 0 is one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets import tree
from twinloop.vision.datasets.masks import masked_sample
from twinloop.vision.datasets.naming import class_label
from twinloop.vision.datasets.samples import NO_PARTS, Collection, Sample, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

LOOKS_FOR = "<object>/Data/Images/{Normal,Anomaly} with <object>/image_anno.csv or split_csv/1cls.csv"
ANNOTATION = "image_anno.csv"
SPLITS = "split_csv/1cls.csv"


@dataclass(frozen=True)
class Row:
    """One listed image: its path and mask as written (object first), its label, and the file and row."""

    image: str
    label: str
    mask: str
    split: str
    place: str


def locate(source: Path) -> Path | None:
    """The folder that holds the objects, or one object."""
    return tree.inner(source, lambda root: bool(_objects(root)))


def visa(source: Path, settings: DatasetSettings) -> Collection:
    """All listed images of one or several objects. Raises InputError for a row that cannot be read."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    objects = tree.chosen(_objects(root), settings.category, root)
    divided = list(_rows(root / SPLITS)) if (root / SPLITS).is_file() else []
    division_of = {row.image: row.split for row in divided}
    samples: list[Sample] = []
    strays: list[tuple[str, str]] = []
    several = 0
    for name, folder in objects.items():
        own = folder / ANNOTATION
        rows = list(_rows(own)) if own.is_file() else [r for r in divided if r.image.partition("/")[0] == name]
        if not rows:
            raise InputError(
                f"data: {printable(str(folder))}: expected {ANNOTATION}, or rows in {SPLITS}, found none: fetch them"
            )
        listed = set()
        for row in rows:
            path, mask = _below(folder, row.image), _below(folder, row.mask) if row.mask else None
            listed.add(path)
            absent = row.image if not _is_file(path) else row.mask if row.mask and not _is_file(mask) else ""
            if path is None or absent:
                strays.append((row.image, f"{row.place} names {printable(absent)}, which is not there"))
                continue
            first, _, others = row.label.partition(",")
            several += bool(others)
            label = class_label(first)
            if label != GOOD and len(objects) > 1:
                label = class_label(f"{name} {label}")
            file = path.relative_to(root).as_posix()
            samples.append(
                masked_sample(
                    path,
                    () if mask is None else (mask,),
                    label,
                    settings,
                    name=file,
                    group=file,
                    division=division_of.get(row.image, ""),
                    numbered=True,
                )
            )
        forgotten = [path for path in tree.images(folder / "Data" / "Images") if path not in listed]
        strays += [(path.relative_to(root).as_posix(), "is in no list") for path in forgotten]
    notes = [NO_PARTS]
    if several:
        notes.append(f"{several} rows name several defects; each image takes the first.")
    text = "VisA (Zou et al. 2022), https://github.com/amazon-science/spot-diff, CC BY 4.0 as published."
    return Collection(tuple(samples), tree.origin(root, text), tuple(notes), tuple(strays))


def _objects(root: Path) -> dict[str, Path]:
    divided = (root / SPLITS).is_file()
    return tree.categories(
        root, lambda path: (path / "Data" / "Images").is_dir() and (divided or (path / ANNOTATION).is_file())
    )


def _rows(path: Path) -> Iterator[Row]:
    for number, cells in tree.table(path, ("image", "label", "mask")):
        label = cells["label"].partition(",")[0]
        good = bool(label) and class_label(label) == GOOD
        if not cells["image"] or not label or (not good and not cells["mask"]):
            raise InputError(
                f"data: {printable(str(path))}:{number}: expected an image, its label and for a defect its mask, "
                f"found {printable(','.join(cells.values()))!r}: fix the row"
            )
        place = f"{path.name}:{number}"
        yield Row(cells["image"], cells["label"], cells["mask"], cells.get("split", ""), place)


def _below(folder: Path, written: str) -> Path | None:
    """A path that begins with the object's name, below the object's folder whatever that is called here."""
    _, _, rest = written.partition("/")
    return tree.inside(folder, rest)


def _is_file(path: Path | None) -> bool:
    return path is not None and path.is_file()
