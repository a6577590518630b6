"""One recording varied into many: other speakers, rooms and microphones, as far as arithmetic makes them."""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from twinloop.dialogue.speech.commands.features import BANDS, FRAMES, LOW_HZ, RATE, windowed
from twinloop.dialogue.speech.commands.settings import AugmentationSettings
from twinloop.dialogue.speech.spectra import mel_edges

Floats = NDArray[np.float32]
CENTRES = mel_edges(BANDS, low_hz=LOW_HZ, high_hz=RATE / 2)[1:-1]


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
    """[commands, 40, 49] each stretched in time, from another vocal tract, and with a band and a span hidden."""
    varied = np.empty_like(features)
    for place, levels in enumerate(features):
        changed = _stretched(levels, rng.uniform(1 - settings.stretch, 1 / (1 - settings.stretch)))
        if settings.warp:
            changed = _warped(changed, rng.uniform(1 - settings.warp, 1 / (1 - settings.warp)))
        for axis, widest in enumerate((settings.band_mask, settings.frame_mask)):
            width = int(rng.integers(0, widest + 1))
            start = int(rng.integers(0, changed.shape[axis] - width + 1))
            hidden = [slice(None), slice(None)]
            hidden[axis] = slice(start, start + width)
            changed[tuple(hidden)] = 0.0
        varied[place] = changed
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
    return _between(levels.T, (np.arange(FRAMES) - middle) / factor + middle).T


def _warped(levels: Floats, factor: float) -> Floats:
    """[40, 49] the same levels with every frequency times `factor`; what lies beyond is as the ends are."""
    return _between(levels, np.interp(CENTRES / factor, CENTRES, np.arange(BANDS)))


def _between(rows: Floats, places: NDArray[np.floating[Any]]) -> Floats:
    """[places, ...] rows at places between them, by a straight line."""
    inside = np.clip(places, 0, len(rows) - 1)
    left = np.minimum(inside.astype(int), len(rows) - 2)
    share = (inside - left).astype(np.float32)[:, None]
    between: Floats = rows[left] * (1 - share) + rows[left + 1] * share
    return between
