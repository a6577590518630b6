"""What the network sees of a command: one second at 8 kHz as log-mel levels, whatever the microphone and loudness.

Levels count from the loudest down to 60 dB below it; each band's mean over the frames with speech is taken away, so
that a room or microphone that favours some bands favours none.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import resampled
from twinloop.dialogue.speech.spectra import mel_filters

Floats = NDArray[np.float32]
RATE = 8_000
SECONDS = 1.0
LENGTH = int(RATE * SECONDS)
WINDOW, HOP = 256, 160
BANDS, LOW_HZ = 40, 60.0
FRAMES = 1 + (LENGTH - WINDOW) // HOP
# In powers of ten: the range that is kept below the loudest, and that of frames with speech.
RANGE, SPOKEN_RANGE = 6.0, 3.5


def command_samples(audio: Audio) -> Floats:
    """[8000] the second of a recording that holds most of its energy, in the middle of silence where it is shorter."""
    return windowed(resampled(audio, RATE).samples)


def windowed(samples: Floats, *, shift: int = 0) -> Floats:
    """[8000] samples in the middle of the window, or `shift` later; a longer recording loses its quieter ends."""
    if len(samples) > LENGTH:
        energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
        start = int(np.argmax(energy[LENGTH:] - energy[:-LENGTH]))
        samples = samples[start : start + LENGTH]
    spare = LENGTH - len(samples)
    start = min(max(spare // 2 + shift, 0), spare)
    window = np.zeros(LENGTH, np.float32)
    window[start : start + len(samples)] = samples
    return window


def command_features(windows: Floats) -> Floats:
    """[commands, 40, 49] features of samples [commands, 8000]."""
    frames = np.lib.stride_tricks.sliding_window_view(windows, WINDOW, axis=1)[:, ::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=2)) ** 2
    mels = power.astype(np.float32) @ mel_filters(BANDS, rate=RATE, window=WINDOW, low_hz=LOW_HZ).T
    loudness = np.log10(mels.sum(axis=2) + 1e-12)
    spoken = (loudness > loudness.max(axis=1, keepdims=True) - SPOKEN_RANGE)[:, :, None]
    levels = np.log10(mels + 1e-12)
    levels = np.maximum(levels, levels.max(axis=(1, 2), keepdims=True) - RANGE)
    means = (levels * spoken).sum(axis=1, keepdims=True) / spoken.sum(axis=1, keepdims=True)
    return np.ascontiguousarray((levels - means).transpose(0, 2, 1), np.float32)


def features_of(recordings: Sequence[Audio]) -> Floats:
    """[recordings, 40, 49] features of recordings."""
    return command_features(np.stack([command_samples(audio) for audio in recordings]))
