"""Memory: what was told is found again with who and when; questions are not kept."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twinloop.dialogue.persona.memory import Memory, told_in
from twinloop.errors import InputError

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def remembering() -> Memory:
    memory = Memory()
    memory.add("Hi! My sister moved to Tarnby last week. Did you know?", who="Ann", time=NOON, conversation="c1")
    memory.add("The blue folder is at the office of Ben.", who="Ben", time=NOON + timedelta(days=1), conversation="c2")
    memory.add("My train leaves at seven in the morning.", who="Ann", time=NOON + timedelta(days=2), conversation="c3")
    return memory


def test_what_was_told_is_found_and_cited_and_questions_are_not_kept() -> None:
    memory = remembering()
    assert len(memory) == 3
    [quote] = memory.recall("Where did Ann's sister move?", 1)
    assert quote.text == "My sister moved to Tarnby last week."
    assert quote.citation == "told by Ann on 4 May 2026"


def test_what_nobody_told_is_not_found() -> None:
    assert remembering().recall("Zebras?") == ()


def test_of_two_that_contradict_each_other_the_later_comes_first() -> None:
    memory = remembering()
    later = NOON + timedelta(days=30)
    memory.add("The blue folder is at the office of Eve.", who="Ben", time=later, conversation="c4")
    first, second = memory.recall("Where is the blue folder?", 2)
    assert first.text.endswith("Eve.")
    assert first.citation == "told by Ben on 3 June 2026"
    assert second.text.endswith("Ben.")


def test_what_is_told_again_is_kept_once_with_its_latest_time() -> None:
    memory = remembering()
    again = NOON + timedelta(days=60)
    memory.add("My train leaves at seven in the morning.", who="Ann", time=again, conversation="c9")
    assert len(memory) == 3
    assert memory.recall("When does the train leave?", 1)[0].citation == "told by Ann on 3 July 2026"
    memory.add("My train leaves at seven in the morning.", who="Ann", time=NOON, conversation="c0")
    assert memory.recall("When does the train leave?", 1)[0].citation == "told by Ann on 3 July 2026"


def test_another_retrieval_decides_what_fits() -> None:
    found = remembering().recall(
        "anything", 1, scorer=lambda question, texts: [float("folder" in one) for one in texts]
    )
    assert [quote.text for quote in found] == ["The blue folder is at the office of Ben."]


def test_memory_comes_back_from_its_file_and_another_file_is_refused(tmp_path: Path) -> None:
    memory = remembering()
    memory.save(tmp_path / "memory.parquet")
    assert Memory.load(tmp_path / "memory.parquet").recall("folder") == memory.recall("folder")
    (tmp_path / "other.parquet").write_bytes(b"none")
    with pytest.raises(InputError, match="person memory"):
        Memory.load(tmp_path / "other.parquet")


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(InputError, match="expected a time with a zone"):
        Memory().add("My train leaves at seven.", who="Ann", time=datetime(2026, 5, 4), conversation="c")


@pytest.mark.parametrize(
    "question",
    [
        "when does the warranty on the pump end",
        "And who painted the boat in May",
        "what did the oven in April cost",
        "how much was the repair of the oven",
        "is the oven in the kitchen paid",
        "do you know when the office opens",
        "could you tell me when the office opens",
        "tell me about the boat in Husum",
        "which of the boats was painted red",
    ],
)
def test_a_question_without_its_mark_tells_nothing(question: str) -> None:
    assert told_in(question) == []


@pytest.mark.parametrize(
    "fact",
    [
        "When the oven is cold it is cleaned.",
        "What I like best is the boat.",
        "could you bring the ladder when you come.",
        "Where the road ends is our house.",
        "The boat is called Who Knows.",
    ],
)
def test_what_only_looks_like_a_question_is_kept(fact: str) -> None:
    assert told_in(fact) == [fact]


def test_short_sentences_tell_nothing() -> None:
    assert told_in("Yes, sure. Thanks! What is new?") == []


def test_a_number_with_a_point_is_not_cut() -> None:
    assert told_in("The rent is 412.50 euros now. It was less.") == ["The rent is 412.50 euros now."]
