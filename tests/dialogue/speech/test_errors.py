"""Words are counted as wrong, missing and invented, over all recordings together."""

import pytest

from twinloop.dialogue.speech.errors import WordErrors, total, word_errors
from twinloop.errors import InputError


@pytest.mark.parametrize(
    ("spoken", "heard", "counts"),
    [
        ("ten of clubs", "10 of Clubs.", (3, 0, 0, 0)),
        ("ten of clubs", "ten of club", (3, 1, 0, 0)),
        ("ten of clubs", "ten clubs", (3, 0, 1, 0)),
        ("ten of clubs", "and ten of all clubs", (3, 0, 0, 2)),
        ("ten of clubs", "", (3, 0, 3, 0)),
        ("ten of clubs", "...", (3, 0, 3, 0)),
        ("ten", "one two three four", (1, 1, 0, 3)),
    ],
)
def test_errors_of_one_text(spoken: str, heard: str, counts: tuple[int, ...]) -> None:
    assert word_errors(spoken, heard) == WordErrors(*counts)


def test_a_long_text_weighs_more_than_a_short_one() -> None:
    both = total([word_errors("one", "two"), word_errors("a b c d e f g h i", "a b c d e f g h i")])
    assert both.rate == pytest.approx(0.1)


def test_more_may_be_invented_than_was_said() -> None:
    assert word_errors("ten", "one two three four").rate == 4.0


@pytest.mark.parametrize("spoken", ["", "...", "[noise]"])
def test_a_text_without_words_has_no_error_rate(spoken: str) -> None:
    with pytest.raises(InputError, match="expected a text with words"):
        word_errors(spoken, "anything")


def test_no_text_has_no_error_rate() -> None:
    with pytest.raises(InputError, match="at least one text"):
        total([])
