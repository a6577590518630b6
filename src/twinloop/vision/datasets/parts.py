"""Which images show the same part: said in groups.csv, by the pattern `DatasetSettings.part`, or in the file's name.

groups.csv             columns file,group, beside what it names or around it; in every layout
tile7__2.png           in a user's own images, text before a double underscore names the part
0001_cam1, 0001_cam2   looks like two views of one part: remarked, never assumed
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets.rows import sheets
from twinloop.vision.datasets.samples import Collection, Sample, printable
from twinloop.vision.datasets.settings import DatasetSettings

GROUPS_FILE = "groups.csv"
VIEW = re.compile(r"(.*\d.*?)([\W_]+|(?<=\d)(?=[^\W\d_]))([^\W\d_]*\d*)", re.IGNORECASE)
# More endings than these are numbers of parts, not of cameras.
MOST_VIEWS = 12


def part_in_name(path: Path, settings: DatasetSettings) -> str:
    """The part that a file's name tells, by the pattern or before a double underscore; "" where it tells none."""
    if not settings.part:
        before, underscores, _ = path.stem.partition("__")
        return before if underscores else ""
    match = re.search(settings.part, path.stem)
    return match[1] or "" if match else ""


def with_parts(collection: Collection, root: Path, source: Path, settings: DatasetSettings) -> Collection:
    """The collection with the parts that groups.csv or the pattern tell, and a remark where names look alike.

    groups.csv lies in `root`, which samples are named from, or in a folder around it, up to `source`. Raises InputError
    for a faulty one, and for a pattern that fits no name.
    """
    around = (folder for folder in root.parents if folder.is_relative_to(source))
    place = next((folder for folder in (root, *around) if (folder / GROUPS_FILE).is_file()), root)
    above = root.relative_to(place)
    groups = read_groups(place)
    samples, fitting, listed, absent = [], 0, bool(groups), 0
    for sample in collection.samples:
        group = groups.pop(_plain((above / sample.name).as_posix()), "")
        absent += not group
        told = part_in_name(sample.path, settings) if settings.part and sample.path is not None else ""
        fitting += bool(told)
        samples.append(replace(sample, group=group or told or sample.group))
    # Rows of files that were set aside are no mistake of the table.
    for name, _ in collection.strays:
        groups.pop(_plain((above / name).as_posix()), None)
    if groups:
        raise InputError(
            f"data: {printable(str(place / GROUPS_FILE))}: names {printable(next(iter(groups)))!r}, which is not an "
            f"image of this folder ({len(groups)} such rows): paths are relative to the file, with forward slashes"
        )
    if settings.part and not fitting:
        example = printable(collection.samples[0].name) if collection.samples else "nothing"
        raise InputError(f"data: DatasetSettings.part {settings.part!r} fits no file name; the first is {example}")
    gaps = (f"{GROUPS_FILE} does not list {absent} of {len(samples)} images: they keep the part they have without it.",)
    notes = (*collection.notes, *(gaps if listed and absent else ()), *views(samples))
    return replace(collection, samples=tuple(samples), notes=notes)


def views(samples: Sequence[Sample]) -> tuple[str, ...]:
    """A remark where images that count as parts of their own are named like views of one part."""
    endings: dict[tuple[str, str], set[str]] = defaultdict(set)
    alone = [sample for sample in samples if sample.path is not None and sample.group == sample.name]
    for sample in alone:
        assert sample.path is not None
        if match := VIEW.fullmatch(sample.path.stem):
            endings[str(sample.path.parent), match[1]].add(match[2] + match[3])
    shared = {key: some for key, some in endings.items() if len(some) > 1}
    kinds = set[str]().union(*shared.values()) if shared else set()
    images = sum(map(len, shared.values()))
    if not 2 <= len(kinds) <= min(MOST_VIEWS, len(shared)) or 2 * images < len(alone):
        return ()
    (_, stem), some = next(iter(shared.items()))
    shown = ", ".join(f"{stem}{ending}" for ending in sorted(some)[:3])
    letters = sorted({re.sub(r"\d+$", "", ending) for ending in kinds})
    # What follows the part: one ending, or nothing common to all of them.
    pattern = f"^(.+?){re.escape(letters[0])}" if len(letters) == 1 else r"^(.+)[\W_]"
    return (
        f"{images} images are named like views of {len(shared)} parts ({printable(shown)}) and count as parts of their "
        f"own: DatasetSettings.part='{printable(pattern)}' or groups.csv joins them.",
    )


def read_groups(root: Path) -> dict[str, str]:
    """Part by file of groups.csv in `root`, nothing where there is none. Raises InputError with the row."""
    path = root / GROUPS_FILE
    if not path.is_file():
        return {}
    shown = printable(str(path))
    (_, header), *rows = sheets(path)[""] or [(1, ())]
    names = [name.lower() for name in header]
    if not {"file", "group"} <= set(names):
        found = printable(",".join(header))[:80] or "none"
        raise InputError(f"data: {shown}: expected the columns file,group, found {found}")
    groups: dict[str, str] = {}
    for number, cells in rows:
        if any(cells[len(names) :]):
            raise InputError(f"data: {shown}:{number}: expected {len(names)} cells, found {len(cells)}")
        row = dict(zip(names, cells, strict=False))
        file, group = _plain(row.get("file", "")), row.get("group", "")
        if not file or not group or groups.get(file, group) != group:
            raise InputError(
                f"data: {shown}:{number}: expected one file and its group, "
                f"found {printable(file)!r} and {printable(group)!r}: fix the row"
            )
        groups[file] = group
    return groups


def _plain(name: str) -> str:
    """A name in one Unicode form, with forward slashes."""
    return unicodedata.normalize("NFC", name.replace("\\", "/"))
