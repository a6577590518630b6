"""What a persona is given and what it gives: quotations with where they stand, and a text that holds them verbatim."""

from collections.abc import Sequence
from typing import NamedTuple

# Around what others wrote; a number in brackets follows, which says whose it is.
OPENING, CLOSING = "“", "”"


class Quote(NamedTuple):
    """A sentence of a source, word by word, and where it stands; source: the same in few words ("": as citation)."""

    text: str
    citation: str
    source: str = ""


class Extract(NamedTuple):
    """An answer before it is worded. answer: what must be said; more: what belongs to it, the nearest first."""

    question: str
    answer: tuple[Quote, ...]
    more: tuple[Quote, ...] = ()


class Cited(NamedTuple):
    """Characters [start, end) of a text that are a quotation, and where that stands."""

    start: int
    end: int
    citation: str


class Styled(NamedTuple):
    """A worded answer; everything outside `cited` is the persona's own wording and states nothing."""

    text: str
    cited: tuple[Cited, ...]


def composed(parts: Sequence[str | Quote]) -> Styled:
    """Own words and quotations one after the other; a quotation is numbered by where it stands."""
    text, cited, numbers = "", [], dict[str, int]()
    for part in parts:
        if not part:
            continue
        text += " " if text and not (isinstance(part, str) and part.startswith("\n")) else ""
        if isinstance(part, Quote):
            start = len(text) + len(OPENING)
            cited.append(Cited(start, start + len(part.text), part.citation))
            number = numbers.setdefault(part.citation, len(numbers) + 1)
            text += f"{OPENING}{part.text}{CLOSING} [{number}]"
        else:
            text += part
    return Styled(text, tuple(cited))
