"""Context: a short question is completed by the one before; the eleventh message back is forgotten."""

import pytest

from twinloop.dialogue.persona.context import Context
from twinloop.dialogue.providers.protocols import Message

BILL = "How much was the electricity bill in April?"
CAR = "What is the premium of Noor Eklund's car insurance of 2025?"


@pytest.mark.parametrize(
    ("before", "short", "whole"),
    [
        (BILL, "And in May?", "How much was the electricity bill in May?"),
        (BILL, "and in May", BILL.replace("April", "May")),
        (BILL, "What about June?", "How much was the electricity bill in June?"),
        (BILL, "In June?", "How much was the electricity bill in June?"),
        (CAR, "And of 2024?", CAR.replace("2025", "2024")),
        (CAR, "what about 2024?", CAR.replace("2025", "2024")),
        (CAR, "And Ines Okafor's?", CAR.replace("Noor Eklund", "Ines Okafor")),
        (CAR, "And the deductible?", CAR.replace("the premium", "the deductible")),
        ("Where is the hotel of the trip to Santarim?", "And to Tarnby?", "Where is the hotel of the trip to Tarnby?"),
        ("What is the rent for the flat in 2025?", "And for the garage?", "What is the rent for the garage in 2025?"),
        ("Who is free on Monday?", "And on Tuesday?", "Who is free on Tuesday?"),
        ("What happened on 4 May 2026?", "And on 5 June 2026?", "What happened on 5 June 2026?"),
        ("Where was the meeting?", "And when?", "When was the meeting?"),
        ("How much was the bill?", "And in May?", "How much was the bill in May?"),
        ("Please tell me the bill of April.", "And of May?", "Please tell me the bill of May."),
    ],
)
def test_a_short_question_is_completed(before: str, short: str, whole: str) -> None:
    context = Context()
    context.add(Message("user", before))
    context.add(Message("assistant", "“It was 40 euros.” [1]"))
    if not short.endswith("?"):
        assert context.resolve(short).question == short, "without a question mark it may be anything"
        return
    resolved = context.add(Message("user", short))
    assert (resolved.question, resolved.completed_from, resolved.unclear) == (whole, before, "")


def test_short_questions_follow_each_other() -> None:
    context = Context()
    context.add(Message("user", BILL))
    context.add(Message("user", "And in May?"))
    assert context.add(Message("user", "And in June?")).question == "How much was the electricity bill in June?"


@pytest.mark.parametrize(
    "text",
    ["How much was it?", "Thank you.", "And how much was the water bill in May?", "ok?", "And tell me the rent."],
)
def test_what_stands_alone_is_left_alone(text: str) -> None:
    context = Context()
    context.add(Message("user", BILL))
    assert context.resolve(text).question == text
    assert not context.resolve(text).unclear


def test_the_eleventh_message_is_forgotten() -> None:
    context = Context(10)
    context.add(Message("user", BILL))
    for number in range(9):
        context.add(Message("assistant", f"remark {number}"))
    assert context.resolve("And in May?").question == "How much was the electricity bill in May?"
    context.add(Message("assistant", "one remark more"))
    assert len(context.messages) == 10
    resolved = context.resolve("And in May?")
    assert resolved.question == "And in May?"
    assert "Please ask it in full" in resolved.unclear


@pytest.mark.parametrize(
    ("before", "short"),
    [
        ("How did the bill change between March and April?", "And in May?"),
        ("Did Ines Okafor write to Noor Eklund?", "And Mara Raman?"),
        ("When is the exam?", "Or not?"),
    ],
)
def test_where_more_than_one_place_may_be_meant_it_is_asked(before: str, short: str) -> None:
    context = Context()
    context.add(Message("user", before))
    resolved = context.add(Message("user", short))
    assert resolved.question == short
    assert before in resolved.unclear


def test_the_assistants_questions_complete_nothing() -> None:
    context = Context()
    context.add(Message("assistant", "Shall I look at April?"))
    assert context.resolve("And in May?").unclear


@pytest.mark.parametrize(
    "text", ["and " + "word " * 10_000 + "?", "and the " + "a" * 70 + "!?", "?" * 500, "", "and" + " " * 5000 + "?"]
)
def test_odd_texts_are_answered_at_once(text: str) -> None:
    context = Context()
    context.add(Message("user", BILL))
    assert context.resolve(text).question == text
