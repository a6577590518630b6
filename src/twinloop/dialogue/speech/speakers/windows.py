"""What a speaker encoder sees of a recording: the speech in it, as loud as any other, in windows of 1.6 s."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.activity import ActivitySettings, speech_segments, stretch
from twinloop.dialogue.speech.audio import RATE, resampled
from twinloop.dialogue.speech.spectra import mel_filters, power_spectra
from twinloop.errors import InputError

Floats = NDArray[np.float32]
# What follows where speech ends before its window does: silence, or the speech once more from its beginning.
Filling = Literal["constant", "wrap"]
BANDS, WINDOW, HOP = 40, 400, 160
# Frames of a window of 1.6 s, and from one window to the next: 1.3 of them begin per second.
FRAMES = 160
STEP = round(RATE / 1.3 / HOP)
LEAST_COVERAGE = 0.75
LOUDNESS_DB = -30.0
LEAST_SPEECH_S = 0.3


class Voiced(NamedTuple):
    """A recording of one speaker."""

    audio: Audio
    speaker: str


def speech_samples(audio: Audio, pauses: ActivitySettings, *, name: str = "recording") -> Floats:
    """[samples] what is spoken at 16 kHz, without the pauses. Raises InputError for less than 0.3 s."""
    heard = resampled(audio, RATE)
    parts = [stretch(heard, segment).samples for segment in speech_segments(heard, pauses)]
    samples = np.concatenate(parts) if parts else np.empty(0, np.float32)
    if len(samples) < LEAST_SPEECH_S * RATE:
        raise InputError(
            f"speakers: {name}: expected at least {LEAST_SPEECH_S:g} s of speech, got {len(samples) / RATE:.2f} s: "
            "record more"
        )
    return raised(samples)


def speech_windows(samples: Floats, *, filling: Filling = "constant") -> Floats:
    """[windows, 160, 40] mel spectra, not logarithmic, of what is spoken."""
    starts = window_starts(len(samples))
    mels = speech_mels(samples, frames=starts[-1] + FRAMES, filling=filling)
    return np.stack([mels[start : start + FRAMES] for start in starts])


def speech_mels(samples: Floats, *, frames: int, filling: Filling) -> Floats:
    """[frames or more, 40] mel spectra of all that is spoken, filled up to so many frames."""
    missing = frames * HOP - len(samples)
    if missing > 0:
        samples = np.pad(samples, (0, missing), mode=filling)
    power = power_spectra(samples, window=WINDOW, hop=HOP, pad="reflect")
    return power @ mel_filters(BANDS, rate=RATE, window=WINDOW).T


def window_starts(samples: int) -> list[int]:
    """First frames of the windows; the last one is left out where less than three quarters of it would be sound."""
    frames = -(-(samples + 1) // HOP)
    starts = list(range(0, max(1, frames - FRAMES + STEP + 1), STEP))
    covered = (samples / HOP - starts[-1]) / FRAMES
    return starts[:-1] if covered < LEAST_COVERAGE and len(starts) > 1 else starts


def raised(samples: Floats) -> Floats:
    """The samples at the loudness of the published training data; louder ones stay."""
    level_db = 10 * np.log10(float(np.square(samples, dtype=np.float64).mean()) + 1e-12)
    return samples * np.float32(10 ** (max(LOUDNESS_DB - level_db, 0.0) / 20))
