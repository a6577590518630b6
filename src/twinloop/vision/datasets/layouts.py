"""Every layout that is read, in the order in which `kind: auto` tries them: the most telling first.

A layout locates its root (archives often have a folder around it all) and reads a collection from it.
To add one, write a module with these two functions and enter it here and in settings.Kind.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets import coco, dagm, deep_pcb, folder, kolektor, magnetic_tile, mvtec, visa, voc
from twinloop.vision.datasets.samples import Collection, printable
from twinloop.vision.datasets.settings import DatasetSettings


@dataclass(frozen=True)
class Layout:
    """name: as in DatasetSettings.kind. looks_for: what it is recognised by. locate: its root in a source, or None.

    read: all its samples. categories: whether it may hold several objects or textures.
    """

    name: str
    looks_for: str
    locate: Callable[[Path], Path | None]
    read: Callable[[Path, DatasetSettings], Collection]
    categories: bool = False


LAYOUTS = (
    Layout("magnetic_tile", magnetic_tile.LOOKS_FOR, magnetic_tile.locate, magnetic_tile.magnetic_tile),
    Layout("visa", visa.LOOKS_FOR, visa.locate, visa.visa, categories=True),
    Layout("dagm", dagm.LOOKS_FOR, dagm.locate, dagm.dagm, categories=True),
    Layout("kolektor_sdd", kolektor.SDD_LOOKS_FOR, kolektor.locate_sdd, kolektor.kolektor_sdd),
    Layout("kolektor_sdd2", kolektor.SDD2_LOOKS_FOR, kolektor.locate_sdd2, kolektor.kolektor_sdd2),
    Layout("deep_pcb", deep_pcb.LOOKS_FOR, deep_pcb.locate, deep_pcb.deep_pcb),
    Layout("coco", coco.LOOKS_FOR, coco.locate, coco.coco),
    Layout("voc", voc.LOOKS_FOR, voc.locate, voc.voc),
    Layout("mvtec", mvtec.LOOKS_FOR, mvtec.locate, mvtec.mvtec, categories=True),
    Layout("folder", folder.LOOKS_FOR, folder.locate, folder.folder),
)
BY_NAME = {layout.name: layout for layout in LAYOUTS}


def recognised(source: Path) -> Layout | None:
    """The first layout that finds its root in the folder `source`."""
    return next((layout for layout in LAYOUTS if layout.locate(source) is not None), None)


def read(source: Path, settings: DatasetSettings) -> Collection:
    """All samples of the folder `source`, in the layout that `settings.kind` names or that is recognised.

    Raises InputError where nothing fits.
    """
    layout = recognised(source) if settings.kind == "auto" else BY_NAME[settings.kind]
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
    return replace(layout.read(source, settings), layout=layout.name)
