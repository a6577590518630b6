"""Settings of the detector, apart from the code that needs torch: composing must stay quick.

An encoder is named, never imported: the names below are the allow-list, each built by timm. `space` lists what a
study may vary, under the dotted names of these settings and those of training.
"""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.learning.settings import Dimension, FitSettings
from twinloop.vision.training.settings import TrainSettings

Encoder = Literal[
    "resnet10t",
    "resnet18",
    "resnet34",
    "convnext_atto",
    "convnext_tiny",
    "swin_tiny_patch4_window7_224",
]
WEIGHTS_FROM_HUB = "hf-hub:"
NOT_SEARCHED = {"model.space", "model.weights"} | {f"train.{name.name}" for name in dataclasses.fields(FitSettings)}


@settings
class SearchSpace:
    """What a study may vary: settings of the model and of its training, by name."""

    model: dict[str, Dimension] = dataclasses.field(default_factory=dict)
    train: dict[str, Dimension] = dataclasses.field(default_factory=dict)

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """Every searched quantity under its dotted name, such as train.learning_rate."""
        return {f"model.{name}": dimension for name, dimension in self.model.items()} | {
            f"train.{name}": dimension for name, dimension in self.train.items()
        }


@settings
class ModelSettings:
    """A timm encoder, stock or shrunk, with a light decoder.

    `width` channels leave the first stage and double at each further one, `depths` and `heads` count blocks and
    attention heads per stage; left out, the encoder is stock. The heat map has one value per `heat_stride` pixels.
    Images are resized to `size_px` and have `channels` 1 (grey) or 3 (colour).
    `weights` is empty (from nothing), a local .safetensors file, or `hf-hub:` and a timm model there.
    """

    size_px: Annotated[int, Field(ge=32, le=1024, multiple_of=4)] = 96
    channels: Literal[1, 3] = 1
    encoder: Encoder = "resnet10t"
    width: Annotated[int, Field(ge=4)] | None = 24
    depths: tuple[Annotated[int, Field(ge=1)], ...] = ()
    heads: tuple[Annotated[int, Field(ge=1)], ...] = ()
    decoder_width: Annotated[int, Field(ge=4)] = 48
    heat_stride: Literal[1, 2, 4] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    weights: str = ""
    space: SearchSpace = SearchSpace()

    def __post_init__(self) -> None:
        swin = self.encoder.startswith("swin")
        if self.heads and not swin:
            raise ValueError(f"heads belong to swin encoders, not to {self.encoder}; leave them out")
        if (swin and bool(self.heads) != bool(self.depths)) or len(self.heads) not in (0, len(self.depths)):
            raise ValueError("a shrunk swin needs depths and heads of the same length")
        if not swin and len(self.depths) not in (0, 4):
            raise ValueError(f"{self.encoder} has four stages: depths needs four numbers")
        if self.width and any(self.width * 2**stage % count for stage, count in enumerate(self.heads)):
            raise ValueError(f"each stage's channels ({self.width}, doubling) must be divisible by its heads")
        if self.weights and not self.weights.startswith(WEIGHTS_FROM_HUB) and not self.weights.endswith(".safetensors"):
            raise ValueError("expected a .safetensors file or hf-hub:owner/name; other formats may run code when read")
        for name, dimension in self.space.dimensions.items():
            for value in dimension.extremes:
                try:
                    tuned(dataclasses.replace(self, space=SearchSpace()), TrainSettings(), values={name: value})
                except (ValueError, TypeError) as error:
                    reason = str(error).splitlines()[0] if not hasattr(error, "errors") else error.errors()[0]["msg"]
                    raise ValueError(f"space.{name} = {value!r}: {reason}") from None


def tuned(
    model: ModelSettings, train: TrainSettings, *, values: Mapping[str, Any]
) -> tuple[ModelSettings, TrainSettings]:
    """The settings with `values` (dotted names: `model.width`, `train.learning_rate`) put in; they are checked again.

    Raises ValueError for a name that is no field of the two or a value that they refuse.
    """
    changes: dict[str, dict[str, Any]] = {"model": {}, "train": {}}
    known = {
        f"{section}.{field.name}"
        for section, kind in (("model", ModelSettings), ("train", TrainSettings))
        for field in dataclasses.fields(kind)
    } - NOT_SEARCHED
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"nothing of that name can be searched; known: {', '.join(sorted(known))}")
        section, field = name.split(".")
        changes[section][field] = value
    return dataclasses.replace(model, **changes["model"]), dataclasses.replace(train, **changes["train"])
