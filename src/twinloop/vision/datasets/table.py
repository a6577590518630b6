"""Images and a table that says what they show: CSV (comma, semicolon, tab, bar or blanks between cells) or XLSX.

    labels.csv    file,label        images/7.png,scratch    also a probability of a defect, 0 … 1, as label
    images/7.png                    below the table's folder, in images/, or alone of its name

The column of files is the one whose cells are images, the row above its first image (titles may stand before) names the
columns. The column of classes goes by its name, or is the only one left; group (or part) and split are read where they
are. Masks of the images are paired as elsewhere. What stays unclear is asked: which column, which label is good.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets import tree
from twinloop.vision.datasets.masks import masked_sample
from twinloop.vision.datasets.naming import classes_of, is_named, says_good
from twinloop.vision.datasets.pairing import MASK_WORDS, paired
from twinloop.vision.datasets.parts import GROUPS_FILE, part_in_name
from twinloop.vision.datasets.rows import MAX_ROWS, Row, sheets
from twinloop.vision.datasets.samples import IMAGE_SUFFIXES, Collection, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.index import GOOD

LOOKS_FOR = "a CSV or XLSX whose rows name image files and their class or probability of a defect (file,label)"
ENDINGS = (".csv", ".tsv", ".xlsx")
OLD_ENDINGS = (".xls", ".ods")
LABELS = (
    *("label", "class", "classname", "klasse", "classe", "clase", "defecttype", "fehlerart", "defect", "fehler"),
    *("category", "type", "target", "status", "result", "y"),
)
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
KNOWN = frozenset((*LABELS, *CHANCES, *DEFECTIVE, *PARTS, *SETS))
# Rows read to recognise a table, and the share of them whose file must be there.
LOOKED_AT, NAMED = 50, 0.5
# Texts of which more than this share differ are no classes, in so many rows.
DIFFERENT, TELLING = 0.5, 10


@dataclass(frozen=True)
class Table:
    """header: names of the columns, empty where no row names them. rows: (line, cells). sheet: of a workbook."""

    path: Path
    sheet: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    file_column: int

    @property
    def name(self) -> str:
        return f"{self.path.name}, sheet {self.sheet}" if self.sheet else self.path.name


@dataclass(frozen=True)
class Images:
    """Image files of a folder, found as a table writes them: by their path, or by name or path without ending."""

    root: Path
    by_path: dict[str, Path]
    by_stem: dict[str, Path | None]

    @classmethod
    def below(cls, root: Path) -> "Images":
        """All but those in folders of masks; a name that occurs twice stands for none."""
        by_path, by_stem = {}, dict[str, Path | None]()
        for path in tree.images(root):
            relative = path.relative_to(root)
            if not {_plain(part) for part in relative.parts[:-1]} & MASK_WORDS:
                by_path[_formed(relative.as_posix())] = path
                for stem in {tree.stem(path), _formed(relative.with_suffix("").as_posix()).lower()}:
                    by_stem[stem] = None if stem in by_stem else path
        return cls(root, by_path, by_stem)

    def named(self, written: str) -> Path | None:
        """The image that a cell names, with its ending or without."""
        name = _formed(written.replace("\\", "/").removeprefix("./"))
        if name in self.by_path:
            return self.by_path[name]
        if "/" in name and (path := tree.named(self.root, name) or self.by_stem.get(name.lower())) is not None:
            return path
        last = name.rpartition("/")[2]
        if not last:
            return None
        path = self.by_stem.get(tree.stem(Path(last)))
        if path is not None and _formed(path.name).lower() == last.lower():
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
        names = ", ".join(printable(one.name) for one in found)
        raise InputError(f"data: {printable(str(root))}: several tables name the images ({names}): leave one there")
    images = Images.below(root)
    listed = next(_read(found[0].path, images, sheet=found[0].sheet))
    column = _label_column(listed, settings)
    labels, notes = _labels(listed, column, settings)
    part, division = _column(listed.header, PARTS), _column(listed.header, SETS)
    named: dict[Path, tuple[int, tuple[str, ...]]] = {}
    strays, repeated = [], 0
    for line, cells in listed.rows:
        written = cells[listed.file_column]
        path, where = images.named(written), f"{listed.path.name}:{line}"
        if path is None:
            strays.append((written, f"{where} names {printable(written)[:80]}, which is not there"))
        elif path in named:
            before = named[path][1][column]
            if labels.get(before) == labels.get(cells[column]):
                repeated += 1
                continue
            why = f"as {printable(cells[column])} instead of {printable(before)}"
            strays.append((written, f"{where} names {printable(written)[:80]}, a second time, {why}"))
        else:
            named[path] = (line, cells)
    if repeated:
        # As where every defect has a row.
        notes = (*notes, f"{repeated} rows name an image again with the same class: it counts once.")
    rest = [path for path in tree.images(root) if path not in named]
    pairing = paired(root, settings) if rest else None
    samples = []
    for path, (line, cells) in named.items():
        name = path.relative_to(root).as_posix()
        if cells[column] not in labels:
            strays.append((name, f"{listed.path.name}:{line} gives no class"))
            continue
        group = (cells[part] if part is not None else "") or part_in_name(path, settings) or name
        came = tree.DIVISIONS.get(cells[division].lower(), "") if division is not None else ""
        masks = pairing.of(path) if pairing is not None else ()
        label = labels[cells[column]]
        samples.append(masked_sample(path, masks, label, settings, name=name, group=group, division=came))
    masks_of = {mask for sample in samples for mask in sample.masks}
    strays += [
        (path.relative_to(root).as_posix(), f"{listed.path.name} does not list it")
        for path in rest
        if path not in masks_of
    ]
    text = "No SOURCE.txt, LICENSE or README beside the images: origin and licence unknown."
    return Collection(tuple(samples), tree.origin(root, text), notes, tuple(strays))


def _labels(listed: Table, column: int, settings: DatasetSettings) -> tuple[dict[str, str], tuple[str, ...]]:
    """The class of every value of the label column, and how it was told; "" has one where blank cells have."""
    cells_of = [cells[column] for _, cells in listed.rows]
    values = list(dict.fromkeys(cell for cell in cells_of if cell))
    if not values:
        raise InputError(
            f"data: {printable(_place(listed, column))}: every cell is blank (formulas are saved by values)"
        )
    labels, notes = _meanings(listed, column, values, settings)
    blank = cells_of.count("")
    if blank and settings.unmarked == "asked" and GOOD not in labels.values():
        raise InputError(
            f"data: {printable(_place(listed, column))}: {blank} cells are blank and none says good: are they good "
            "parts? DatasetSettings.unmarked=good or =left_out says"
        )
    if blank and settings.unmarked == "good":
        return labels | {"": GOOD}, (
            *notes,
            f"{blank} images without a class count as good (DatasetSettings.unmarked).",
        )
    return labels, notes


def _meanings(
    listed: Table, column: int, values: list[str], settings: DatasetSettings
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The class of every one of these values, and how it was told."""
    header = listed.header[column] if listed.header else ""
    name, of_good = _plain(header), says_good(header)
    numbers = [_share(value) for value in values]
    where = _place(listed, column)
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
    if not settings.good and all(map(_is_number, values)):
        found = f"data: {printable(where)}: found {', '.join(sorted(values)[:6])}"
        if name in CHANCES or not all(value.isdecimal() for value in values):
            raise InputError(f"{found}: expected a probability of a defect from 0 to 1, or in %")
        raise InputError(f"{found}: which of them is good? DatasetSettings.good=[{sorted(values)[0]!r}] says")
    # What differs in capitals alone is one class, called as it comes first.
    first: dict[str, str] = {}
    spelt = {value: first.setdefault(_formed(value).casefold(), value) for value in values}
    named = classes_of(first.values(), settings.good, where=where)
    labels = {value: named.labels[spelling] for value, spelling in spelt.items()}
    labels = {value: f"class {label}" if label.isdigit() else label for value, label in labels.items()}
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
        if (len(left) == 1 and _may_be_classes(listed, left[0])) or (left and not listed.header):
            return left[0]
        if known and not left:
            raise InputError(
                f"data: {printable(str(listed.path))}: tells parts, and no column is the class: parts alone "
                f"are read from {GROUPS_FILE}, with the columns file,group"
            )
    columns = ", ".join(printable(name) for name in listed.header) or f"{len(others) + 1} without names"
    raise InputError(
        f"data: {printable(str(listed.path))}: which column is the class? Found {columns}: "
        "DatasetSettings.label_column names it; where none is, DatasetSettings.kind names another layout"
    )


