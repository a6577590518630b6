"""An encoder behind an OpenAI-compatible embeddings interface."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.http.client import Service, ServiceSettings
from twinloop.dialogue.providers.http.tokens import counted_tokens, token_price
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Encoded, Vectors
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.files import fingerprint


@settings
class EmbeddingsSettings(ServiceSettings):
    """An embeddings service. dimensions: of its vectors. batch: texts per request."""

    dimensions: Annotated[int, Field(ge=1, le=65_536)]
    batch: Annotated[int, Field(ge=1, le=10_000)] = 64
    price_per_million_tokens: Annotated[float, Field(ge=0)] = 0.0


class HttpEncoder:
    """Places texts by an embeddings service."""

    def __init__(self, service: Service, settings: EmbeddingsSettings) -> None:
        self._service, self._settings = service, settings

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""
        return self._settings.dimensions

    @property
    def digest(self) -> str:
        """Of address, model and dimensions: what the service does behind them nobody can see."""
        return fingerprint([self._settings.address, self._settings.model, self._settings.dimensions])

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Unit vectors of texts. Raises ProviderError where the service fails or answers other vectors than asked."""
        usage = stopwatch()
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        tokens = 0
        for start in range(0, len(texts), self._settings.batch):
            some = list(texts[start : start + self._settings.batch])
            record = self._service.record("embeddings", {"model": self._settings.model, "input": some})
            vectors[start : start + len(some)] = self._vectors(record, len(some))
            tokens += counted_tokens(record)
        return Encoded(
            vectors, usage(tokens=tokens, price=token_price(tokens, self._settings.price_per_million_tokens))
        )

    def _vectors(self, record: dict[str, Any], count: int) -> Vectors:
        try:
            rows = sorted(record["data"], key=lambda row: int(row["index"]))
            places = [int(row["index"]) for row in rows]
            vectors = np.array([row["embedding"] for row in rows], np.float64)
        except (KeyError, TypeError, ValueError, OverflowError):
            places, vectors = [], np.empty((0, 0))
        if places != list(range(count)) or vectors.shape != (count, self.dimensions):
            got = f"{len(vectors)} of {vectors.shape[1]}, as `dimensions` may be" if vectors.size else "none"
            raise self._service.nonsense(f"{count} vectors of {self.dimensions} numbers", got)
        largest = np.abs(vectors).max(axis=1, keepdims=True)
        if not np.isfinite(largest).all() or (largest == 0).any():
            raise self._service.nonsense("vectors of finite length")
        # By the largest number first, whose square may be beyond what can be held.
        vectors = vectors / largest
        unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return unit


def open_embeddings(settings: EmbeddingsSettings, surroundings: Surroundings) -> HttpEncoder:
    """An encoder of a service; nothing is asked of it yet."""
    return HttpEncoder(Service("encoder", settings, surroundings), settings)
