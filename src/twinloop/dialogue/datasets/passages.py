"""Where a quotation stands in a text, however a reader breaks its lines: white space counts as single blanks."""

import re
from collections.abc import Sequence
from typing import NamedTuple

WORD = re.compile(r"\S+")


class Passage(NamedTuple):
    """A place in a document. page: from 1; start, end: characters of the squeezed page."""

    page: int
    start: int
    end: int


def squeezed(text: str) -> str:
    """Runs of white space as single blanks, none around.

    >>> squeezed(" two\\n lines ")
    'two lines'
    """
    return " ".join(text.split())


def squeezed_range(text: str, start: int, end: int) -> tuple[int, int]:
    """The characters [start, end) of a text, which begin and end with none of white space, in the squeezed one.

    >>> squeezed_range("a  b", 3, 4)
    (2, 3)
    """
    return len(squeezed(text[:start] + "|")) - 1, len(squeezed(text[:end]))


def original_range(text: str, start: int, end: int) -> tuple[int, int]:
    """The characters of a text that are [start, end) of the squeezed one.

    >>> original_range("a  b", 2, 3)
    (3, 4)
    """
    places = [place for word in WORD.finditer(text) for place in (*range(*word.span()), word.end())]
    return places[start], places[end - 1] + 1


def locate(quote: str, pages: Sequence[str]) -> Passage | None:
    """The first place of a quotation in the pages that a reader gave; None where it is on none of them."""
    sought = squeezed(quote)
    for number, page in enumerate(pages, 1):
        start = squeezed(page).find(sought) if sought else -1
        if start >= 0:
            return Passage(number, start, start + len(sought))
    return None
