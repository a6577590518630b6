"""A recogniser of a few words learns them, hears them from strangers, and says the same as a graph."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.commands.augmentation import CENTRES, varied_features, varied_samples
from twinloop.dialogue.speech.commands.evaluation import accuracy, leave_one_speaker_out
from twinloop.dialogue.speech.commands.features import (
    BANDS,
    FRAMES,
    LENGTH,
    RATE,
    command_features,
    command_samples,
    features_of,
    windowed,
)
from twinloop.dialogue.speech.commands.recogniser import CommandRecogniser
from twinloop.dialogue.speech.commands.settings import AugmentationSettings, CommandSettings
from twinloop.dialogue.speech.commands.training import Command, Trained, Variants, train_commands, varied
from twinloop.errors import InputError
from twinloop.learning.settings import FitSettings

SETTINGS = CommandSettings(
    width=4,
    batch=8,
    augmentation=AugmentationSettings(speed=0.05, variants=3),
    fit=FitSettings(epochs=12, patience=12, keep="last"),
)
NO_AUGMENTATION = AugmentationSettings(
    speed=0, stretch=0, warp=0, shift_s=0, noise_db=(200, 200), band_mask=0, frame_mask=0
)


def chirp(start_hz: float, end_hz: float, rng: np.random.Generator) -> Audio:
    """A glide of 0.4 s: two of them, up and down, are words as different as can be."""
    length = round(0.4 * RATE)
    frequency = np.linspace(start_hz, end_hz, length) * rng.uniform(0.9, 1.1)
    samples = np.sin(2 * np.pi * np.cumsum(frequency) / RATE) * np.hanning(length)
    return Audio((0.3 * samples + 0.003 * rng.standard_normal(length)).astype(np.float32), RATE)


@pytest.fixture(scope="module")
def commands() -> list[Command]:
    rng = np.random.default_rng(8)
    glides = {"up": (400, 2000), "down": (2000, 400)}
    return [
        Command(chirp(*ends, rng), word, speaker)
        for speaker in ("ann", "bob", "cid")
        for word, ends in glides.items()
        for _ in range(8)
    ]


def without_cid(commands: list[Command]) -> Variants:
    return varied([one for one in commands if one.speaker != "cid"], SETTINGS.augmentation, seed=4)


@pytest.fixture(scope="module")
def trained(commands: list[Command]) -> Trained:
    return train_commands(without_cid(commands), SETTINGS, seed=4)


def test_words_of_a_stranger_are_recognised(trained: Trained, commands: list[Command]) -> None:
    assert trained.words == ("down", "up")
    assert accuracy(trained, [one for one in commands if one.speaker == "cid"]) >= 0.9


def test_the_graph_says_what_the_network_says(trained: Trained, commands: list[Command], tmp_path: Path) -> None:
    trained.save(tmp_path / "commands.onnx")
    recogniser = CommandRecogniser(tmp_path / "commands.onnx")
    recordings = [one.audio for one in commands]
    with torch.inference_mode():
        logits = trained.network(torch.from_numpy(features_of(recordings)))
    expected = logits.softmax(dim=1).max(dim=1)
    said = recogniser.recognise(recordings)
    assert [one.word for one in said] == [trained.words[place] for place in expected.indices.tolist()]
    np.testing.assert_allclose([one.probability for one in said], expected.values.numpy(), atol=1e-4)
    assert recogniser.recognise([]) == []


def test_training_repeats_itself_to_the_last_bit(trained: Trained, commands: list[Command]) -> None:
    again = train_commands(without_cid(commands), SETTINGS, seed=4)
    for one, other in zip(trained.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_each_speaker_is_judged_by_what_others_taught(commands: list[Command]) -> None:
    liar = [one._replace(word={"up": "down", "down": "up"}[one.word]) for one in commands if one.speaker == "cid"]
    honest = [one for one in commands if one.speaker != "cid"]
    everyone = [*honest, *liar]
    variants = varied(everyone, SETTINGS.augmentation, seed=4)
    accuracies = leave_one_speaker_out(everyone, variants, SETTINGS, seed=4)
    assert list(accuracies) == ["ann", "bob", "cid"]
    assert accuracies["cid"] <= 0.1


def test_loudness_and_a_microphones_colour_change_no_feature(commands: list[Command]) -> None:
    window = command_samples(commands[0].audio)[None]
    plain = command_features(window)
    assert plain.shape == (1, BANDS, FRAMES)
    np.testing.assert_allclose(command_features(0.1 * window), plain, atol=1e-3)


@pytest.mark.parametrize("length", [0, 1, LENGTH - 1, LENGTH, LENGTH + 1, 5 * LENGTH])
def test_a_recording_of_any_length_fills_the_window(length: int) -> None:
    window = windowed(np.ones(length, np.float32))
    assert window.shape == (LENGTH,)
    assert window.sum() == min(length, LENGTH)
    assert np.isfinite(command_features(window[None])).all()


def test_of_a_long_recording_the_loudest_second_is_heard() -> None:
    samples = np.zeros(5 * LENGTH, np.float32)
    samples[3 * LENGTH + 100 : 3 * LENGTH + 900] = 1.0
    assert windowed(samples).sum() == 800


@given(seed=st.integers(0, 1000), length=st.integers(2, 2 * LENGTH))
def test_a_varied_recording_is_still_one(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.uniform(-1, 1, length).astype(np.float32)
    varied = varied_samples(samples, AugmentationSettings(), rng)
    assert varied.shape == (LENGTH,)
    features = varied_features(command_features(varied[None]), AugmentationSettings(), rng)
    assert features.shape == (1, BANDS, FRAMES)
    assert np.isfinite(features).all()


def test_without_variation_a_recording_stays_as_it_is(commands: list[Command]) -> None:
    samples = commands[0].audio.samples
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(varied_samples(samples, NO_AUGMENTATION, rng), windowed(samples), atol=1e-2)
    features = command_features(command_samples(commands[0].audio)[None])
    np.testing.assert_allclose(varied_features(features, NO_AUGMENTATION, rng), features, atol=1e-5)


def test_another_vocal_tract_moves_a_tone_by_its_factor() -> None:
    """A shorter one moves every formant up in the same proportion."""
    levels = np.exp(-(((CENTRES[:, None] - 1000) / 200) ** 2)).astype(np.float32) * np.ones((1, FRAMES), np.float32)
    settings = dataclasses.replace(NO_AUGMENTATION, warp=0.2)
    moved = varied_features(np.repeat(levels[None], 200, axis=0), settings, np.random.default_rng(1))
    peaks = CENTRES[moved[:, :, FRAMES // 2].argmax(axis=1)]
    assert 780 < peaks.min() < 870
    assert 1160 < peaks.max() < 1280
    assert np.isclose(peaks, 1000, atol=60).mean() < 0.5


def test_few_recordings_are_learnt_from_several_times_in_an_epoch(commands: list[Command]) -> None:
    few = varied(commands[4:12], SETTINGS.augmentation, seed=4)
    settings = dataclasses.replace(
        SETTINGS, fit=FitSettings(epochs=1, patience=1, keep="last"), augmentation=NO_AUGMENTATION
    )
    once, often = (
        train_commands(few, dataclasses.replace(settings, least_batches=batches), seed=4) for batches in (1, 40)
    )
    heard = [accuracy(trained, commands[4:12]) for trained in (once, often)]
    assert heard[1] == 1.0 > heard[0]


def test_variants_of_some_commands_are_those_of_all(commands: list[Command]) -> None:
    variants = varied(commands[:6], SETTINGS.augmentation, seed=4)
    some = variants.where([one.word == "up" for one in commands[:6]])
    assert set(some.words) == {"up"}
    assert len(some.words) == len(some.speakers) == some.features.shape[1]
    np.testing.assert_array_equal(some.features[:, 0], variants.features[:, variants.words.index("up")])


@pytest.mark.parametrize("words", [[], ["up"]])
def test_fewer_than_two_words_are_refused(commands: list[Command], words: list[str]) -> None:
    with pytest.raises(InputError, match="at least two words"):
        few = [one for one in commands if one.word in words]
        train_commands(varied(few, SETTINGS.augmentation, seed=0), SETTINGS, seed=0)


def test_a_single_speaker_is_refused(commands: list[Command]) -> None:
    with pytest.raises(InputError, match="at least two speakers, got ann"):
        alone = [one for one in commands if one.speaker == "ann"]
        leave_one_speaker_out(alone, varied(alone, SETTINGS.augmentation, seed=0), SETTINGS, seed=0)
