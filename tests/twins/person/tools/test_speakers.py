"""`speakers` tells who speaks when, or in one line why it cannot."""

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from tests.dialogue.speech.recordings import joined, silence
from tests.dialogue.speech.speakers.voices import utterance
from twinloop import cli
from twinloop.dialogue.speech.audio import read_audio, resampled, write_audio
from twinloop.dialogue.speech.speakers.settings import SpeakerEncoderSettings
from twinloop.dialogue.speech.speakers.training import train_speakers
from twinloop.dialogue.speech.speakers.windows import Voiced
from twinloop.errors import LONGEST
from twinloop.learning.settings import FitSettings
from twinloop.twins.person.chain import SPEAKERS

LOW, HIGH = (90, 1.0), (230, 1.25)


@pytest.fixture
def meeting(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    turns = [utterance(*voice, rng, vowels=12) for voice in (LOW, HIGH, LOW)]
    write_audio(tmp_path / "meeting.wav", joined(*(part for turn in turns for part in (turn, silence(0.6)))))
    return tmp_path / "meeting.wav"


def test_turns_are_told_with_their_speakers(own: Path, meeting: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    lessons = [Voiced(utterance(*voice, rng), str(voice)) for voice in (LOW, HIGH) for _ in range(3)]
    settings = SpeakerEncoderSettings(
        width=8, dimensions=8, batches=60, fit=FitSettings(epochs=1, patience=1, keep="last")
    )
    train_speakers(lessons, settings, seed=1).save(own / SPEAKERS)
    assert cli.main(["speakers", str(meeting), "--people", "2", "--json"]) == 0
    turns = json.loads(capsys.readouterr().out)
    assert [speaker for speaker, _ in groupby(turns, key=lambda turn: turn["speaker"])] == ["1", "2", "1"]
    second = next(turn for turn in turns if turn["speaker"] == "2")
    assert second["start_s"] == pytest.approx(3.6, abs=0.3)
    assert cli.main(["speakers", str(meeting), "--people", "2"]) == 0
    assert f"{second['start_s']:.1f}" in capsys.readouterr().out
    write_audio(meeting.with_name("phone.wav"), resampled(read_audio(meeting).audio, 8_000))
    assert cli.main(["speakers", str(meeting.with_name("phone.wav")), "--people", "2"]) == 0
    assert "remark     phone.wav: 8000 samples per second" in capsys.readouterr().err


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("recording", "message"),
    [("meeting.wav", "tells no voices apart"), ("none.wav", "tells no voices apart")],
)
def test_what_cannot_be_told_is_one_line(
    meeting: Path, recording: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["speakers", str(meeting.with_name(recording)), "--people", "2"]) == 2
    told = capsys.readouterr().err.strip()
    assert message in told
    assert "\n" not in told
    assert len(told) <= LONGEST
