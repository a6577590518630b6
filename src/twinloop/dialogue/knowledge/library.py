"""A person's documents in one folder: the files as they came, and the index over them.

A document is known by the digest of its bytes, so that the same one is kept once whatever it is called. Its file keeps
its name; where that is another document's already, it lies in a folder called by its digest.
"""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from twinloop.dialogue.knowledge.files import load_index, save_index
from twinloop.dialogue.knowledge.index import Entry, Index
from twinloop.dialogue.knowledge.readers.document import Document
from twinloop.dialogue.knowledge.readers.reading import READERS, parse_document, read_document
from twinloop.dialogue.knowledge.settings import IndexSettings, ReadingSettings
from twinloop.dialogue.providers.protocols import Encoder
from twinloop.errors import InputError
from twinloop.files import atomic, sha256
from twinloop.progress import PLAIN_INTERVAL_S, bar

DOCUMENTS, INDEX = "documents", "index"
SHORTEST_DIGEST = 6
WRITTEN_EVERY_S = 60.0


class Added(NamedTuple):
    """What became of one file. known_as: the name under which its content was there already, None where it is new."""

    name: str
    digest: str
    known_as: str | None


@dataclass(frozen=True)
class Refused:
    """A file of a folder that could not be taken in, and why in one line."""

    path: Path
    reason: str


class Library:
    """Documents to ask: add, list, get, delete. The folder is made when the first document is added.

    index: the folder of the index, which can be made anew from the documents; by default beside them.
    """

    def __init__(
        self,
        folder: str | Path,
        encoder: Encoder | None = None,
        settings: IndexSettings | None = None,
        *,
        reading: ReadingSettings | None = None,
        index: Path | None = None,
    ) -> None:
        self._folder, self._reading = Path(folder), reading or ReadingSettings()
        self._indexed = index or self._folder / INDEX
        there = self._indexed.exists()
        self.index = load_index(self._indexed, encoder, settings) if there else Index(encoder, settings)

    def add(self, paths: Iterable[str | Path]) -> tuple[list[Added], list[Refused]]:
        """Take in files, and of a folder every file below it; what cannot be read is told, not taken.

        New ones are told as they come, and the index is written now and then: what is done stays done.
        Raises InputError where a path does not exist or a file that was named cannot be read; what came before is kept.
        """
        named = [Path(path) for path in paths]
        digests = _digests(named)
        known = {entry.digest for entry in self.index.entries}
        new = {file for file, digest in digests.items() if digest not in known}
        added, refused = [], []
        saved, written = len(self.index), time.monotonic()
        try:
            with bar("document", len(new), after_s=PLAIN_INTERVAL_S) as shown:
                for path in named:
                    for file in _files(path):
                        try:
                            digest = digests.get(file) or _digest(file)
                            added.append(self._added(file, digest, lambda note: shown.step(0, note=note)))
                        except InputError as error:
                            if path.is_file():
                                raise
                            refused.append(Refused(file, str(error)))
                        if file in new:
                            shown.step(note="")
                        if len(self.index) > saved and time.monotonic() - written > WRITTEN_EVERY_S:
                            save_index(self.index, self._indexed)
                            saved, written = len(self.index), time.monotonic()
        finally:
            if len(self.index) > saved:
                save_index(self.index, self._indexed)
        return added, refused

    def refresh(self) -> list[Refused]:
        """Make the index that of the files that lie in the folder now, whoever put them there; what cannot be read."""
        gone = [entry for entry in self.list() if not self._file(entry).is_file()]
        for entry in gone:
            self.index.delete(entry.digest)
        if gone:
            save_index(self.index, self._indexed)
        documents = self._folder / DOCUMENTS
        return self.add([documents])[1] if documents.is_dir() else []

    def list(self) -> tuple[Entry, ...]:
        """What is kept, by name."""
        return tuple(sorted(self.index.entries, key=lambda entry: (entry.name, entry.digest)))

    def get(self, which: str) -> Document:
        """A document by name, digest or the beginning of its digest. Raises InputError where none or several fit."""
        entry = self._entry(which)
        try:
            content = self._file(entry).read_bytes()
        except OSError as error:
            raise InputError(
                f"{entry.name}: its file cannot be read ({error}): delete the document and add it again"
            ) from None
        return parse_document(entry.name, content, self._reading)

    def delete(self, which: str) -> Entry:
        """Forget a document and its file; named as for `get`. Returns what is gone."""
        entry = self._entry(which)
        self.index.delete(entry.digest)
        save_index(self.index, self._indexed)
        self._file(entry).unlink(missing_ok=True)
        return entry

    def _added(self, source: Path, digest: str, watch: Callable[[str], None]) -> Added:
        names = {entry.digest: entry.name for entry in self.index.entries}
        if digest in names:
            return Added(source.name, digest, names[digest])
        document = read_document(source, self._reading)
        self.index.add(document, watch=watch)
        try:
            self._keep(document, source)
        except BaseException:
            # What has no file is not known: it can be added again.
            self.index.delete(document.digest)
            raise
        return Added(document.name, document.digest, None)

    def _keep(self, document: Document, source: Path) -> None:
        own = self._folder / DOCUMENTS / document.name
        if own.exists() and sha256(own) != document.digest:
            own = self._apart(document.name, document.digest)
        if not own.exists():
            with atomic(own) as temporary:
                temporary.write_bytes(source.read_bytes())

    def _entry(self, which: str) -> Entry:
        by_digest = [e for e in self.index.entries if len(which) >= SHORTEST_DIGEST and e.digest.startswith(which)]
        fitting = [e for e in self.index.entries if e.name == which] or by_digest
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            digests = ", ".join(entry.digest[:12] for entry in fitting)
            raise InputError(
                f"knowledge: {len(fitting)} documents are called {which!r}: name one by its digest ({digests})"
            )
        raise InputError(f"knowledge: no document {which!r}: list the documents to see what is there")

    def _file(self, entry: Entry) -> Path:
        apart = self._apart(entry.name, entry.digest)
        return apart if apart.exists() else self._folder / DOCUMENTS / entry.name

    def _apart(self, name: str, digest: str) -> Path:
        return self._folder / DOCUMENTS / digest[:8] / name


def _digests(paths: Iterable[Path]) -> dict[Path, str]:
    """Of every file that is named or lies in a folder that is; what cannot be read has none and is told in turn."""
    digests = {}
    for path in paths:
        with contextlib.suppress(InputError):
            for file in _files(path):
                with contextlib.suppress(InputError):
                    digests[file] = _digest(file)
    return digests


def _digest(file: Path) -> str:
    try:
        return sha256(file)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}): make it readable or leave it out") from None


def _files(path: Path) -> list[Path]:
    """The file itself, or what documents a folder holds, in order."""
    try:
        if path.is_dir():
            return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in READERS)
        there = path.is_file()
    except OSError as error:
        # A name may be too long for any disk.
        raise InputError(f"{path}: cannot be read ({error.strerror}): name another file or folder") from None
    if not there:
        raise InputError(f"{path}: no such file or folder: name documents ({', '.join(READERS)})")
    return [path]
