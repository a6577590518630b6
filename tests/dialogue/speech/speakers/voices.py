"""Voices made of harmonics under formants: each has its pitch and the length of its vocal tract, vowels are shared."""

import numpy as np

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import RATE

# First and second formants of a few vowels in Hz (Peterson and Barney, 1952), and higher ones of all.
VOWELS = ((270, 2290), (530, 1840), (730, 1090), (570, 840), (300, 870))
HIGHER = (2700, 3500, 4500)
VOWEL_S = 0.25


def utterance(pitch_hz: float, tract: float, rng: np.random.Generator, *, vowels: int = 8) -> Audio:
    """Vowels in random order by one voice. tract: as which formants lie, 1 for a man's."""
    parts = []
    for place in rng.integers(0, len(VOWELS), vowels):
        times = np.arange(round(VOWEL_S * RATE)) / RATE
        frequencies = pitch_hz * np.arange(1, int(6000 / pitch_hz))
        formants = tract * np.array([*VOWELS[place], *HIGHER])
        levels = np.exp(-(((frequencies[:, None] - formants) / 150) ** 2)).sum(axis=1) / (1 + frequencies / 500)
        glide = 1 + 0.05 * rng.normal() * times / VOWEL_S
        phases = 2 * np.pi * frequencies[:, None] * (times * glide) + rng.uniform(0, 2 * np.pi, (len(frequencies), 1))
        syllable = 0.1 + np.sin(np.pi * times / VOWEL_S)
        parts.append(syllable * (levels[:, None] * np.sin(phases)).sum(axis=0))
    samples = np.concatenate(parts)
    samples += 0.002 * np.abs(samples).max() * rng.standard_normal(len(samples))
    return Audio((0.3 * samples / np.abs(samples).max()).astype(np.float32), RATE)
