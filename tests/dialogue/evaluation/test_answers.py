"""Figures of answers: SQuAD's, and whether a source holds what is said to be its own."""

import pytest

from twinloop.dialogue.answering.answer import Answer, Citation, Statement
from twinloop.dialogue.evaluation.answers import faithfulness, hit, token_f1
from twinloop.dialogue.knowledge.readers.document import Document, Page

PAGE = "The oven was bought in 1999.\nIt has four doors and a green lamp."
OVEN = Document("oven.txt", "d1", "text", (Page(1, PAGE),))


def said(text: str, start: int, end: int, *, quoted: bool = True) -> Answer:
    return Answer("q", (Statement(text, Citation("d1", "oven.txt", 1, start, end), quoted),))


@pytest.mark.parametrize(
    ("answer", "right", "f1"),
    [("the Old Mill!", "old mill", 1.0), ("in the mill", "mill", 2 / 3), ("oven", "mill", 0.0), ("", "", 1.0)],
)
def test_f1_counts_words_that_both_have(answer: str, right: str, f1: float) -> None:
    assert token_f1(answer, right) == pytest.approx(f1)


@pytest.mark.parametrize(("text", "right"), [("It has 14 doors.", "4 doors"), ("fourteen", "four"), ("anything", "")])
def test_a_part_of_a_word_is_no_hit(text: str, right: str) -> None:
    assert not hit(text, right)


def test_a_quotation_is_held_only_where_it_stands() -> None:
    first = PAGE.index("It")
    right = said("It has four doors and a green lamp.", first, len(PAGE))
    moved = said("It has four doors and a green lamp.", 0, first)
    altered = said("It has five doors and a green lamp.", first, len(PAGE))
    assert faithfulness([right], {"d1": OVEN}) == 1.0
    assert faithfulness([right, moved, altered], {"d1": OVEN}) == pytest.approx(1 / 3)


def test_a_free_sentence_is_held_by_its_words() -> None:
    near = said("A green lamp and four doors", 0, 4, quoted=False)
    far = said("A purple lion sings loudly", 0, 4, quoted=False)
    assert faithfulness([near, far], {"d1": OVEN}) == 0.5
    assert faithfulness([], {}) == 1.0
