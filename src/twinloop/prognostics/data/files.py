"""Data files of a source, plain or gzipped, as tables of text or of their own types; what is too large is refused."""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from twinloop.errors import InputError
from twinloop.spreadsheets import delimited, separator

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
    part = next(_chunks(path), b"")
    try:
        text = part[: CHUNK // 8].decode("utf-8-sig", errors="strict" if len(part) < CHUNK // 8 else "ignore")
    except UnicodeDecodeError:
        return []
    return text.splitlines()[:lines]


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
    lines = beginning(path, lines=1) if kind_of(path) in (".csv", ".tsv", ".txt") else []
    return [cell.strip().strip('"') for cell in lines[0].split(separator(lines[0]))] if lines else []


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
        text = content(path, max_bytes=max_bytes)
        return delimited(text, ragged=True)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"data: {path}: expected a table with a header, it cannot be read: {reason}") from None


def numbers(column: pl.Series) -> tuple[pl.Series, int]:
    """The column as Float64, and how many texts were no number (missing from then on)."""
    if column.dtype != pl.String:
        return column.cast(pl.Float64), 0
    given = column.replace(["", "NA", "N/A", "null", "None"], None)
    values = given.cast(pl.Float64, strict=False)
    return values, values.null_count() - given.null_count()
