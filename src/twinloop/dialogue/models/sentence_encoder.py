"""A sentence encoder at work: texts to tokens, tokens through an ONNX graph, unit vectors out.

Each text goes alone: what a core computes for one text stays in its cache (in INT8 nearly twice as fast as in batches
of 24), nothing is computed for padding, and a vector never depends on the texts beside it. Who has several questions
at once may have those of one length computed together. What decides the vectors (weights, tokens, precision, longest
text) makes the digest that an index is kept with.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.models.bert import IDS, BertShape, bert_graph
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Encoded
from twinloop.errors import InputError
from twinloop.files import fingerprint, sha256

# The files of an encoder in its folder.
WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
POSITIONS = "embeddings.position_embeddings.weight"


@settings
class EncoderSettings:
    """How an encoder runs. tokens: of a text that are read, as many as the network has places for; the rest is left
    out.
    """

    precision: Literal["float32", "int8"] = "float32"
    tokens: Annotated[int, Field(ge=8, le=512)] = 256
    threads: Annotated[int, Field(ge=1, le=1024)] = 1


class SentenceEncoder:
    """Unit vectors of texts by a BERT whose safetensors and tokenizer.json are given; an Encoder."""

    def __init__(
        self, weights: Path, tokenizer: Path, settings: EncoderSettings | None = None, *, shape: BertShape | None = None
    ) -> None:
        settings, shape = settings or EncoderSettings(), shape or BertShape()
        tensors = _tensors(weights)
        places = tensors.get(POSITIONS)
        tokens = settings.tokens if places is None else min(settings.tokens, len(places))
        self._settings, self._tokenizer = settings, _tokenizer(tokenizer, tokens=tokens)
        model = bert_graph(tensors, shape, int8=settings.precision == "int8")
        self._session = _session(model.SerializeToString(), threads=settings.threads)
        self._dimensions = int(self._session.get_outputs()[0].shape[1])
        self._digest = fingerprint(
            {
                "weights": sha256(weights),
                "tokenizer": sha256(tokenizer),
                "precision": settings.precision,
                "tokens": tokens,
                "shape": asdict(shape),
            }
        )

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""
        return self._dimensions

    @property
    def digest(self) -> str:
        """SHA-256 over what decides its vectors."""
        return self._digest

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Unit vectors of texts (shape: texts, dimensions)."""
        usage = stopwatch()
        token_ids = self._token_ids(texts)
        vectors = [self._session.run(None, {IDS: ids})[0] for ids in token_ids]
        whole = np.concatenate([np.zeros((0, self._dimensions), np.float32), *vectors])
        return Encoded(whole, usage(tokens=sum(ids.size for ids in token_ids)))

    def encode_together(self, texts: Sequence[str]) -> Encoded:
        """The same, those of equally many tokens in one batch; in 8 bits alone, as there a batch has one scale."""
        if self._settings.precision == "int8":
            return self.encode(texts)
        usage = stopwatch()
        token_ids = self._token_ids(texts)
        lengths = np.array([ids.size for ids in token_ids], np.int64)
        vectors = np.zeros((len(texts), self._dimensions), np.float32)
        for length in np.unique(lengths):
            places = np.flatnonzero(lengths == length)
            batch = np.concatenate([token_ids[place] for place in places])
            vectors[places] = self._session.run(None, {IDS: batch})[0]
        return Encoded(vectors, usage(tokens=int(lengths.sum())))

    def _token_ids(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Of each text, [1, tokens]."""
        return [np.array([encoding.ids]) for encoding in self._tokenizer.encode_batch(list(texts))]


def _tokenizer(path: Path, *, tokens: int) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exceptions
        raise InputError(f"encoder: {path}: expected a tokenizer.json, it cannot be read: {error}") from None
    tokenizer.no_padding()
    tokenizer.enable_truncation(tokens)
    return tokenizer


def _tensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise InputError(f"encoder: {path}: expected safetensors, it cannot be read: {error}") from None


def _session(content: bytes, *, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
