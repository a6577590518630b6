"""A speaker encoder learns from some voices to tell others apart, and says the same as a graph."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.dialogue.speech.recordings import joined, silence
from tests.dialogue.speech.speakers.voices import utterance
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.speakers.encoder import PLAIN_PAUSES, SpeakerEncoder, similarity
from twinloop.dialogue.speech.speakers.settings import SpeakerEncoderSettings, VoiceAugmentationSettings
from twinloop.dialogue.speech.speakers.training import TrainedSpeakers, train_speakers
from twinloop.dialogue.speech.speakers.verification import all_pairs, equal_error_rate
from twinloop.dialogue.speech.speakers.windows import Voiced, speech_samples, speech_windows
from twinloop.errors import InputError
from twinloop.learning.settings import FitSettings

SETTINGS = SpeakerEncoderSettings(
    width=16,
    dimensions=16,
    speakers=12,
    batches=30,
    augmentation=VoiceAugmentationSettings(speeds=(1.0,)),
    fit=FitSettings(epochs=3, patience=3, keep="last"),
)


def speakers(count: int, seed: int, *, each: int = 4) -> list[Voiced]:
    rng = np.random.default_rng(seed)
    voices = [(rng.uniform(80, 260), rng.uniform(0.9, 1.3)) for _ in range(count)]
    return [
        Voiced(utterance(*voice, rng), f"voice {seed}.{place}")
        for place, voice in enumerate(voices)
        for _ in range(each)
    ]


@pytest.fixture(scope="module")
def trained() -> TrainedSpeakers:
    return train_speakers(speakers(16, 1), SETTINGS, seed=4)


@pytest.fixture(scope="module")
def graph(trained: TrainedSpeakers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("speakers") / "speakers.onnx"
    trained.save(path)
    return path


def test_strangers_are_told_apart(trained: TrainedSpeakers, graph: Path) -> None:
    encoder, strangers = SpeakerEncoder(graph), speakers(8, 2)
    vectors = np.stack([encoder.encode(one.audio) for one in strangers])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert trained.speakers == 16
    assert equal_error_rate(all_pairs(vectors, [one.speaker for one in strangers])).rate < 0.25


def test_the_graph_says_what_the_network_says(trained: TrainedSpeakers, graph: Path) -> None:
    samples = speech_samples(speakers(1, 3)[0].audio, PLAIN_PAUSES)
    with torch.inference_mode():
        expected = trained.network(torch.from_numpy(speech_windows(samples, filling="wrap"))).numpy()
    np.testing.assert_allclose(SpeakerEncoder(graph).encode_windows(samples), expected, atol=1e-4)


def test_training_repeats_itself_to_the_last_bit(trained: TrainedSpeakers) -> None:
    again = train_speakers(speakers(16, 1), SETTINGS, seed=4)
    for one, other in zip(trained.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_loudness_and_pauses_change_no_voice(graph: Path) -> None:
    encoder, audio = SpeakerEncoder(graph), speakers(1, 5)[0].audio
    quiet = Audio(np.float32(0.1) * audio.samples, audio.rate)
    assert similarity(encoder.encode(audio), encoder.encode(quiet)) > 0.999
    assert similarity(encoder.encode(audio), encoder.encode(joined(silence(2), audio, silence(2)))) > 0.9


@pytest.mark.parametrize(
    ("recordings", "message"),
    [
        ([], "expected recordings of at least two speakers, got none"),
        (speakers(1, 6), r"expected recordings of at least two speakers, got voice 6\.0"),
        (speakers(2, 6, each=1), r"at least two recordings of each speaker, got one of voice 6\.0, voice 6\.1"),
        ([*speakers(7, 6, each=1)], "and others: record more, or leave the speaker out"),
        (
            [*speakers(2, 6, each=2), Voiced(silence(3), "mute"), Voiced(silence(3), "mute")],
            r"recording 1 of mute: expected at least 0\.3 s of speech, got 0\.00 s",
        ),
    ],
)
def test_what_teaches_nothing_is_refused_in_one_line(recordings: list[Voiced], message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        train_speakers(recordings, SETTINGS, seed=0)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) <= 300
