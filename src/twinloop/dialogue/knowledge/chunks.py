"""Documents in pieces that are found and cited: whole sentences of one page, or some turns of a conversation.

A chunk is exactly the characters of its page from start to end, so that a citation can be looked up.
"""

from typing import NamedTuple

from twinloop.dialogue.knowledge.readers.document import CONVERSATION, Document, Page, Range
from twinloop.dialogue.knowledge.sentences import sentences
from twinloop.dialogue.knowledge.sentences import words as count
from twinloop.dialogue.knowledge.settings import ChunkSettings


class Chunk(NamedTuple):
    """Characters start … end of a page of the document with this digest; number: its place within the document.

    headings: what of these characters is no statement, as characters of the page.
    """

    document: str
    number: int
    page: int
    start: int
    end: int
    text: str
    headings: tuple[Range, ...] = ()

    def states(self, start: int, end: int) -> bool:
        """Whether these characters of the page may be a statement: no part of a heading."""
        return not any(heading.start <= start and end <= heading.end for heading in self.headings)


def chunks_of(document: Document, settings: ChunkSettings | None = None) -> tuple[Chunk, ...]:
    """All chunks of a document, in order; a page without text has none."""
    settings = settings or ChunkSettings()
    cut = _turns if document.kind == CONVERSATION else _passages
    ranges = [(page, piece) for page in document.pages for piece in cut(page, settings)]
    return tuple(
        Chunk(document.digest, number, page.number, *piece, page.text[piece.start : piece.end], _within(page, piece))
        for number, (page, piece) in enumerate(ranges)
    )


def _within(page: Page, piece: Range) -> tuple[Range, ...]:
    """The headings of a page that a piece of it begins before the end of, and ends after the beginning of."""
    return tuple(one for one in page.headings if one.start < piece.end and piece.start < one.end)


def _turns(page: Page, settings: ChunkSettings) -> list[Range]:
    ranges, start = [], 0
    lines = page.text.splitlines(keepends=True)
    for first in range(0, len(lines), settings.turns):
        end = start + sum(len(line) for line in lines[first : first + settings.turns])
        ranges.append(Range(start, len(page.text[:end].rstrip("\n"))))
        start = end
    return ranges


def _passages(page: Page, settings: ChunkSettings) -> list[Range]:
    return gathered(page.text, words=settings.words, overlap=settings.overlap)


def pieces(chunk: Chunk, settings: ChunkSettings) -> list[str]:
    """The parts of a chunk that get a vector each, in order; they do not overlap."""
    return [chunk.text[start:end] for start, end in gathered(chunk.text, words=settings.piece, overlap=0)]


def gathered(text: str, *, words: int, overlap: int) -> list[Range]:
    """Whole sentences up to so many words; the next range begins with the last ones again, up to `overlap` words."""
    ranges: list[Range] = []
    whole = sentences(text, most_words=words)
    sizes = [count(text[start:end]) for start, end in whole]
    first = 0
    while first < len(whole):
        last, total = first, sizes[first]
        while last + 1 < len(whole) and total + sizes[last + 1] <= words:
            last += 1
            total += sizes[last]
        ranges.append(Range(whole[first].start, whole[last].end))
        if last + 1 == len(whole):
            break
        first = _again(sizes, first, last, overlap=min(overlap, words - sizes[last + 1]))
    return ranges


def _again(sizes: list[int], first: int, last: int, *, overlap: int) -> int:
    """The sentence at which the next chunk begins: after the last one, or before it by at most `overlap` words."""
    following, said = last + 1, 0
    while following - 1 > first and said + sizes[following - 1] <= overlap:
        following -= 1
        said += sizes[following]
    return following
