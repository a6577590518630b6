"""An error is one printable line of at most 300 characters without a password, whatever was put into it."""

import pytest

from twinloop.errors import InputError, RunError, near, nearest


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("two\nlines\tand more", "two lines and more"),
        ("\x1b[31mred\x00 \u202eleft\ud800", "[31mred left"),
        ("cannot open postgresql://ann:p@ss@db:5432/x", "cannot open postgresql://ann:***@db:5432/x"),
        ("GET https://host/x?token=abc&a=1", "GET https://host/x?token=***&a=1"),
        ("http://127.0.0.1:5000 does not answer", "http://127.0.0.1:5000 does not answer"),
    ],
)
def test_a_message_is_shown_as_one_clean_line(given: str, shown: str) -> None:
    assert str(InputError(given)) == shown


def test_a_long_message_keeps_its_place_and_its_remedy() -> None:
    message = str(RunError(f"train: images/1.png: {'x' * 5000}: run `make repro` again"))
    assert len(message) == 300
    assert message.startswith("train: images/1.png: xxx")
    assert message.endswith("xxx: run `make repro` again")


@pytest.mark.parametrize(
    ("name", "known", "guess"),
    [
        ("weldin", ["press", "welding"], "welding"),
        ("sawmlil", ["sawmill"], "sawmill"),
        ("Epochs", ["epochs"], "epochs"),
        ("duedate", ["due_date", "due"], "due_date"),
        ("profit", ["oee", "profit_per_day"], "profit_per_day"),
        ("mill", ["drill", "milling_machine"], None),
        ("lathe", ["laser"], None),
        ("ab", ["ac"], None),
        ("tardy", ["tardiness"], None),
        ("x" * 500, ["y"], None),
        ("a", [], None),
    ],
)
def test_only_a_name_that_is_near_is_guessed(name: str, known: list[str], guess: str | None) -> None:
    assert near(name, known) == guess
    told = nearest(name, known)
    assert told == (f"did you mean {guess!r}?" if guess else f"known: {', '.join(known) or 'none'}")
