"""The trained recogniser of spoken commands at work, by ONNX Runtime."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.commands.features import features_of
from twinloop.errors import InputError
from twinloop.learning.inference import open_graph, run_batches

INPUT, OUTPUT, WORDS = "features", "logits", "words"


class Said(NamedTuple):
    """A word and how probable the network holds it, among the words that it knows."""

    word: str
    probability: float


class CommandRecogniser:
    """Tells which word of a few was said. graph: what training wrote; InputError for another file."""

    def __init__(self, graph: Path, *, threads: int = 1) -> None:
        self._graph = open_graph(graph, threads=threads)
        if WORDS not in self._graph.metadata:
            raise InputError(f"commands: {graph}: no recogniser of commands: train one")
        self.words: tuple[str, ...] = tuple(json.loads(self._graph.metadata[WORDS]))

    def recognise(self, recordings: Sequence[Audio]) -> list[Said]:
        """The likeliest word of each recording; of one longer than a second its loudest second is heard."""
        if not recordings:
            return []
        probabilities = softmax(run_batches(self._graph, {INPUT: features_of(recordings)})[0], axis=1)
        return [Said(self.words[int(np.argmax(row))], float(row.max())) for row in probabilities]
