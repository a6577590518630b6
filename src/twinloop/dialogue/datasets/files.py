"""Files of a source by their endings; notes beside data and hidden files are none of it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.errors import InputError

DOCUMENT_SUFFIXES = (".pdf", ".txt", ".md", ".markdown", ".html", ".htm")
SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
TABLE_SUFFIXES = (".csv", ".tsv")
TRANSCRIPTION = ".transcription"
SUFFIXES = (*DOCUMENT_SUFFIXES, *SOUND_SUFFIXES, *TABLE_SUFFIXES, ".ics", ".json", TRANSCRIPTION)
# Notes beside data, as collections have them.
NOTES = ("readme", "source", "license", "licence", "citation", "cc-by")


def suffix(path: Path) -> str:
    """Ending in small letters; that of a bare `transcription` (CMU Sphinx) is `.transcription`."""
    return TRANSCRIPTION if path.name.lower() == "transcription" else path.suffix.lower()


def data_files(source: Path) -> list[Path]:
    """The source itself, or every file below it that some layout may read, in order.

    Raises InputError for a source that is not there.
    """
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise InputError(f"corpus: {source}: no such file or folder: name what holds documents, sound or a calendar")
    found = sorted(
        path
        for path in source.rglob("*")
        if path.is_file()
        and suffix(path) in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
        and not path.name.lower().startswith(NOTES)
    )
    for path in found:
        if not path.name.isprintable():
            raise InputError(
                f"corpus: {path.name!a}: its name holds controls or bytes that are not UTF-8: rename the file"
            )
    return found


def of_suffix(files: Iterable[Path], suffixes: tuple[str, ...]) -> list[Path]:
    """Those that end so, in order."""
    return [path for path in files if suffix(path) in suffixes]


def text_of(path: Path, *, max_bytes: int) -> str:
    """A text in UTF-8. Raises InputError for one that is too large, cannot be read or is written otherwise."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise InputError(
                f"corpus: {path}: {size} bytes, expected at most {max_bytes}: raise CorpusSettings.max_bytes"
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"corpus: {path}: expected UTF-8, byte {error.start} is none: save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"corpus: {path}: cannot be read ({error.strerror}): check the file") from None


def json_of(path: Path, *, max_bytes: int) -> Any:
    """A JSON file. Raises InputError where it is none."""
    try:
        return json.loads(text_of(path, max_bytes=max_bytes))
    except (ValueError, RecursionError) as error:
        raise InputError(f"corpus: {path}: expected JSON, it cannot be read ({error}): check the file") from None


def beginning(path: Path, *, count: int = 4096) -> str:
    """The first characters; "" where it is no text."""
    try:
        with path.open("rb") as stream:
            return stream.read(count).decode("utf-8-sig", errors="ignore")
    except OSError:
        return ""


def table_of(path: Path, *, max_bytes: int) -> pl.DataFrame:
    """A CSV or TSV file, all columns as text, names in small letters. Raises InputError where it is none."""
    text = text_of(path, max_bytes=max_bytes)
    try:
        separator = "\t" if suffix(path) == ".tsv" else ","
        frame = pl.read_csv(text.encode(), separator=separator, infer_schema=False).fill_null("")
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"corpus: {path}: expected a table with a header, it cannot be read ({reason})") from None
    return frame.rename({name: name.strip().lower() for name in frame.columns})


def stem_names(files: Iterable[Path], root: Path) -> dict[str, Path]:
    """Files by their path below root, as `root_of` gives it, with `/` between folders."""
    return {path.resolve().relative_to(root).as_posix(): path for path in files}


def root_of(files: list[Path]) -> Path:
    """The folder below which all of them lie."""
    parents = [path.resolve().parent for path in files]
    root = parents[0]
    while not all(parent.is_relative_to(root) for parent in parents):
        root = root.parent
    return root
