"""Any folder of documents: PDF, plain text, Markdown and HTML, kept as they are."""

import hashlib
from collections import Counter
from pathlib import Path

from twinloop.dialogue.datasets.corpus import DOCUMENTS, UNDIVIDED, Corpus, rows
from twinloop.dialogue.datasets.files import DOCUMENT_SUFFIXES, of_suffix, root_of, stem_names
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.errors import InputError

EMPTY, REPEATED, TOO_LARGE = "empty document", "document given twice", "document above CorpusSettings.max_bytes"


def claims(files: list[Path]) -> list[Path]:
    """The documents among them."""
    return of_suffix(files, DOCUMENT_SUFFIXES)


def read(files: list[Path], settings: CorpusSettings) -> Corpus:
    """Documents by their path, each a group of its own; empty ones, too large ones and copies are left out.

    Raises InputError where nothing remains or one cannot be read.
    """
    left = Counter[str]()
    kept: dict[str, Path] = {}
    digests: set[str] = set()
    for name, path in stem_names(files, root_of(files)).items():
        try:
            size = path.stat().st_size
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if 0 < size <= settings.max_bytes else ""
        except OSError as error:
            raise InputError(f"corpus: {path}: cannot be read ({error.strerror}): check the file") from None
        if not digest:
            left[TOO_LARGE if size else EMPTY] += 1
        elif digest in digests:
            left[REPEATED] += 1
        else:
            digests.add(digest)
            kept[name] = path
    if not kept:
        raise InputError(f"corpus: {files[0].parent}: all {len(files)} documents are empty or too large: give others")
    table = rows(DOCUMENTS, [(name, name, UNDIVIDED) for name in kept])
    return Corpus(layout="documents", documents=table, document_files=kept, left_out=+left)
