"""Settings of the speaker encoder that is trained here; free of torch."""

import dataclasses
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.learning.settings import FitSettings


@settings
class VoiceAugmentationSettings:
    """How what is learnt from is varied; draws are uniform.

    speeds: at which every recording is played; each makes another speaker, pitch and vocal tract with it (Yamamoto et
    al., 2019). noise_db: from the quietest to the loudest noise, below the level of the speech. colour_db: a
    microphone that favours high or low bands, at most so much at either end.
    """

    speeds: tuple[Annotated[float, Field(gt=0.5, lt=2)], ...] = (0.88, 1.0, 1.14)
    noise_db: tuple[float, float] = (50.0, 15.0)
    colour_db: Annotated[float, Field(ge=0, le=60)] = 6.0


@settings
class SpeakerEncoderSettings:
    """Convolutions over log-mel levels, pooled by attention. width: of their channels; dimensions: of a vector.

    speakers: in a batch, each with two windows of different recordings. batches: of an epoch.
    """

    width: Annotated[int, Field(ge=4, le=2048)] = 64
    dimensions: Annotated[int, Field(ge=8, le=1024)] = 64
    speakers: Annotated[int, Field(ge=2, le=10_000)] = 24
    batches: Annotated[int, Field(ge=1, le=100_000)] = 18
    learning_rate: Annotated[float, Field(gt=0)] = 4e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    augmentation: VoiceAugmentationSettings = VoiceAugmentationSettings()
    fit: FitSettings = dataclasses.field(default_factory=lambda: FitSettings(epochs=10, patience=10, keep="last"))
