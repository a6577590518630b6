import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.knowledge.chunks import chunks_of, pieces
from twinloop.dialogue.knowledge.readers.document import Document, Page, conversation
from twinloop.dialogue.knowledge.sentences import sentences, words
from twinloop.dialogue.knowledge.settings import ChunkSettings
from twinloop.errors import InputError


def document(*pages: str) -> Document:
    return Document("notes.txt", "d", "text", tuple(Page(number, text) for number, text in enumerate(pages, start=1)))


SENTENCE = st.lists(st.sampled_from(["oven", "runs", "hot", "at", "noon"]), min_size=1, max_size=30).map(
    lambda words: " ".join(words).capitalize() + "."
)
PAGES = st.lists(st.lists(SENTENCE, max_size=12).map(" ".join), min_size=1, max_size=4)


@given(PAGES, st.integers(8, 60), st.integers(0, 4))
def test_chunks_are_what_their_ranges_say_and_hold_every_sentence(pages: list[str], size: int, overlap: int) -> None:
    given_document = document(*pages)
    chunks = chunks_of(given_document, ChunkSettings(words=size, overlap=overlap))
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.text == pages[chunk.page - 1][chunk.start : chunk.end] for chunk in chunks)
    assert all(words(chunk.text) <= size for chunk in chunks)
    for number, text in enumerate(pages, start=1):
        held = [(chunk.start, chunk.end) for chunk in chunks if chunk.page == number]
        assert all(any(a <= start and end <= b for a, b in held) for start, end in sentences(text, most_words=size))
        # No chunk lies within another.
        assert all(one[0] < other[0] and one[1] < other[1] for one, other in itertools.pairwise(held))


def test_overlap_says_the_last_sentences_again() -> None:
    text = " ".join(f"Sentence number {n} stands here." for n in range(8))
    texts = [chunk.text for chunk in chunks_of(document(text), ChunkSettings(words=16, overlap=5))]
    assert texts[1].startswith("Sentence number 2 stands here.")
    assert texts[0].endswith("Sentence number 2 stands here.")


def test_turns_of_a_conversation_are_gathered_without_overlap() -> None:
    meeting = conversation("meeting", [("Ann", f"point {n}") for n in range(7)])
    chunks = chunks_of(meeting, ChunkSettings(turns=3))
    assert [chunk.text.count("\n") + 1 for chunk in chunks] == [3, 3, 1]
    assert "\n".join(chunk.text for chunk in chunks) == meeting.pages[0].text
    assert all(meeting.pages[0].text[chunk.start : chunk.end] == chunk.text for chunk in chunks)


def test_an_overlap_of_more_than_half_is_refused() -> None:
    with pytest.raises(InputError, match="at most half of words"):
        ChunkSettings(words=20, overlap=15)


@given(PAGES, st.integers(4, 30))
def test_pieces_of_a_chunk_hold_all_of_its_sentences_once(pages: list[str], size: int) -> None:
    for chunk in chunks_of(document(*pages), ChunkSettings(words=60, overlap=0, piece=size)):
        parts = pieces(chunk, ChunkSettings(piece=size))
        assert "".join("".join(parts).split()) == "".join(chunk.text.split())
        assert all(words(part) <= size for part in parts)
