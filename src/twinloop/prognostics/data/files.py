"""Data files of a source, plain or gzipped, as tables of text or of their own types; what is too large is refused."""

import gzip
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from twinloop.errors import InputError
from twinloop.spreadsheets import HINT, as_utf8, delimited, separator

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".json")
# Notes beside data, as collections have them.
NOTES = ("readme", "source", "license", "licence", "citation", "requirements")
CHUNK = 1 << 20


def kind_of(path: Path) -> str:
    """Suffix in lower case without .gz."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def stem_of(path: Path) -> str:
    """Name without suffixes."""
    return Path(path.name[:-3] if path.name.lower().endswith(".gz") else path.name).stem


def data_files(source: Path) -> list[Path]:
    """The source itself, or every data file below it in order. Raises InputError for a source that is not there."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise InputError(f"data: {source}: no such file or folder: name one that holds the telemetry")
    return sorted(
        path
        for path in source.rglob("*")
        if path.is_file()
        and kind_of(path) in SUFFIXES
        and not path.name.startswith(".")
        and not stem_of(path).lower().startswith(NOTES)
    )


def content(path: Path, *, max_bytes: int) -> bytes:
    """All of a file, unpacked. Raises InputError beyond `max_bytes` and for a damaged archive."""
    parts, total = [], 0
    for part in _chunks(path):
        total += len(part)
        if total > max_bytes:
            raise InputError(f"data: {path}: more than {max_bytes} bytes unpacked: raise DataSettings.max_bytes")
        parts.append(part)
    return b"".join(parts)


def beginning(path: Path, *, lines: int = 20) -> list[str]:
    """The first lines of a text file; none where it is not text."""
    part = next(_chunks(path), b"")[: CHUNK // 8]
    # A letter that is cut in two would look like another encoding.
    whole = part[: part.rfind(b"\n") + 1] or part
    text = as_utf8(whole).decode("utf-8-sig", errors="ignore")
    return [] if "\0" in text else text.splitlines()[:lines]


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            while part := stream.read(CHUNK):
                yield part
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"data: {path}: cannot be read ({error}): copy the file again") from None


def columns(path: Path) -> list[str]:
    """Names of a table's columns; none where the file is no table."""
    if kind_of(path) == ".parquet":
        try:
            return list(pl.read_parquet_schema(path))
        except (pl.exceptions.PolarsError, OSError):
            return []
    lines = beginning(path, lines=2) if kind_of(path) in (".csv", ".tsv", ".txt") else []
    hint = HINT.match(lines[0].encode() + b"\n") if lines else None
    if not (lines := lines[1:] if hint else lines):
        return []
    sign = hint[1].decode("ascii", "replace") if hint else separator(lines[0])
    return [cell.strip().strip('"') for cell in lines[0].split(sign)]


def names_of(files: Sequence[Path]) -> dict[Path, str]:
    """A name for each file that is one asset's: its own, with folders and then its suffix where two would have one."""
    root = os.path.commonpath([path.parent for path in files]) if files else ""
    for named in (stem_of, lambda path: str(path.parent.relative_to(root) / stem_of(path))):
        names = {path: named(path) for path in files}
        if len({name.casefold() for name in names.values()}) == len(files):
            return names
    return {path: str(path.relative_to(root)) for path in files}


def plain(column: str) -> tuple[str, str]:
    """Name and unit of a heading as `Air temperature [K]`.

    >>> plain("Air temperature [K]"), plain("speed (km/h)")
    (('air_temperature', 'K'), ('speed', 'km/h'))
    """
    match = re.fullmatch(r"\s*(.*?)\s*[\[(](.*)[\])]\s*", column)
    name, unit = match.groups() if match else (column, "")
    return re.sub(r"\W+", "_", name.strip()).strip("_").lower(), unit.strip()


def table(path: Path, *, max_bytes: int) -> pl.DataFrame:
    """A CSV file as columns of text without blanks around, or Parquet as it is. Raises InputError for anything else."""
    try:
        if kind_of(path) == ".parquet":
            return pl.read_parquet(path)
        names = [name for name in columns(path) if name]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise InputError(f"data: {path}: two columns are called {twice}: rename one")
        return delimited(as_utf8(content(path, max_bytes=max_bytes)), ragged=True)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"data: {path}: expected a table with a header, it cannot be read: {reason}") from None


def numbers(column: pl.Series) -> tuple[pl.Series, int]:
    """The column as Float64, and how many texts were no number (missing from then on)."""
    if column.dtype != pl.String:
        return column.cast(pl.Float64), 0
    given = column.replace(["", "NA", "N/A", "null", "None"], None)
    values = given.cast(pl.Float64, strict=False)
    if values.null_count() == len(given):
        values = _other(given).cast(pl.Float64, strict=False)
    return values, values.null_count() - given.null_count()


def _other(given: pl.Series) -> pl.Series:
    """Texts none of which is a number: true and false as 1 and 0; decimal commas, unless they may part thousands."""
    commas = given.str.contains(r"^[+-]?\d+,\d+$").all()
    if commas and not given.str.contains(r"^[+-]?\d{1,3},\d{3}$").all():
        return given.str.replace(",", ".", literal=True)
    return given.str.to_lowercase().replace({"true": "1", "false": "0"})
