import pytest

from twinloop.dialogue.answering.question import holds, kind_of


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When was the oven built?", "time"),
        ("In what year did it start?", "time"),
        ("How many doors are there?", "number"),
        ("What percentage is lost?", "number"),
        ("What was the total cost of the oven?", "number"),
        ("Who cleans the oven?", "person"),
        ("Where is the key?", "place"),
        ("Why did it stop?", "reason"),
        ("What is an oven?", None),
        ("烤箱在哪里？", None),
    ],
)
def test_questions_ask_for_kinds(question: str, kind: str | None) -> None:
    assert kind_of(question) == kind


@pytest.mark.parametrize(
    ("sentence", "kind", "expected"),
    [
        ("It was built in 1987.", "time", True),
        ("It was built late.", "time", False),
        ("They may come.", "time", False),
        ("It has four doors.", "number", True),
        ("It has doors.", "number", False),
        ("It is cleaned by Ann Lee.", "person", True),
        ("The oven is cleaned.", "person", False),
        ("The key hangs in the Blue Room.", "place", True),
        ("It stopped because the fuse blew.", "reason", True),
    ],
)
def test_sentences_hold_kinds(sentence: str, kind: str, expected: bool) -> None:
    assert holds(sentence, kind, "Some question?") is expected


def test_what_the_question_says_itself_is_no_answer() -> None:
    assert not holds("The oven of 1987 is red.", "time", "When was the oven of 1987 painted?")
