"""Names that were misheard are those of the documents; everything else stays as it was heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.knowledge.spelling import Spelling

PAPER = (
    "The rent of Priya Jansen is 80 euros. Work on the project Kestrel is done in Pinehurst by Heliant.\n"
    "Please mark every entry. This was seen by Emil Vidal, as the mark says."
)
SPELLING = Spelling([PAPER])


@pytest.mark.parametrize(
    ("heard", "spelt"),
    [
        ("What pays Priya Jensen?", "What pays Priya Jansen?"),
        ("What pays Priya Johnson in May?", "What pays Priya Jansen in May?"),
        ("that of pre-Jensen, and the project Castrel", "that of pre-Jansen, and the project Kestrel"),
        ("who works for pinehirst", "who works for Pinehurst"),
        ("Was it in Pinehurst or in Helsinki?", "Was it in Pinehurst or in Helsinki?"),
        # A name that is there is right, whatever else it sounds like; so is what is written small.
        ("Did Priya mark it? The gate is painted.", "Did Priya mark it? The gate is painted."),
        ("Emma, Ann and Bo", "Emma, Ann and Bo"),
        ("", ""),
    ],
)
def test_a_misheard_name_is_that_of_the_documents(heard: str, spelt: str) -> None:
    assert SPELLING.spelt(heard) == spelt


@given(st.text(max_size=60))
def test_what_documents_say_is_never_changed(text: str) -> None:
    assert Spelling([text, PAPER]).spelt(text) == text


def test_of_equally_near_names_the_more_frequent_is_taken() -> None:
    assert Spelling(["by Jansen or Jonsen, and Jonsen too"]).spelt("of Mr Jynsen") == "of Mr Jonsen"
