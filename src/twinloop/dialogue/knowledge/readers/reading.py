"""Any file as a document: its kind by its ending, held against its content, within limits.

A kind is added by a module with one function and one entry in READERS.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from twinloop.content import kind_of
from twinloop.dialogue.knowledge.readers.document import Document, Page
from twinloop.dialogue.knowledge.readers.html import read_html
from twinloop.dialogue.knowledge.readers.markdown import read_markdown
from twinloop.dialogue.knowledge.readers.pdf import read_pdf
from twinloop.dialogue.knowledge.readers.text import MARKS, read_text
from twinloop.dialogue.knowledge.settings import ReadingSettings
from twinloop.errors import InputError

Reader = Callable[[str, bytes, ReadingSettings], tuple[Page, ...]]
READERS: dict[str, tuple[str, Reader]] = {
    ".pdf": ("pdf", read_pdf),
    ".txt": ("text", read_text),
    ".md": ("markdown", read_markdown),
    ".markdown": ("markdown", read_markdown),
    ".html": ("html", read_html),
    ".htm": ("html", read_html),
}
# A PDF may have some bytes before its mark (ISO 32000-1, implementation notes).
PDF_MARK_WITHIN = 1024
PAGE = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)


def read_document(path: str | Path, settings: ReadingSettings | None = None) -> Document:
    """The document in a file. Raises InputError, in one line, for whatever cannot be read as what it is named."""
    path, settings = Path(path), settings or ReadingSettings()
    if not path.is_file():
        raise InputError(f"{path}: no such file: name a document ({', '.join(READERS)})")
    if (size := path.stat().st_size) > settings.max_bytes:
        raise InputError(
            f"{path}: expected at most {settings.max_bytes} bytes, it has {size}: "
            "split it or raise ReadingSettings.max_bytes"
        )
    return parse_document(path.name, path.read_bytes(), settings)


def parse_document(name: str, content: bytes, settings: ReadingSettings | None = None) -> Document:
    """The document in some bytes that came under a file's name. Raises InputError as `read_document` does."""
    settings = settings or ReadingSettings()
    suffix = Path(name).suffix.lower()
    if suffix not in READERS:
        raise InputError(f"{name}: expected a document ({', '.join(READERS)}), not {suffix or 'a file without ending'}")
    if not content:
        raise InputError(f"{name}: the file is empty: leave it out or copy it again")
    kind, reader = READERS[suffix]
    _is_what_it_says(name, kind, content, settings)
    pages = reader(name, content, settings)
    document = Document(name, hashlib.sha256(content).hexdigest(), kind, pages)
    if not any(any(c.isalnum() for c in page.text) for page in pages):
        remedy = "recognise the text of its pictures first (OCR)" if kind == "pdf" else "leave it out"
        raise InputError(f"{name}: no text in it: {remedy}")
    return document


def _is_what_it_says(name: str, kind: str, content: bytes, settings: ReadingSettings) -> None:
    # Text in another encoding may well have zeros in it.
    marked = content.startswith(tuple(MARKS)) or settings.encoding is not None
    holds = "a PDF" if b"%PDF-" in content[:PDF_MARK_WITHIN] else None if marked else kind_of(content, name)
    if kind == "pdf" and holds != "a PDF":
        raise InputError(f"{name}: expected a PDF, it holds {holds or 'text'}: name it by what it is")
    if kind != "pdf" and holds is not None:
        raise InputError(f"{name}: expected {kind}, it holds {holds}: name it by what it is")
    if kind == "text" and PAGE.match(content):
        raise InputError(f"{name}: expected plain text, it holds HTML: name it .html")
