"""Settings of what is learnt; free of torch."""

import dataclasses
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.learning.settings import FitSettings


@settings
class SelectorTrainingSettings:
    """How the weights of a sentence selector are learnt; see `training.selector`.

    temperature: of the softmax over the sentences compared for a question. pull: how strongly each weight is held where
    it began, against the questions' sum. batch: questions per step. The last epoch is kept.
    """

    temperature: Annotated[float, Field(gt=0, le=10)] = 0.1
    pull: Annotated[float, Field(ge=0, le=1000)] = 1.0
    batch: Annotated[int, Field(ge=1, le=65_536)] = 64
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.03
    fit: FitSettings = dataclasses.field(default_factory=lambda: FitSettings(epochs=60, patience=60, keep="last"))


@settings
class EncoderTrainingSettings:
    """A small BERT encoder, learnt by contrast from questions and the passages that answer them.

    vocabulary: pieces of words at most, of which 256 are bytes; tokens: of a text that are read; width is divided among
    the heads. temperature: of the softmax over the passages of a batch. cloze: sentences torn out of their passage that
    are asked like questions, for each real one (Lee, Chang and Toutanova, 2019): a person's texts hold more of these.
    """

    vocabulary: Annotated[int, Field(ge=260, le=100_000)] = 4000
    tokens: Annotated[int, Field(ge=8, le=512)] = 96
    layers: Annotated[int, Field(ge=1, le=24)] = 2
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    width: Annotated[int, Field(ge=8, le=4096)] = 128
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    temperature: Annotated[float, Field(gt=0, le=10)] = 0.05
    cloze: Annotated[float, Field(ge=0, le=100)] = 1.0
    batch: Annotated[int, Field(ge=2, le=65_536)] = 32
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    fit: FitSettings = dataclasses.field(default_factory=lambda: FitSettings(epochs=10, patience=10))

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width = {self.width}: expected a multiple of heads = {self.heads}")
