"""A document as everything after reading sees it: numbered pages of plain text under the digest of the file."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from twinloop.content import without_controls

# Marks that nobody sees: of no width, of direction, and tags; text can be smuggled in them.
UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
CONVERSATION = "conversation"


class Range(NamedTuple):
    """Characters start … end of a text, end not included."""

    start: int
    end: int


class Page(NamedTuple):
    """One page, counted from 1; paragraphs are parted by line breaks.

    headings: where lines stand that only head or label what follows, and state nothing.
    """

    number: int
    text: str
    headings: tuple[Range, ...] = ()


@dataclass(frozen=True)
class Document:
    """What was read. name: as the file is called; digest: SHA-256 of its bytes, by which it is known; kind: its format.

    A conversation has one turn per line.
    """

    name: str
    digest: str
    kind: str
    pages: tuple[Page, ...]

    @property
    def characters(self) -> int:
        """Of all pages."""
        return sum(len(page.text) for page in self.pages)


def conversation(name: str, turns: Iterable[tuple[str, str]]) -> Document:
    """A document of who said what, one turn per line.

    >>> conversation("meeting", [("Ann", "Shall we start?"), ("Bob", "Yes.")]).pages[0].text
    'Ann: Shall we start?\\nBob: Yes.'
    """
    text = "\n".join(tidy(f"{speaker}: {words}").replace("\n", " ") for speaker, words in turns)
    return Document(name, hashlib.sha256(text.encode()).hexdigest(), CONVERSATION, (Page(1, text),))


def tidy(text: str) -> str:
    """Text in one form: composed characters (NFC), no unseen marks, single blanks, no empty lines.

    >>> tidy("a\\u200bb  c\\r\\n\\r\\n d")
    'ab c\\nd'
    """
    text = UNSEEN.sub("", unicodedata.normalize("NFC", text))
    lines = (" ".join(line.split()) for line in without_controls(text).splitlines())
    return "\n".join(line for line in lines if line)
