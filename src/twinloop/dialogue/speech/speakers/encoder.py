"""A speaker's voice as a vector, by the encoder that is trained here or by the published one (Wan et al., 2018).

A recording's pauses are left out, and windows of 1.6 s that overlap by half go through the network; their mean is the
speaker. It runs by ONNX Runtime from a graph that `training` or `export` wrote; the one that is trained here needs no
package of weights.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.activity import ActivitySettings
from twinloop.dialogue.speech.speakers.windows import speech_samples, speech_windows
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
# Instead of a digest, in a graph that was trained here.
TRAINED = "trained here"
PAUSES = ActivitySettings(least_silence_s=0.2, margin_s=0.1)
# By levels alone: what is trained here finds its pauses without weights too.
PLAIN_PAUSES = ActivitySettings(detector="energy", least_silence_s=0.2, margin_s=0.1)


class SpeakerEncoder:
    """Tells voices apart. graph: of either encoder; InputError where there is none."""

    def __init__(self, graph: Path, *, threads: int = 1) -> None:
        self._graph = open_graph(graph, threads=threads)
        source = self._graph.metadata.get(SOURCE)
        if source not in (TRAINED, *RESEMBLYZER.files.values()):
            raise InputError(f"speakers: {graph}: no graph of a speaker encoder: export it again")
        self.trained = source == TRAINED

    def encode(self, audio: Audio, *, name: str = "recording") -> Floats:
        """A vector of unit length. Raises InputError, with this name, for less than 0.3 s of speech."""
        return unit(self.encode_windows(speech_samples(audio, self.pauses, name=name)).mean(axis=0))

    def encode_windows(self, samples: Floats) -> Floats:
        """[windows, dimensions] of what is spoken at 16 kHz; their first frames are `window_starts`."""
        windows = speech_windows(samples, filling="wrap" if self.trained else "constant")
        return run_batches(self._graph, {INPUT: windows})[0]

    def encode_speaker(self, recordings: Sequence[Audio]) -> Floats:
        """One vector for all recordings of a person."""
        if not recordings:
            raise InputError("speakers: expected at least one recording of a person, got none")
        return unit(np.mean([self.encode(audio) for audio in recordings], axis=0))

    @property
    def pauses(self) -> ActivitySettings:
        """How it tells speech from pauses."""
        return PLAIN_PAUSES if self.trained else PAUSES


def similarity(first: Floats, second: Floats) -> float:
    """Cosine of the angle between two vectors of unit length: 1 for the same voice."""
    return float(first @ second)


def unit(vector: Floats) -> Floats:
    """The vector at length 1."""
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