def _may_be_classes(listed: Table, column: int) -> bool:
    """Whether cells repeat, as classes do and dates or remarks do not; numbers may be probabilities."""
    cells = [cells[column] for _, cells in listed.rows if cells[column]]
    return len(cells) < TELLING or all(map(_is_number, cells)) or len(set(cells)) <= DIFFERENT * len(cells)


def unread(root: Path) -> str:
    """Why the first table in `root` is not one of labels; "" where there is no table."""
    for path in _files(root, (*ENDINGS, *OLD_ENDINGS)):
        if path.suffix.lower() in OLD_ENDINGS:
            return f"{path.name} is no format that is read: save it as XLSX or CSV"
        images = Images.below(root)
        cells = [cell for rows in sheets(path, limit=LOOKED_AT).values() for _, row in rows for cell in row]
        there = len({images.named(cell) for cell in cells} - {None})
        files = [cell for cell in cells if Path(cell).suffix.lower() in IMAGE_SUFFIXES and images.named(cell) is None]
        told = f"names {there} of the images here" if there else "names none of the images here"
        absent = f", and {printable(files[0])[:80]}, which is not there" if files else ""
        return f"{path.name} {told}{absent}: a table of labels needs a column of file names and one of classes"
    return ""


def _files(root: Path, endings: Sequence[str]) -> list[Path]:
    """Tables directly in `root`; not hidden ones, those that Excel lays beside an open workbook, that of parts."""
    return [
        path
        for path in sorted(root.iterdir())
        if path.suffix.lower() in endings
        and not path.name.startswith((".", "~$"))
        and path.name.lower() not in (GROUPS_FILE, *tree.NOTES)
        and path.is_file()
    ]


