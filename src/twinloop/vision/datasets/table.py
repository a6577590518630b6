"""Images and a table that says what they show: CSV (comma, semicolon, tab or blanks between cells) or XLSX.

    labels.csv    file,label        images/7.png,scratch    also a probability of a defect, 0 … 1, as label
    images/7.png                    below the table's folder, in images/, or alone of its name

The column of files is the one whose cells are images. The column of classes goes by its name, or is the only one left;
group (or part) and split are read where they are. What stays unclear is asked: which column, which label is good.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets import tree
from twinloop.vision.datasets.masks import masked_sample
from twinloop.vision.datasets.naming import classes_of, is_named, says_good
from twinloop.vision.datasets.parts import GROUPS_FILE, part_in_name
from twinloop.vision.datasets.samples import Collection, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

LOOKS_FOR = "a CSV or XLSX whose rows name image files and their class or probability of a defect (file,label)"
ENDINGS = (".csv", ".tsv", ".xlsx")
LABELS = ("label", "class", "classname", "defecttype", "defect", "category", "type", "target", "status", "result", "y")
CHANCES = ("probability", "defectprobability", "proba", "prob", "score", "pdefect")
DEFECTIVE = (
    "defect",
    "isdefect",
    "defective",
    "isdefective",
    "anomaly",
    "isanomaly",
    "anomalous",
    "nok",
    "bad",
    "fault",
)
PARTS, SETS = ("group", "part", "partid", "serial"), ("split", "set", "division", "subset")
DEFECT = "defect"
ANSWERS = {"true": True, "yes": True, "ja": True, "false": False, "no": False, "nein": False}
# Rows read to recognise a table, and the share of them whose file must be there.
LOOKED_AT, NAMED = 50, 0.5
MAX_ROWS = 2_000_000


@dataclass(frozen=True)
class Table:
    """header: names of the columns, empty where the first row is one of data. rows: (line, cells)."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    file_column: int


@dataclass(frozen=True)
class Images:
    """Image files of a folder, found as a table writes them."""

    root: Path
    by_path: dict[str, Path]
    by_stem: dict[str, Path | None]

    @classmethod
    def below(cls, root: Path) -> "Images":
        """All of them; a name that occurs twice stands for none."""
        files = tree.images(root)
        by_stem: dict[str, Path | None] = {}
        for path in files:
            by_stem[tree.stem(path)] = None if tree.stem(path) in by_stem else path
        return cls(root, {path.relative_to(root).as_posix(): path for path in files}, by_stem)

    def named(self, written: str) -> Path | None:
        """The image that a cell names, with its ending or without."""
        name = written.replace("\\", "/").removeprefix("./")
        if name in self.by_path:
            return self.by_path[name]
        if "/" in name and (path := tree.named(self.root, name)) is not None:
            return path
        last = name.rpartition("/")[2]
        if not last:
            return None
        path = self.by_stem.get(tree.stem(Path(last)))
        if path is not None and path.name.lower() == last.lower():
            return path
        # A name without ending may hold a dot, which is none then.
        return self.by_stem.get(tree.stem(Path(f"{last}.png")))


def locate(source: Path) -> Path | None:
    """The folder that holds the table."""
    return tree.inner(source, lambda root: bool(_tables(root)))


