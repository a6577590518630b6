"""Parquet files that say what they are: one header of kind and version, and one clear line for any other file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.errors import InputError
from twinloop.files import atomic


def write(frame: pl.DataFrame, path: str | Path, *, kind: str, version: int, header: Mapping[str, Any]) -> None:
    """Write Parquet atomically, with kind, version and header as its metadata."""
    with atomic(path) as temporary:
        frame.write_parquet(temporary, metadata={_key(kind): json.dumps({"version": version, **header})})


def read(path: str | Path, *, kind: str, version: int, remedy: str) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The table and its header. Raises InputError for a file of another kind or version, ending with the remedy."""
    try:
        header: dict[str, Any] = json.loads(pl.read_parquet_metadata(path).get(_key(kind), "{}"))
        found = header.get("version")
        if found != version:
            raise InputError(f"{kind}: {path}: expected {kind} version {version}, found {found}: {remedy}")
        return pl.read_parquet(path), header
    except (OSError, pl.exceptions.ComputeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{kind}: {path}: expected a Parquet file, it cannot be read ({reason}): {remedy}") from None


def _key(kind: str) -> str:
    return f"twinloop.{kind.replace(' ', '_')}"
