"""Power spectra and mel bands in numpy, as recognisers and speaker encoders were trained on them.

Mel bands are Slaney's (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above, of equal area.
"""

import functools

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LINEAR_HZ = 200 / 3
KNEE_HZ = 1000.0
LOG_STEP = np.log(6.4) / 27


def power_spectra(samples: Floats, *, window: int, hop: int, pad: str) -> Floats:
    """[frames, 1 + window // 2] power of frames centred on every `hop`-th sample, under a periodic Hann window.

    pad: what lies beyond both ends, as `numpy.pad` calls it: reflect or constant (zeros).
    """
    padded = np.pad(samples, window // 2, mode=pad)  # type: ignore[call-overload]
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    power: Floats = (np.abs(np.fft.rfft(frames * hann, axis=1)) ** 2).astype(np.float32)
    return power


@functools.cache
def mel_filters(bands: int, *, rate: int, window: int, low_hz: float = 0.0, high_hz: float | None = None) -> Floats:
    """[bands, 1 + window // 2] weights of triangular bands between `low_hz` and `high_hz` (half the rate)."""
    edges = mel_edges(bands, low_hz=low_hz, high_hz=rate / 2 if high_hz is None else high_hz)
    frequencies = np.fft.rfftfreq(window, 1 / rate)
    widths = np.diff(edges)
    rising = (frequencies - edges[:-2, None]) / widths[:-1, None]
    falling = (edges[2:, None] - frequencies) / widths[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    filters: Floats = (np.maximum(0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)
    return filters


def mel_edges(bands: int, *, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """[bands + 2] frequencies in Hz: a band begins where the one before is strongest and ends where the next one is."""
    edges_mel = np.linspace(_mel(low_hz), _mel(high_hz), bands + 2)
    edges: NDArray[np.float64] = np.where(
        edges_mel < KNEE_HZ / LINEAR_HZ,
        edges_mel * LINEAR_HZ,
        KNEE_HZ * np.exp(LOG_STEP * (edges_mel - KNEE_HZ / LINEAR_HZ)),
    )
    return edges


def _mel(frequency_hz: float) -> float:
    if frequency_hz < KNEE_HZ:
        return frequency_hz / LINEAR_HZ
    return float(KNEE_HZ / LINEAR_HZ + np.log(frequency_hz / KNEE_HZ) / LOG_STEP)
