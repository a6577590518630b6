"""An index as a folder: chunks in Parquet, vectors in safetensors, and in JSON what both were made with.

An index of another encoder or of other settings is refused: its vectors would be compared with what they do not mean.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from twinloop.dialogue.knowledge.chunks import Chunk
from twinloop.dialogue.knowledge.index import Entry, Index
from twinloop.dialogue.knowledge.readers.document import Range
from twinloop.dialogue.knowledge.settings import IndexSettings
from twinloop.dialogue.providers.protocols import Encoder
from twinloop.errors import InputError
from twinloop.files import read_json, replacing, sha256, write_json

VERSION = 2
MANIFEST, CHUNKS, VECTORS = "index.json", "chunks.parquet", "vectors.safetensors"
SCHEMA: dict[str, Any] = {
    "document": pl.String,
    "name": pl.String,
    "kind": pl.String,
    "pages": pl.Int64,
    "number": pl.Int64,
    "page": pl.Int64,
    "start": pl.Int64,
    "end": pl.Int64,
    "text": pl.String,
    "headings": pl.List(pl.List(pl.Int64)),
    "pieces": pl.Int64,
    "terms": pl.List(pl.String),
}
REMEDY = "delete it and add its documents again"


def save_index(index: Index, folder: str | Path) -> None:
    """Write an index; the folder holds all of it or, on an error, what it held before."""
    rows = [
        (chunk.document, entry.name, entry.kind, entry.pages, *_cells(chunk), int(pieces), list(words))
        for entry in index.entries
        for chunk, pieces, words in zip(entry.chunks, entry.pieces, entry.terms, strict=True)
    ]
    with replacing(Path(folder)) as fresh:
        pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(fresh / CHUNKS)
        save_file({entry.digest: entry.vectors for entry in index.entries}, fresh / VECTORS)
        files = {name: sha256(fresh / name) for name in (CHUNKS, VECTORS)}
        write_json(fresh / MANIFEST, {"version": VERSION, **_made_with(index), "files": files})


def load_index(folder: str | Path, encoder: Encoder | None = None, settings: IndexSettings | None = None) -> Index:
    """Read what `save_index` wrote. Raises InputError for an index of another encoder or settings, or altered."""
    folder, index = Path(folder), Index(encoder, settings)
    manifest = _manifest(folder)
    for key, value in _made_with(index).items():
        if manifest.get(key) != value:
            raise InputError(
                f"index: {folder}: made with another {key} ({_short(manifest.get(key))}, not {_short(value)}): "
                f"name that one, or {REMEDY}"
            )
    try:
        for name, digest in manifest["files"].items():
            if sha256(folder / name) != digest:
                raise InputError(f"index: {folder / name}: altered since it was written: {REMEDY}")
        chunks, vectors = pl.read_parquet(folder / CHUNKS), load_file(folder / VECTORS)
    except (OSError, KeyError, AttributeError, pl.exceptions.PolarsError, SafetensorError) as error:
        raise InputError(f"index: {folder}: cannot be read ({error}): {REMEDY}") from None
    for rows in chunks.partition_by("document", maintain_order=True):
        first = rows.row(0, named=True)
        index.put(
            Entry(
                first["name"],
                first["kind"],
                first["pages"],
                tuple(_chunk(*row) for row in rows.select(Chunk._fields).iter_rows()),
                tuple(tuple(words) for words in rows["terms"]),
                rows["pieces"].to_numpy(),
                vectors[first["document"]],
            )
        )
    return index


def _cells(chunk: Chunk) -> tuple[Any, ...]:
    """What stands in Parquet of a chunk behind its document; polars takes named tuples for structs and drops them."""
    return *chunk[1:-1], [list(heading) for heading in chunk.headings]


def _chunk(*row: Any) -> Chunk:
    """A chunk as its row in Parquet says; headings are pairs there."""
    chunk = Chunk(*row)
    return chunk._replace(headings=tuple(Range(*heading) for heading in chunk.headings))


def _made_with(index: Index) -> dict[str, Any]:
    return {
        "encoder": None if index.encoder is None else index.encoder.digest,
        "chunking": asdict(index.settings.chunks),
        "stems": index.settings.lexical.stems,
    }


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = read_json(folder / MANIFEST)
    except (OSError, ValueError) as error:
        raise InputError(
            f"index: {folder}: expected an index ({MANIFEST}), it cannot be read ({error}): {REMEDY}"
        ) from None
    version = manifest.get("version") if isinstance(manifest, dict) else None
    if version != VERSION:
        raise InputError(f"index: {folder}: expected version {VERSION}, found {version}: {REMEDY}")
    return dict(manifest)


def _short(value: Any) -> str:
    return value[:12] if isinstance(value, str) else str(value)