def _tables(root: Path) -> list[Table]:
    """Files directly in `root`, and their sheets, whose first rows name images."""
    if not (files := _files(root, ENDINGS)):
        return []
    images = Images.below(root)
    return [found for path in files for found in _read(path, images, limit=LOOKED_AT)]


def _read(path: Path, images: Images, *, sheet: str | None = None, limit: int = MAX_ROWS) -> Iterator[Table]:
    """The sheets of a file, or this one, in which a column names images."""
    if not images.by_path:
        return
    for name, rows in sheets(path, limit=limit).items():
        if sheet in (None, name) and (found := _of_images(path, name, rows, images)) is not None:
            yield found


def _of_images(path: Path, sheet: str, rows: list[Row], images: Images) -> Table | None:
    width = max((len(cells) for _, cells in rows), default=0)
    if width < 2:
        return None
    rows = [(line, (*cells, *[""] * (width - len(cells)))) for line, cells in rows]
    looked = [cells for _, cells in rows[:LOOKED_AT]]
    column = max(range(width), key=lambda place: len({images.named(cells[place]) for cells in looked} - {None}))
    hits = [images.named(cells[column]) is not None for cells in looked]
    if not any(hits) or sum(hits) < NAMED * len(hits[hits.index(True) :]):
        return None
    header = _header(looked[: hits.index(True)], column)
    names, body = ((), rows) if header is None else (looked[header], rows[header + 1 :])
    return Table(path, sheet, names, tuple(body), column)


def _header(leading: Sequence[tuple[str, ...]], column: int) -> int | None:
    """Which of the rows before the first image names the columns: titles stand above it, files that lack below."""
    places = [
        place
        for place, cells in enumerate(leading)
        if sum(map(bool, cells)) > 1 and Path(cells[column]).suffix.lower() not in IMAGE_SUFFIXES
    ]
    known = [place for place in places if KNOWN & set(map(_plain, leading[place]))]
    chosen = known or places
    return chosen[-1] if chosen else None


def _place(listed: Table, column: int) -> str:
    return f"{listed.path.name}, column {listed.header[column] if listed.header else column + 1}"


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((place for place, name in enumerate(header) if _plain(name) in names), None)


def _share(value: str) -> float | None:
    number = _number(value.removesuffix("%"))
    if number is None:
        return None
    number = number / 100 if value.endswith("%") else number
    return number if 0 <= number <= 1 else None


def _number(value: str) -> float | None:
    try:
        return float(value.replace(",", "."))
    except ValueError:
        return None


def _is_number(value: str) -> bool:
    return _number(value.removesuffix("%")) is not None


def _formed(name: str) -> str:
    """A name in one Unicode form."""
    return unicodedata.normalize("NFC", name)


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
