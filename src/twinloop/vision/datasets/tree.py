"""Folders, images and notes of a source on disk, in one order whatever the file system.

Hidden files and what macOS adds to archives are left alone. One folder around it all, as archives
often have, is passed through.
"""

import csv
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from twinloop.errors import InputError
from twinloop.vision.datasets.samples import IMAGE_SUFFIXES, printable

# Where a collection says whose it is, most telling first; compared in lower case.
NOTES = ("source.txt", "license", "license.txt", "license-dataset", "readme.md", "readme.txt", "readme")
NOTE_CHARS = 4000
# Folders that say in which set of a division their images are.
DIVISIONS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
WRAPPERS = 8


def folders(root: Path) -> list[Path]:
    """The folders directly in `root`."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX")))


def images(root: Path, *, deep: bool = True) -> list[Path]:
    """Image files in `root`, also in the folders below it unless `deep` is false."""
    if not root.is_dir():
        return []
    paths = root.rglob("*") if deep else root.glob("*")
    return sorted(
        path
        for path in paths
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def by_stem(root: Path) -> dict[str, Path]:
    """Image files directly in `root` by their `stem`."""
    return {stem(path): path for path in images(root, deep=False)}


def stem(path: Path) -> str:
    """A file's name without suffix, in lower case and one Unicode form: macOS writes é as two characters."""
    return unicodedata.normalize("NFC", path.stem).lower()


def division(path: Path) -> str:
    """The set that a folder in a relative path names; "" where none does."""
    return next((DIVISIONS[part.lower()] for part in path.parts[:-1] if part.lower() in DIVISIONS), "")


def inner(source: Path, fits: Callable[[Path], bool]) -> Path | None:
    """The folder that `fits`: `source`, or one below folders that hold nothing but one other folder; None without."""
    root = source
    for _ in range(WRAPPERS):
        if fits(root):
            return root
        inside = folders(root)
        if len(inside) != 1 or images(root, deep=False):
            return None
        root = inside[0]
    return None


def unwrapped(source: Path) -> Path:
    """The first folder from `source` down that holds more than one other folder and nothing else."""
    root = source
    for _ in range(WRAPPERS):
        entries = [path for path in root.iterdir() if not path.name.startswith((".", "__MACOSX"))]
        if len(entries) != 1 or not entries[0].is_dir():
            break
        root = entries[0]
    return root


def expected(root: Path | None, source: Path, looks_for: str) -> Path:
    """`root`, or InputError that says what was looked for in `source` and what is there."""
    if root is not None:
        return root
    names = sorted(path.name for path in source.iterdir() if not path.name.startswith(".")) if source.is_dir() else []
    shown = ", ".join(printable(name) for name in names[:4]) + (" …" if len(names) > 4 else "")
    raise InputError(
        f"data: {printable(str(source))}: expected {looks_for}, found {shown or 'nothing'}: "
        "see DatasetSettings.source and DatasetSettings.kind"
    )


def categories(root: Path, fits: Callable[[Path], bool]) -> dict[str, Path]:
    """The root itself if it `fits`, or the folders in it that do; a lone folder is passed through and none."""
    if fits(root):
        return {root.name: root}
    beside = folders(root)
    return {path.name: path for path in beside if fits(path)} if len(beside) > 1 else {}


def chosen(known: Mapping[str, Path], category: str, source: Path) -> dict[str, Path]:
    """Folders of the chosen category, of all for "". Raises InputError for one that is not there."""
    if not category:
        return dict(known)
    if category not in known:
        raise InputError(
            f"data: {printable(str(source))}: expected DatasetSettings.category to be one of "
            f"{', '.join(printable(name) for name in known)}, found {printable(category)!r}"
        )
    return {category: known[category]}


def inside(root: Path, name: str) -> Path | None:
    """The path `name` (forward or backward slashes) below `root`; None where it leads out of it."""
    path = PurePosixPath(name.replace("\\", "/"))
    too_long = len(name) > 4000 or any(len(part.encode("utf-8", "surrogatepass")) > 255 for part in path.parts)
    if path.is_absolute() or ".." in path.parts or "\0" in name or name[1:2] == ":" or not path.parts or too_long:
        return None
    return root / path


def named(root: Path, name: str) -> Path | None:
    """The file `name` below `root`, also where it is written in the other Unicode form; None where there is none."""
    forms = dict.fromkeys((name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))))
    paths = (inside(root, form) for form in forms)
    return next((path for path in paths if path is not None and path.is_file()), None)


def table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells, without blanks around them, of every row of a CSV file with at least these `columns`.

    Raises InputError for other columns, for a row with more cells than columns and for what is no CSV.
    """
    shown = printable(str(path))
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = csv.DictReader(stream)
        try:
            if not set(columns) <= set(rows.fieldnames or ()):
                header = printable(",".join(rows.fieldnames or ()))[:80] or "none"
                raise InputError(f"data: {shown}: expected the columns {','.join(columns)}, found {header}")
            for row in rows:
                extra = row.pop(None, None)
                if extra:
                    raise InputError(
                        f"data: {shown}:{rows.line_num}: expected {len(row)} cells, found {len(row) + len(extra)}"
                    )
                yield rows.line_num, {key: (cell or "").strip() for key, cell in row.items()}
        except csv.Error as error:
            raise InputError(f"data: {shown}:{rows.line_num + 1}: expected CSV, found: {error}") from None


def origin(root: Path, otherwise: str) -> str:
    """The text that says whose data it is: of a note beside it, cut to 4000 characters, or `otherwise`."""
    files = {path.name.lower(): path for path in sorted(root.iterdir()) if path.is_file()}
    notes = [files[name] for name in NOTES if name in files]
    return notes[0].read_text(encoding="utf-8", errors="replace")[:NOTE_CHARS] if notes else otherwise
