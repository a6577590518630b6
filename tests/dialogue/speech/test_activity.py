"""Speech is found where it is, and a long recording is cut in its pauses."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.activity import DETECTORS, ActivitySettings, Segment, pieces, speech_segments, stretch
from twinloop.dialogue.speech.audio import RATE, read_audio


@pytest.fixture(scope="module")
def sentence(shared_data: Path) -> Audio:
    """A read sentence of three seconds."""
    return read_audio(shared_data / "speech/human/librivox/sense_and_sensibility_01_austen_64kb-0880.wav").audio


def quiet(seconds: float, *, level: float = 1e-4) -> np.ndarray:
    return (level * np.random.default_rng(5).standard_normal(round(seconds * RATE))).astype(np.float32)


@pytest.mark.parametrize("detector", list(DETECTORS))
def test_speech_is_found_between_silences(sentence: Audio, detector: str) -> None:
    samples = np.concatenate([quiet(2), sentence.samples, quiet(2), sentence.samples, quiet(1)])
    segments = speech_segments(
        Audio(samples, RATE),
        ActivitySettings(detector=detector, least_silence_s=1.0),  # type: ignore[arg-type]
    )
    assert len(segments) == 2
    for segment, start in zip(segments, (2, 4 + sentence.seconds), strict=True):
        assert start - 0.2 <= segment.start_s <= start + 0.7
        assert start + sentence.seconds - 0.7 <= segment.end_s <= start + sentence.seconds + 0.4


@pytest.mark.parametrize("detector", list(DETECTORS))
@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_nobody_speaks_in_silence(detector: str, level: float) -> None:
    settings = ActivitySettings(detector=detector)  # type: ignore[arg-type]
    assert speech_segments(Audio(quiet(3, level=level), RATE), settings) == []
    assert speech_segments(Audio(np.empty(0, np.float32), RATE), settings) == []


def test_a_recording_without_a_pause_is_speech_but_steady_noise_is_none(sentence: Audio) -> None:
    energy = ActivitySettings(detector="energy")
    cut = sentence.samples[: len(sentence.samples) // RATE * RATE].reshape(-1, RATE)
    loudest = Audio(cut[np.square(cut).mean(axis=1).argmax()], RATE)
    assert sum(segment.end_s - segment.start_s for segment in speech_segments(loudest, energy)) > 0.5
    assert speech_segments(Audio(quiet(3, level=0.1), RATE), energy) == []


def test_the_network_is_not_taken_in_by_a_tone_or_by_loud_noise() -> None:
    tone = (0.5 * np.sin(np.arange(3 * RATE) * 0.2)).astype(np.float32)
    assert speech_segments(Audio(tone, RATE)) == []
    assert speech_segments(Audio(quiet(3, level=0.1), RATE)) == []


def test_another_rate_changes_no_time(sentence: Audio) -> None:
    slower = Audio(sentence.samples[::2], RATE // 2)
    for one, other in zip(speech_segments(sentence), speech_segments(slower), strict=True):
        assert one.start_s == pytest.approx(other.start_s, abs=0.15)
        assert one.end_s == pytest.approx(other.end_s, abs=0.15)


@given(
    gaps=st.lists(st.tuples(st.floats(0.1, 5), st.floats(0.1, 40)), max_size=12),
    longest_s=st.sampled_from([5.0, 10.0, 30.0]),
)
def test_pieces_hold_all_speech_and_are_never_too_long(gaps: list[tuple[float, float]], longest_s: float) -> None:
    segments, now = [], 0.0
    for pause, length in gaps:
        segments.append(Segment(now + pause, now + pause + length))
        now += pause + length
    audio = Audio(np.zeros(round((now + 1) * 1000), np.float32), 1000)
    parts = pieces(audio, segments, longest_s=longest_s)
    assert all(0 < part.end_s - part.start_s <= longest_s + 1e-6 for part in parts)
    assert all(one.end_s <= other.start_s for one, other in pairwise(parts))
    for segment in segments:
        for moment in np.linspace(segment.start_s + 1e-6, segment.end_s - 1e-6, 7):
            assert any(part.start_s <= moment <= part.end_s for part in parts)


def test_a_stretch_without_a_pause_is_cut_where_it_is_quietest() -> None:
    samples = np.full(50 * RATE, 0.5, np.float32)
    samples[25 * RATE : 25 * RATE + RATE // 10] = 0.0
    first, second = pieces(Audio(samples, RATE), [Segment(0.0, 50.0)], longest_s=30)
    assert first.end_s == second.start_s == pytest.approx(25.05, abs=0.06)


def test_a_stretch_is_the_sound_of_its_seconds() -> None:
    audio = Audio(np.arange(10, dtype=np.float32), 2)
    assert stretch(audio, Segment(1.0, 2.5)).samples.tolist() == [2, 3, 4]
