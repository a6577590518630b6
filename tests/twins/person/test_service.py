"""Turns become a profile: work and waiting of every part together, on a machine that has a name."""

import numpy as np
import pytest

from tests.twins.person.outputs import config
from twinloop.dialogue.conversation.turn import PARTS, Turn
from twinloop.dialogue.providers.protocols import Usage
from twinloop.errors import InputError
from twinloop.twins.person.service import origin, profile_of, remote_parts

HERE = origin({"encoder": "e" * 64, "speech_to_text": "s" * 64}, "i" * 64)


def turn(number: int, usage: dict[str, Usage], *, cached: bool = False, failed: str = "") -> Turn:
    return Turn(
        number, True, "and in May?", "What was sold in May?", "Two.", None, (), usage, cached=cached, failed=failed
    )


def spoken(number: int, length: float) -> Turn:
    """A turn whose every part takes `length` times as long, heard by another machine."""
    usage = {
        "hear": Usage(0.4 * length, 0.0, audio_seconds=3.0),
        "find": Usage(0.1 * length, 0.1 * length),
        "answer": Usage(0.05 * length, 0.04 * length),
        "speak": Usage(0.2 * length, 0.2 * length, audio_seconds=2.0),
    }
    return turn(number, usage)


def test_a_turn_is_one_row_of_what_every_part_worked_and_waited() -> None:
    profile = profile_of([spoken(0, 1.0), spoken(1, 2.0)], HERE, remote=PARTS, memory_gib=0.5, draws=10, seed=1)
    assert profile.components == PARTS
    assert np.allclose(profile.cpu_s(), [[0.0, 0.1, 0.04, 0.2], [0.0, 0.2, 0.08, 0.4]])
    assert np.allclose(profile.waiting_s(), [[0.4, 0.0, 0.01, 0.0], [0.8, 0.0, 0.02, 0.0]])
    assert profile.turns["words"].to_list() == [5, 5]
    assert profile.turns["audio_s"].to_list() == [5.0, 5.0]


def test_parts_that_did_not_work_took_nothing() -> None:
    known = turn(0, {"answer": Usage(0.01, 0.01)}, cached=True)
    profile = profile_of([known], HERE, memory_gib=0.5, draws=0, seed=1)
    assert profile.cpu_s().tolist() == [[0.0, 0.0, 0.01, 0.0]]
    assert profile.turns["cached"].to_list() == [True]


def test_work_on_several_cores_at_once_is_not_waiting() -> None:
    both = turn(0, {"hear": Usage(0.5, 0.9)})
    profile = profile_of([both], HERE, memory_gib=0.5, draws=0, seed=1)
    assert (profile.cpu_s()[0, 0], profile.waiting_s()[0, 0]) == (0.9, 0.0)


def test_who_stands_in_line_for_a_core_of_this_machine_does_not_wait_for_another() -> None:
    profile = profile_of([spoken(0, 1.0)], HERE, remote=("hear",), memory_gib=0.5, draws=0, seed=1)
    assert profile.waiting_s().tolist() == [[0.4, 0.0, 0.0, 0.0]]
    assert not profile_of([spoken(0, 1.0)], HERE, memory_gib=0.5, draws=0, seed=1).waiting_s().any()


@pytest.mark.parametrize(
    ("choice", "remote"),
    [("registry", set()), ("embedded", set()), ("http", {"hear", "find", "answer", "speak"})],
)
def test_another_machine_works_for_the_parts_whose_providers_are_services(choice: str, remote: set[str]) -> None:
    assert remote_parts(config(f"person/providers={choice}").person.providers) == remote


def test_a_turn_that_failed_is_no_measure_of_a_turn() -> None:
    failed = turn(0, {"hear": Usage(9.0, 0.0)}, failed="find: the service is away")
    profile = profile_of([failed, spoken(1, 1.0)], HERE, memory_gib=0.5, draws=10, seed=1)
    assert len(profile) == 1
    with pytest.raises(InputError, match=r"all 1 failed, the first in find: the service is away"):
        profile_of([failed], HERE, memory_gib=0.5, draws=10, seed=1)
    with pytest.raises(InputError, match="there are none"):
        profile_of([], HERE, memory_gib=0.5, draws=10, seed=1)


def test_a_machine_is_named_by_its_processor_and_its_cores() -> None:
    assert HERE.machine.endswith(" cores")
    assert HERE.cores >= 1
    assert not HERE.differences(origin(HERE.providers, HERE.index))
    assert set(HERE.differences(origin({"encoder": "f" * 64}, HERE.index))) == {"encoder", "speech_to_text"}
