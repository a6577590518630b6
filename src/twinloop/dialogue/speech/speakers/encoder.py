"""A speaker's voice as a vector: generalised end-to-end loss (Wan et al., 2018), with Resemblyzer's published weights.

A recording is made as loud as the training data, its pauses are left out, and windows of 1.6 s that overlap by half go
through the network; their mean is the speaker. It runs by ONNX Runtime from the graph that `export` writes once.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.activity import ActivitySettings, speech_segments, stretch
from twinloop.dialogue.speech.audio import RATE, resampled
from twinloop.dialogue.speech.spectra import mel_filters, power_spectra
from twinloop.errors import InputError
from twinloop.learning.inference import open_graph, run_batches
from twinloop.learning.weights import Weights

Floats = NDArray[np.float32]
RESEMBLYZER = Weights(
    name="Resemblyzer's speaker encoder",
    files={"pretrained.pt": "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"},
    package="resemblyzer",
    inside="resemblyzer",
)
INPUT, OUTPUT, SOURCE = "mels", "speaker", "weights_sha256"
BANDS, WINDOW, HOP = 40, 400, 160
# Frames of a window of 1.6 s, and from one window to the next: 1.3 of them begin per second.
FRAMES = 160
STEP = round(RATE / 1.3 / HOP)
LEAST_COVERAGE = 0.75
LOUDNESS_DB = -30.0
LEAST_SPEECH_S = 0.3
PAUSES = ActivitySettings(least_silence_s=0.2, margin_s=0.1)


class SpeakerEncoder:
    """Tells voices apart. graph: what `export_speaker_encoder` wrote; InputError where there is none."""

    def __init__(self, graph: Path, *, threads: int = 1) -> None:
        self._graph = open_graph(graph, threads=threads)
        if self._graph.metadata.get(SOURCE) not in RESEMBLYZER.files.values():
            raise InputError(f"speakers: {graph}: no graph of {RESEMBLYZER.name}: export it again")

    def encode(self, audio: Audio) -> Floats:
        """A vector of unit length (256). Raises InputError for less than 0.3 s of speech."""
        windows = speech_windows(audio)
        speakers = run_batches(self._graph, {INPUT: windows})[0]
        return unit(speakers.mean(axis=0))

    def encode_speaker(self, recordings: Sequence[Audio]) -> Floats:
        """One vector for all recordings of a person."""
        if not recordings:
            raise InputError("speakers: expected at least one recording of a person, got none")
        return unit(np.mean([self.encode(audio) for audio in recordings], axis=0))


def similarity(first: Floats, second: Floats) -> float:
    """Cosine of the angle between two vectors of unit length: 1 for the same voice."""
    return float(first @ second)


def unit(vector: Floats) -> Floats:
    """The vector at length 1."""
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def speech_windows(audio: Audio) -> Floats:
    """[windows, 160, 40] mel spectra, not logarithmic, of the speech in a recording."""
    heard = resampled(audio, RATE)
    parts = [stretch(heard, segment).samples for segment in speech_segments(heard, PAUSES)]
    samples = np.concatenate(parts) if parts else np.empty(0, np.float32)
    if len(samples) < LEAST_SPEECH_S * RATE:
        raise InputError(
            f"speakers: expected at least {LEAST_SPEECH_S:g} s of speech, got {len(samples) / RATE:.2f} s: record more"
        )
    samples = _raised(samples)
    starts = window_starts(len(samples))
    missing = (starts[-1] + FRAMES) * HOP - len(samples)
    if missing > 0:
        samples = np.pad(samples, (0, missing))
    power = power_spectra(samples, window=WINDOW, hop=HOP, pad="reflect")
    mels = power @ mel_filters(BANDS, rate=RATE, window=WINDOW).T
    return np.stack([mels[start : start + FRAMES] for start in starts])


def window_starts(samples: int) -> list[int]:
    """First frames of the windows; the last one is left out where less than three quarters of it would be sound."""
    frames = -(-(samples + 1) // HOP)
    starts = list(range(0, max(1, frames - FRAMES + STEP + 1), STEP))
    covered = (samples / HOP - starts[-1]) / FRAMES
    return starts[:-1] if covered < LEAST_COVERAGE and len(starts) > 1 else starts


def _raised(samples: Floats) -> Floats:
    """The samples at the loudness of the training data; louder ones stay."""
    level_db = 10 * np.log10(float(np.square(samples, dtype=np.float64).mean()) + 1e-12)
    return samples * np.float32(10 ** (max(LOUDNESS_DB - level_db, 0.0) / 20))
