"""One recording varied into many: other speakers, rooms and microphones, as far as arithmetic makes them."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from twinloop.dialogue.speech.commands.features import BANDS, FRAMES, RATE, windowed
from twinloop.dialogue.speech.commands.settings import AugmentationSettings

Floats = NDArray[np.float32]


def varied_samples(samples: Floats, settings: AugmentationSettings, rng: Generator) -> Floats:
    """[8000] the recording at another speed, elsewhere in its window, under noise between white and brown."""
    speed = rng.uniform(1 - settings.speed, 1 / (1 - settings.speed))
    places = np.arange(0, len(samples) - 1, speed)
    quicker = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    shift = round(rng.uniform(-settings.shift_s, settings.shift_s) * RATE)
    window = windowed(quicker, shift=shift)
    below_db = rng.uniform(min(settings.noise_db), max(settings.noise_db))
    level = np.sqrt(np.square(quicker).mean() + 1e-12) * 10 ** (-below_db / 20)
    return window + np.float32(level) * _noise(len(window), rng)


def varied_features(features: Floats, settings: AugmentationSettings, rng: Generator) -> Floats:
    """[commands, 40, 49] each stretched in time and with a band and a span hidden."""
    varied = np.empty_like(features)
    for place, levels in enumerate(features):
        stretched = _stretched(levels, rng.uniform(1 - settings.stretch, 1 / (1 - settings.stretch)))
        for axis, widest in enumerate((settings.band_mask, settings.frame_mask)):
            width = int(rng.integers(0, widest + 1))
            start = int(rng.integers(0, stretched.shape[axis] - width + 1))
            hidden = [slice(None), slice(None)]
            hidden[axis] = slice(start, start + width)
            stretched[tuple(hidden)] = 0.0
        varied[place] = stretched
    return varied


def _noise(length: int, rng: Generator) -> Floats:
    """Noise of mean square 1 whose power falls with a random power of the frequency, from 0 (white) to 2 (brown)."""
    parts = rng.standard_normal((2, length // 2 + 1), np.float32)
    falling = np.maximum(np.arange(parts.shape[1], dtype=np.float32), 1) ** np.float32(-rng.uniform(0, 2) / 2)
    noise = np.fft.irfft((parts[0] + 1j * parts[1]) * falling, length)
    scaled: Floats = (noise / (noise.std() + 1e-12)).astype(np.float32)
    return scaled


def _stretched(levels: Floats, factor: float) -> Floats:
    """[40, 49] the same levels, `factor` times as long about the middle; what lies beyond is as the ends are."""
    middle = (FRAMES - 1) / 2
    places = np.clip((np.arange(FRAMES) - middle) / factor + middle, 0, FRAMES - 1)
    left = np.minimum(places.astype(int), FRAMES - 2)
    share = (places - left).astype(np.float32)
    stretched: Floats = levels[:, left] * (1 - share) + levels[:, left + 1] * share
    assert stretched.shape == (BANDS, FRAMES)
    return stretched
