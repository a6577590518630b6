"""Who speaks when: errors are counted as NIST counts them, and two voices in turn are kept apart."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialogue.speech.recordings import joined, silence
from tests.dialogue.speech.speakers.voices import utterance
from twinloop.dialogue.speech.speakers.diarisation import Spoke, diarisation_error, who_speaks
from twinloop.dialogue.speech.speakers.encoder import SpeakerEncoder
from twinloop.dialogue.speech.speakers.settings import SpeakerEncoderSettings
from twinloop.dialogue.speech.speakers.training import train_speakers
from twinloop.dialogue.speech.speakers.windows import Voiced
from twinloop.errors import InputError
from twinloop.learning.settings import FitSettings

TRUE = [Spoke(0, 4, "ann"), Spoke(4, 8, "bob")]


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ([Spoke(0, 4, "2"), Spoke(4, 8, "1")], 0.0),
        ([], 1.0),
        ([Spoke(0, 8, "1")], 0.5),
        ([Spoke(0, 3, "1"), Spoke(4, 8, "2")], 1 / 8),
        ([*TRUE, Spoke(8, 10, "1")], 2 / 8),
        ([*TRUE, Spoke(0, 4, "1")], 4 / 8),
    ],
    ids=["other names", "nothing heard", "one for all", "a second missed", "speech made up", "two at once"],
)
def test_errors_of_small_cases(found: list[Spoke], error: float) -> None:
    assert diarisation_error(found, TRUE) == pytest.approx(error)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50), st.sampled_from("abc")), min_size=1, max_size=6))
def test_the_truth_is_without_error(turns: list[tuple[int, int, str]]) -> None:
    spoke = [Spoke(start, start + length, name) for start, length, name in turns]
    assert diarisation_error(spoke, spoke) == 0


def test_two_voices_in_turn_are_kept_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    voices = {
        f"voice {place}": (pitch, tract) for place, (pitch, tract) in enumerate([(90, 1), (220, 1.2), (150, 1.1)])
    }
    lessons = [Voiced(utterance(*voice, rng), name) for name, voice in voices.items() for _ in range(4)]
    settings = SpeakerEncoderSettings(
        width=16, dimensions=16, batches=20, fit=FitSettings(epochs=3, patience=3, keep="last")
    )
    train_speakers(lessons, settings, seed=1).save(tmp_path / "speakers.onnx")
    turns = [utterance(*voices[f"voice {number % 2}"], rng, vowels=16) for number in range(4)]
    pause = silence(0.5)
    true = [Spoke(4.5 * number, 4.5 * number + 4, str(number % 2)) for number in range(4)]
    talk = joined(*(part for turn in turns for part in (turn, pause)))
    encoder = SpeakerEncoder(tmp_path / "speakers.onnx")
    found = who_speaks(encoder, talk, speakers=2)
    assert [spoke.speaker for spoke in found] == ["1", "2", "1", "2"]
    assert diarisation_error(found, true) < 0.15
    assert {spoke.speaker for spoke in who_speaks(encoder, talk, speakers=1)} == {"1"}
    assert len(who_speaks(encoder, talk, speakers=10**20)) >= len(true)
    with pytest.raises(InputError, match="expected at least one in a recording, got 0"):
        who_speaks(encoder, talk, speakers=0)
    with pytest.raises(InputError, match=r"expected speech, found none in 2\.0 s"):
        who_speaks(encoder, silence(2), speakers=2)


def test_nobody_to_be_judged_by_is_refused() -> None:
    with pytest.raises(InputError, match="expected turns of at least one speaker"):
        diarisation_error([Spoke(0, 1, "1")], [])
