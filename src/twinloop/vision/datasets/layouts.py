"""Every layout that is read, in the order in which `kind: auto` tries them: the most telling first.

A layout locates its root (archives often have a folder around it all) and reads a collection from it; what holds for
all of them (parts, depth of grey, files left over) is added here. To add one, write a module with these two functions
and enter it here and in settings.Kind.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets import (
    coco,
    dagm,
    deep_pcb,
    folder,
    kolektor,
    labelme,
    magnetic_tile,
    mvtec,
    segmentation,
    table,
    visa,
    voc,
    yolo,
)
from twinloop.vision.datasets.depth import depth_of
from twinloop.vision.datasets.leftovers import left_over
from twinloop.vision.datasets.masks import check_polarity
from twinloop.vision.datasets.parts import with_parts
from twinloop.vision.datasets.samples import Collection, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD


@dataclass(frozen=True)
class Layout:
    """name: as in DatasetSettings.kind. looks_for: what it is recognised by. locate: its root in a source, or None.

    read: all its samples. categories: whether it may hold several objects or textures. annotated: whether it is a
    tool's annotation beside images, of which a source may hold several kinds.
    """

    name: str
    looks_for: str
    locate: Callable[[Path], Path | None]
    read: Callable[[Path, DatasetSettings], Collection]
    categories: bool = False
    annotated: bool = False


LAYOUTS = (
    Layout("magnetic_tile", magnetic_tile.LOOKS_FOR, magnetic_tile.locate, magnetic_tile.magnetic_tile),
    Layout("visa", visa.LOOKS_FOR, visa.locate, visa.visa, categories=True),
    Layout("dagm", dagm.LOOKS_FOR, dagm.locate, dagm.dagm, categories=True),
    Layout("kolektor_sdd", kolektor.SDD_LOOKS_FOR, kolektor.locate_sdd, kolektor.kolektor_sdd),
    Layout("kolektor_sdd2", kolektor.SDD2_LOOKS_FOR, kolektor.locate_sdd2, kolektor.kolektor_sdd2),
    Layout("deep_pcb", deep_pcb.LOOKS_FOR, deep_pcb.locate, deep_pcb.deep_pcb),
    Layout("coco", coco.LOOKS_FOR, coco.locate, coco.coco, annotated=True),
    Layout("voc", voc.LOOKS_FOR, voc.locate, voc.voc, annotated=True),
    Layout("yolo", yolo.LOOKS_FOR, yolo.locate, yolo.yolo, annotated=True),
    Layout("labelme", labelme.LOOKS_FOR, labelme.locate, labelme.labelme, annotated=True),
    Layout("table", table.LOOKS_FOR, table.locate, table.table, annotated=True),
    Layout("segmentation", segmentation.LOOKS_FOR, segmentation.locate, segmentation.segmentation, annotated=True),
    Layout("mvtec", mvtec.LOOKS_FOR, mvtec.locate, mvtec.mvtec, categories=True),
    Layout("folder", folder.LOOKS_FOR, folder.locate, folder.folder),
)
BY_NAME = {layout.name: layout for layout in LAYOUTS}


def recognised(source: Path) -> Layout | None:
    """The first layout that finds its root in the folder `source`."""
    return next((layout for layout in LAYOUTS if layout.locate(source) is not None), None)


def chosen(source: Path, settings: DatasetSettings) -> Layout | None:
    """The layout that `settings.kind` names or that is recognised; None where nothing fits.

    Raises InputError where the source holds annotations of several kinds, of which one must be named.
    """
    if settings.kind != "auto":
        return BY_NAME[settings.kind]
    first = recognised(source)
    if first is None or not first.annotated:
        return first
    fitting = [layout.name for layout in LAYOUTS if layout.annotated and layout.locate(source) is not None]
    if len(fitting) > 1:
        raise InputError(
            f"data: {printable(str(source))}: fits the layouts {' and '.join(fitting)}: "
            f"DatasetSettings.kind={fitting[0]} (or another of them) says which is meant"
        )
    return first


def read(source: Path, settings: DatasetSettings) -> Collection:
    """All samples of the folder `source`, in the layout that `settings.kind` names or that is recognised.

    Raises InputError where nothing fits.
    """
    layout = chosen(source, settings)
    if layout is None:
        raise InputError(
            f"data: {printable(str(source))}: no known layout ({', '.join(BY_NAME)}): "
            "`python -m twinloop doctor data` with this path says what was looked for"
        )
    return read_as(layout, source, settings)


def read_as(layout: Layout, source: Path, settings: DatasetSettings) -> Collection:
    """All samples of the folder `source` in this layout. Raises InputError where it does not fit."""
    if settings.category and not layout.categories:
        raise InputError(
            f"data: {printable(str(source))}: expected DatasetSettings.category to be empty, "
            f"layout {layout.name} holds one object only, found {printable(settings.category)!r}"
        )
    collection = layout.read(source, settings)
    if layout.annotated and collection.strays and all(sample.label == GOOD for sample in collection.samples):
        # What is left would pass for good images alone, and every defect would be lost.
        name, reason = collection.strays[0]
        raise InputError(
            f"data: {printable(str(source))}: no defect is left, {len(collection.strays)} files are refused: "
            f"{printable(name)}: {reason}; mend them, or take them away to learn without defects"
        )
    if settings.depth_bits == 0:
        bits, told = depth_of(collection.samples, settings)
        if bits:
            collection = layout.read(source, replace(settings, depth_bits=bits))
            collection = replace(collection, notes=(*collection.notes, *told))
    check_polarity(collection.samples, settings)
    root = layout.locate(source) or source
    collection = with_parts(collection, root, source, settings)
    notes = (*collection.notes, *left_over(root, collection, settings))
    return replace(collection, layout=layout.name, notes=notes)
