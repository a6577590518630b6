import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.knowledge.sentences import sentences, words


def split(text: str, most_words: int = 60) -> list[str]:
    return [text[start:end] for start, end in sentences(text, most_words=most_words)]


@pytest.mark.parametrize(
    "text",
    [
        "It runs.|It stops!|Does it?|Yes.",
        "Dr. Ada and Mr. Bo met J. R. Ray at 3.5 km.|Then they left.",
        "He said “stop.”|She did.",
        "See fig. 3 and no. 7.|He said no.|Fine.",
        "It costs e.g. 4 euros, i.e. little.|Good.",
        "Open until 6 p.m.|Pets other than dogs wait, as do cats etc.|Nobody minds.",
        "From 8 a.m. Monday to 6 p.m. March 3 it is shut, from 9 p.m. at night too.|So it is.",
        "Bell Inc. Chairman Ray hired him at Bell Inc.|It was in a U.S. Army town.|She left the U.S.|They moved.",
        "1. Open the door.|Then wait…|Close it.",
        "烤箱在周五清洁。|请等待！|好",
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str) -> None:
    parts = text.split("|")
    joined = "".join(parts) if "。" in text else " ".join(parts)
    assert split(joined) == parts


def test_a_line_break_ends_a_sentence() -> None:
    assert split("Tools\ngloves and\na brush.") == ["Tools", "gloves and", "a brush."]


def test_a_text_of_one_line_or_of_a_million_marks_takes_time_by_its_length() -> None:
    began = time.process_time()
    assert len(split("It runs until 60. " * 20_000)) == 20_000
    assert len(split("!" * 200_000 + "x")) == 1
    assert time.process_time() - began < 3


def test_a_long_sentence_is_cut_at_a_comma_and_stays_below_the_limit() -> None:
    text = ", ".join(f"then comes step number {n} of many" for n in range(30)) + "."
    parts = split(text, most_words=20)
    assert all(words(part) <= 20 for part in parts)
    assert all(part.endswith((",", ".")) for part in parts)
    assert " ".join(parts) == text


@given(st.text(alphabet=st.sampled_from("ab. ,!?\n'\"烤。1A"), max_size=300), st.integers(1, 12))
def test_no_character_is_lost_and_no_sentence_too_long(text: str, most_words: int) -> None:
    ranges = sentences(text, most_words=most_words)
    assert "".join(text[start:end] for start, end in ranges).replace(" ", "") == "".join(text.split())
    assert all(words(text[start:end]) <= most_words for start, end in ranges)
    assert all(before.end <= after.start for before, after in itertools.pairwise(ranges))
