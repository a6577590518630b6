"""An encoder of this machine: any transformer whose last states, pooled, are the vector of a text."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.local.model import LocalSettings, digest_of, folder_of, opening, working
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Encoded
from twinloop.dialogue.providers.surroundings import Surroundings


@settings
class LocalEncoderSettings(LocalSettings):
    """tokens: of a text that are read. pooling: the mean of all states or the first one, as the model was trained."""

    tokens: Annotated[int, Field(ge=8, le=32_768)] = 256
    pooling: Literal["mean", "first"] = "mean"


class LocalEncoder:
    """Places texts by a transformer; each text goes alone, so that no vector depends on the texts beside it."""

    def __init__(self, model: Any, tokenizer: Any, settings: LocalEncoderSettings, digest: str) -> None:
        self._model, self._tokenizer, self._settings, self._digest = model, tokenizer, settings, digest

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""
        return int(self._model.config.hidden_size)

    @property
    def digest(self) -> str:
        """SHA-256 over the model's files, the tokens that are read and how they are pooled."""
        return self._digest

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Unit vectors of texts (shape: texts, dimensions). Raises ProviderError where the model fails."""
        usage = stopwatch()
        vectors, tokens = np.zeros((len(texts), self.dimensions), np.float32), 0
        for place, text in enumerate(texts):
            with working(self._settings):
                given = self._tokenizer(text, return_tensors="pt", truncation=True, max_length=self._settings.tokens)
                states = self._model(**given.to(self._model.device)).last_hidden_state[0].float()
                pooled = states.mean(dim=0) if self._settings.pooling == "mean" else states[0]
                vectors[place] = (pooled / pooled.norm().clamp(min=1e-12)).cpu().numpy()
            tokens += int(given["input_ids"].shape[1])
        return Encoded(vectors, usage(tokens=tokens))


def open_encoder(settings: LocalEncoderSettings, surroundings: Surroundings) -> LocalEncoder:
    """The encoder. Raises InputError or RunError where it is not to be had."""
    folder = folder_of(settings, surroundings)
    with opening(settings):
        from transformers import AutoModel, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, **settings.reading)
        model = AutoModel.from_pretrained(folder, **settings.tensors).to(settings.device).eval()
        return LocalEncoder(model, tokenizer, settings, digest_of(folder, about=[settings.tokens, settings.pooling]))
