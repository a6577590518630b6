"""A corpus on disk: a Parquet file per table, the documents and recordings as they came, and a list of digests.

It appears whole or not at all, and what was cut or changed since is refused.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.dialogue.datasets.corpus import TABLES, Corpus, Source
from twinloop.errors import InputError
from twinloop.files import fingerprint, read_json, replacing, sha256, write_json

FILE, VERSION = "corpus.json", 1
REMEDY = "run the prepare stage again"
FOLDERS = {"documents": "document_files", "recordings": "recording_files"}


def save(corpus: Corpus, folder: Path, *, beside: Mapping[str, bytes] | None = None) -> None:
    """Write a corpus in place of what `folder` held. Raises InputError where a file behind it cannot be read.

    beside: name → content of further files about it, which are kept and checked with it.
    """
    with replacing(folder) as fresh:
        for name in TABLES:
            corpus.table(name).write_parquet(fresh / f"{name}.parquet")
        for sub, attribute in FOLDERS.items():
            (fresh / sub).mkdir()
            _write_files(getattr(corpus, attribute), fresh / sub)
        _write_files(beside or {}, fresh)
        about: dict[str, Any] = {
            "version": VERSION,
            "layout": corpus.layout,
            "profile": dict(corpus.profile),
            "left_out": dict(corpus.left_out),
            "notes": list(corpus.notes),
            "files": {name: sha256(fresh / name) for name in _names(fresh)},
        }
        write_json(fresh / FILE, about | {"sha256": fingerprint(about)})


def load(folder: Path) -> Corpus:
    """What `save` wrote. Raises InputError where there is none, and names the file that is cut or changed since."""
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"corpus: {path}: expected a prepared corpus, found none: run the prepare stage first")
    try:
        about = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(f"corpus: {path}: cannot be read ({error}): {REMEDY}") from None
    if not isinstance(about, dict) or about.get("sha256") != fingerprint(
        {k: v for k, v in about.items() if k != "sha256"}
    ):
        raise InputError(f"corpus: {path}: is not what was written (cut or changed since): {REMEDY}")
    if about["version"] != VERSION:
        raise InputError(f"corpus: {path}: expected version {VERSION}, found {about['version']}: {REMEDY}")
    here = set(_names(folder))
    for name, digest in about["files"].items():
        if name not in here:
            raise InputError(f"corpus: {folder / name}: is missing since it was written: {REMEDY}")
        if sha256(folder / name) != digest:
            raise InputError(f"corpus: {folder / name}: is not what was written (cut or changed since): {REMEDY}")
    if extra := sorted(here - set(about["files"])):
        raise InputError(f"corpus: {folder / extra[0]}: was not written with the corpus: take it away, or {REMEDY}")
    held: dict[str, Any] = {name: pl.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    for sub, attribute in FOLDERS.items():
        held[attribute] = {path.relative_to(folder / sub).as_posix(): path for path in _files(folder / sub)}
    about["notes"] = tuple(about["notes"])
    return Corpus(**{name: about[name] for name in ("layout", "profile", "left_out", "notes")}, **held)


def digest(folder: Path) -> str:
    """SHA-256 over all of a stored corpus, as its list says. Raises InputError where there is none."""
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"corpus: {path}: expected a prepared corpus, found none: run the prepare stage first")
    return str(read_json(path)["sha256"])


def _write_files(files: Mapping[str, Source], folder: Path) -> None:
    for name, source in files.items():
        target = folder / name
        if not target.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"corpus: {name!r}: expected a name below the corpus' folder: rename the file")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.write_bytes(source if isinstance(source, bytes) else source.read_bytes())
        except OSError as error:
            raise InputError(f"corpus: {name}: cannot be copied ({error.strerror}): check the file") from None


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in _files(folder) if path.name != FILE]
