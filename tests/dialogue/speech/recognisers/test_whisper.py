"""Whisper's own features, and its text the same each time; only where its weights are installed."""

from pathlib import Path

import numpy as np
import pytest

from tests.dialogue.speech.recordings import joined, needs_flite, silence
from twinloop.dialogue.providers.protocols import HearsTogether, SpeechToText, TextToSpeech
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.audio import RATE, read_audio, resampled
from twinloop.dialogue.speech.errors import total, word_errors
from twinloop.dialogue.speech.recognisers.whisper import TINY_EN, log_mel
from twinloop.errors import RunError
from twinloop.learning.weights import Places, find


@pytest.fixture(scope="module")
def ears() -> SpeechToText:
    try:
        find(TINY_EN, Places())
    except RunError as reason:
        pytest.skip(str(reason))
    recogniser: SpeechToText = open_provider("speech_to_text", "whisper", {}, Surroundings())
    return recogniser


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0, 30.0, 31.0])
def test_features_are_those_of_whisper(seconds: float) -> None:
    from transformers import WhisperFeatureExtractor

    samples = np.random.default_rng(1).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)
    samples[len(samples) // 2 :] *= 1e-3
    expected = WhisperFeatureExtractor()._np_extract_fbank_features(
        np.pad(samples[: 30 * RATE], (0, max(30 * RATE - len(samples), 0)))[None], "cpu"
    )[0]
    assert log_mel(samples).shape == (80, 3000)
    np.testing.assert_allclose(log_mel(samples), expected, atol=1e-4)


def test_read_sentences_are_heard(ears: SpeechToText, shared_data: Path) -> None:
    errors = []
    for text in sorted((shared_data / "speech/human/librivox").glob("*.txt")):
        heard = ears.transcribe(read_audio(text.with_suffix(".wav")).audio)
        errors.append(word_errors(text.read_text(), heard.text))
        assert heard.usage.tokens > 0
    assert total(errors).rate <= 0.08


def test_a_recording_beyond_half_a_minute_is_cut_in_its_pauses(ears: SpeechToText, shared_data: Path) -> None:
    folder = shared_data / "speech/human/librivox"
    sentence = read_audio(folder / "sense_and_sensibility_01_austen_64kb-0930.wav").audio
    alone = ears.transcribe(sentence).text
    heard = ears.transcribe(joined(sentence, silence(31), sentence)).text
    assert word_errors(f"{alone} {alone}", heard).rate <= 0.1


@pytest.mark.parametrize("seconds", [0.0, 0.01, 3.0, 40.0])
def test_in_silence_no_words_are_made_up(ears: SpeechToText, seconds: float) -> None:
    heard = ears.transcribe(silence(seconds))
    assert (heard.text, heard.usage.tokens) == ("", 0)


def test_the_same_recording_gives_the_same_text(ears: SpeechToText, shared_data: Path) -> None:
    audio = read_audio(shared_data / "speech/human/cards/005.wav").audio
    assert ears.transcribe(audio).text == ears.transcribe(audio).text


@needs_flite
def test_a_recording_gives_the_same_text_alone_and_among_others(ears: SpeechToText) -> None:
    assert isinstance(ears, HearsTogether)
    voice: TextToSpeech = open_provider("text_to_speech", "flite", {}, Surroundings())
    sentences = [
        resampled(voice.speak(text).audio, RATE)
        for text in ("When does the warranty end?", "The oven in May cost four hundred euros.", "Who painted the boat?")
    ]
    # Short ones share a batch; one in which nobody speaks and a long one in pieces are beside them.
    recordings = [*sentences, silence(2), joined(sentences[0], silence(31), sentences[1])]
    together = ears.transcribe_together(recordings)
    assert together.texts == tuple(ears.transcribe(recording).text for recording in recordings)
    assert [bool(text) for text in together.texts] == [True, True, True, False, True]
    assert together.usage.audio_seconds == pytest.approx(sum(recording.seconds for recording in recordings))
    assert ears.transcribe_together([]).texts == ()


def test_weights_of_one_flipped_byte_are_refused_with_the_way_on(tmp_path: Path, ears: SpeechToText) -> None:
    published = find(TINY_EN, Places())
    for name in TINY_EN.files:
        (tmp_path / name).symlink_to(published / name)
    altered = bytearray((published / "config.json").read_bytes())
    altered[0] ^= 1
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").write_bytes(altered)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("importlib.metadata.Distribution.discover", lambda **context: iter(()))
        places = Places(folder=tmp_path, remedy="choose person/providers=embedded")
        with pytest.raises(RunError, match=r"config.json is not what was published.*person/providers=embedded$"):
            open_provider("speech_to_text", "whisper", {}, Surroundings(places=places))
