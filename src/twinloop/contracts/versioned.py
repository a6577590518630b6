"""Parquet files that say what they are: one header of kind and version, and one clear line for any other file."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, TypeVar

import polars as pl

from twinloop.config import Invalid, parse
from twinloop.errors import InputError
from twinloop.files import atomic

Header = TypeVar("Header")


def write(frame: pl.DataFrame, path: str | Path, *, kind: str, version: int, header: Mapping[str, Any]) -> None:
    """Write Parquet atomically, with kind, version and header as its metadata."""
    with atomic(path) as temporary:
        frame.write_parquet(temporary, metadata={_key(kind): json.dumps({"version": version, **header})})


def read(
    path: str | Path,
    *,
    kind: str,
    version: int,
    remedy: str,
    header: Mapping[str, type | UnionType] = MappingProxyType({}),
    columns: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The table and its header.

    header: what it must hold, and of which type; columns: what the table must have in every row, and of which dtype.
    Raises InputError for a file of another kind or version and for one that was altered, ending with the remedy.
    """
    try:
        text = pl.read_parquet_metadata(path).get(_key(kind), "{}")
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{kind}: {path}: expected a Parquet file, it cannot be read ({reason}): {remedy}") from None
    try:
        written = json.loads(text)
    except ValueError:
        written = None
    found = written.get("version") if isinstance(written, dict) else "no header"
    if found != version:
        raise InputError(f"{kind}: {path}: expected {kind} version {version}, found {found}: {remedy}")
    wrong = [f"{name} in its header" for name, expected in header.items() if not _is(written.get(name), expected)]
    wrong += [
        f"a column {name} of {expected} in every row"
        for name, expected in columns.items()
        if frame.schema.get(name) != expected or frame[name].null_count()
    ]
    if wrong:
        raise InputError(f"{kind}: {path}: expected {wrong[0]}, the file was altered: {remedy}")
    return frame, written


def parsed(shape: type[Header], header: Mapping[str, Any], path: str | Path, *, kind: str, remedy: str) -> Header:
    """What `read` gave as the header, checked against a dataclass. Raises InputError for one that was altered."""
    try:
        return parse(shape, header)
    except Invalid as error:
        raise InputError(f"{kind}: {path}: its header was altered ({error}): {remedy}") from None


def _is(value: Any, expected: type | UnionType) -> bool:
    """Of the type, a truth being no number, and a number neither endless nor none."""
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, expected) and not isinstance(value, bool)


def _key(kind: str) -> str:
    return f"twinloop.{kind.replace(' ', '_')}"
