"""The recogniser without weights of its own hears clear speech, the same each time."""

from pathlib import Path

import numpy as np
import pytest

from tests.dialogue.speech.recordings import joined, needs_flite, silence
from twinloop.dialogue.providers.protocols import Audio, SpeechToText
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.audio import RATE, read_audio
from twinloop.dialogue.speech.errors import word_errors


@pytest.fixture(scope="module")
def ears() -> SpeechToText:
    recogniser: SpeechToText = open_provider("speech_to_text", "pocketsphinx", {}, Surroundings())
    return recogniser


@needs_flite
def test_a_synthetic_voice_is_heard_and_measured(ears: SpeechToText) -> None:
    said = "he might even have been made amiable himself but nobody told him what the others had already decided to do"
    audio = open_provider("text_to_speech", "flite", {}, Surroundings()).speak(said).audio
    heard = ears.transcribe(audio)
    assert word_errors(said, heard.text).rate <= 1 / 3
    assert heard.usage.audio_seconds == audio.seconds
    assert heard.usage.cpu_seconds > 0


def test_what_was_heard_before_changes_nothing(ears: SpeechToText, shared_data: Path) -> None:
    folder = shared_data / "speech/human/cards"
    first, second = (read_audio(folder / name).audio for name in ("001.wav", "005.wav"))
    fresh = ears.transcribe(first).text
    ears.transcribe(second)
    assert ears.transcribe(first).text == fresh


@pytest.mark.parametrize("seconds", [0.0, 0.01, 2.0])
def test_silence_has_no_words(ears: SpeechToText, seconds: float) -> None:
    assert ears.transcribe(silence(seconds)).text == ""


def test_noise_of_any_length_is_no_error(ears: SpeechToText) -> None:
    noise = np.random.default_rng(3).uniform(-1, 1, RATE // 2).astype(np.float32)
    ears.transcribe(joined(silence(1), Audio(noise, RATE), silence(1)))
