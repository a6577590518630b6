"""What a batch takes is measured for whoever can work on several turns, in sizes that the conversation carries."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.dialogue.small_encoder import written_encoder
from tests.twins.person.selves import FACTS, Parrot, small_self
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Audio, HeardTogether
from twinloop.twins.person.chain import Chain, open_self
from twinloop.twins.person.evaluation.batches import batches
from twinloop.twins.person.evaluation.conversed import Put

TYPED = [Put(f"When does the warranty {number} end?") for number in range(20)]
SPOKEN = [put._replace(audio=Audio(np.zeros(160, np.float32), 16_000)) for put in TYPED]


class Choir(Parrot):
    """A parrot that hears several recordings at once, and notes how many."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def transcribe_together(self, recordings: Sequence[Audio]) -> HeardTogether:
        measured = stopwatch()
        self.sizes.append(len(recordings))
        return HeardTogether(("oven",) * len(recordings), measured())


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """A self that finds by the small encoder."""
    chain = open_self(small_self(tmp_path / "self"))
    index = Index(written_encoder(tmp_path))
    for name, text in FACTS.items():
        index.add(parse_document(name, text.encode()))
    return replace(chain, index=index)


@pytest.mark.parametrize(("turns", "sizes"), [(80, [1, 2, 4, 8]), (79, [1, 2, 4]), (20, [1, 2]), (19, []), (2, [])])
def test_the_largest_batch_is_a_tenth_of_the_turns(chain: Chain, turns: int, sizes: list[int]) -> None:
    measured = batches(chain, TYPED, turns)
    assert list(measured) == (["find"] if sizes else [])
    assert list(measured.get("find", {})) == sizes
    assert all(seconds > 0 for of_part in measured.values() for seconds in of_part.values())


def test_no_batch_is_larger_than_there_are_questions(chain: Chain) -> None:
    assert list(batches(chain, TYPED[:5], 80)["find"]) == [1, 2, 4]
    assert batches(chain, TYPED[:1], 80) == {}


def test_every_size_hears_the_same_recordings(chain: Chain) -> None:
    choir = Choir()
    measured = batches(replace(chain, ears=choir), SPOKEN, 40)
    assert list(measured) == ["hear", "find"]
    assert choir.sizes == [1, 1, 1, 1, 2, 2, 4]


def test_who_takes_one_turn_at_a_time_is_not_measured_in_batches(chain: Chain) -> None:
    assert list(batches(replace(chain, ears=Parrot()), SPOKEN, 40)) == ["find"]
    assert batches(replace(chain, ears=Parrot(), index=Index(None)), SPOKEN, 40) == {}