def table(source: Path, settings: DatasetSettings) -> Collection:
    """All listed images. Raises InputError where the table leaves open what is the class or what is good."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    found = _tables(root)
    if len(found) > 1:
        names = ", ".join(printable(one.path.name) for one in found)
        raise InputError(f"data: {printable(str(root))}: several tables name the images ({names}): leave one there")
    images = Images.below(root)
    listed = _read(found[0].path, images)
    assert listed is not None
    column = _label_column(listed, settings)
    labels, notes = _labels(listed, column, settings)
    part, division = _column(listed.header, PARTS), _column(listed.header, SETS)
    samples, strays, used = [], [], set[Path]()
    for line, cells in listed.rows:
        written = cells[listed.file_column]
        path = images.named(written)
        if path is None or path in used:
            why = "which is not there" if path is None else "a second time"
            strays.append((written, f"{listed.path.name}:{line} names {printable(written)[:80]}, {why}"))
            continue
        used.add(path)
        if not cells[column]:
            strays.append((written, f"{listed.path.name}:{line} gives no class"))
            continue
        name = path.relative_to(root).as_posix()
        group = (cells[part] if part is not None else "") or part_in_name(path, settings) or name
        came = tree.DIVISIONS.get(cells[division].lower(), "") if division is not None else ""
        samples.append(masked_sample(path, (), labels[cells[column]], settings, name=name, group=group, division=came))
    rest = [path for path in images.by_path.values() if path not in used]
    strays += [(path.relative_to(root).as_posix(), f"{listed.path.name} does not list it") for path in rest]
    text = "No SOURCE.txt, LICENSE or README beside the images: origin and licence unknown."
    return Collection(tuple(samples), tree.origin(root, text), notes, tuple(strays))


def _labels(listed: Table, column: int, settings: DatasetSettings) -> tuple[dict[str, str], tuple[str, ...]]:
    """The class of every value of the label column, and how it was told."""
    values = list(dict.fromkeys(cells[column] for _, cells in listed.rows if cells[column]))
    header = listed.header[column] if listed.header else ""
    name, of_good = _plain(header), says_good(header)
    numbers = [_share(value) for value in values]
    where = f"{listed.path.name}, column {listed.header[column] if listed.header else column + 1}"
    if not settings.good and all(number is not None for number in numbers):
        shares = dict(zip(values, (number for number in numbers if number is not None), strict=True))
        chances = any(0 < share < 1 for share in shares.values()) or name in CHANCES
        if chances or of_good or name in DEFECTIVE:
            limit = settings.defect_from
            defects = {value: 1 - share if of_good else share for value, share in shares.items()}
            labels = {value: DEFECT if share >= limit else GOOD for value, share in defects.items()}
            read = "one less the probability of a good part" if of_good else "probability of a defect"
            told = f"{where}: read as {read}, defective from {limit:g} (DatasetSettings.defect_from)."
            return labels, (told,)
    if not settings.good and (of_good or name in DEFECTIVE) and all(value.lower() in ANSWERS for value in values):
        return {value: GOOD if ANSWERS[value.lower()] == of_good else DEFECT for value in values}, ()
    if not settings.good and all(number is not None for number in numbers):
        raise InputError(
            f"data: {printable(where)}: found {', '.join(sorted(values)[:6])}: which of them is good? "
            f"DatasetSettings.good=[{sorted(values)[0]!r}] says"
        )
    named = classes_of(values, settings.good, where=where)
    labels = {value: f"class {label}" if label.isdigit() else label for value, label in named.labels.items()}
    return labels, (f"Classes are those of {where}.", *named.notes)


def _label_column(listed: Table, settings: DatasetSettings) -> int:
    others = [place for place in range(len(listed.rows[0][1])) if place != listed.file_column]
    known = [place for place in others if listed.header and _plain(listed.header[place]) in (*PARTS, *SETS)]
    if settings.label_column:
        named = [place for place in others if listed.header and is_named(listed.header[place], [settings.label_column])]
        if named:
            return named[0]
    else:
        for name in (*LABELS, *CHANCES, *DEFECTIVE):
            places = [place for place in others if listed.header and _plain(listed.header[place]) == name]
            if places:
                return places[0]
        left = [place for place in others if place not in known]
        if len(left) == 1 or (left and not listed.header):
            return left[0]
    columns = ", ".join(printable(name) for name in listed.header) or f"{len(others) + 1} without names"
    raise InputError(
        f"data: {printable(str(listed.path))}: which column is the class? Found {columns}: "
        "DatasetSettings.label_column names it"
    )


def _tables(root: Path) -> list[Table]:
    """Files directly in `root` whose first rows name images."""
    files = [path for path in sorted(root.iterdir()) if path.suffix.lower() in ENDINGS and path.is_file()]
    files = [path for path in files if path.name.lower() not in (GROUPS_FILE, *tree.NOTES)]
    if not files:
        return []
    images = Images.below(root)
    return [found for path in files if (found := _read(path, images, limit=LOOKED_AT)) is not None]


def _read(path: Path, images: Images, *, limit: int = MAX_ROWS) -> Table | None:
    """The table; None where no column names images."""
    rows = [(line, cells) for line, cells in islice(_rows(path), limit + 1) if any(cells)]
    width = max((len(cells) for _, cells in rows), default=0)
    if width < 2 or not images.by_path:
        return None
    rows = [(line, (*cells, *[""] * (width - len(cells)))) for line, cells in rows]
    looked = rows[:LOOKED_AT]
    hits = [len({images.named(cells[place]) for _, cells in looked} - {None}) for place in range(width)]
    column = max(range(width), key=lambda place: hits[place])
    if hits[column] < max(NAMED * (len(looked) - 1), 1):
        return None
    headed = images.named(rows[0][1][column]) is None
    return Table(path, rows[0][1] if headed else (), tuple(rows[headed:]), column)


def _rows(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line number and cells of every row, without blanks around them. Raises InputError for what is no table."""
    if path.suffix.lower() == ".xlsx":
        yield from _sheet(path)
        return
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    first = text.split("\n", 1)[0]
    mark = max(";\t,", key=first.count)
    try:
        if mark in first:
            yield from (
                (number, tuple(cell.strip() for cell in cells))
                for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=mark), start=1)
            )
        else:
            yield from ((number, tuple(line.split())) for number, line in enumerate(text.splitlines(), start=1))
    except csv.Error as error:
        raise InputError(f"data: {printable(str(path))}: expected CSV, found: {error}") from None


def _sheet(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    import openpyxl  # costs a third of a second, for those who have a workbook

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for number, cells in enumerate(sheet.iter_rows(values_only=True, max_row=MAX_ROWS), start=1):
            yield number, tuple("" if cell is None else str(cell).strip() for cell in cells)
        book.close()
    except Exception as error:  # a damaged workbook raises whatever its XML and zip readers do
        raise InputError(
            f"data: {printable(str(path))}: expected a workbook, cannot be read ({str(error)[:80]}): save it as CSV"
        ) from None


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((place for place, name in enumerate(header) if _plain(name) in names), None)


def _share(value: str) -> float | None:
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
