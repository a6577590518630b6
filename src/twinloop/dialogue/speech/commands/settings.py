"""Settings of the recogniser of spoken commands; free of torch."""

import dataclasses
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.learning.settings import FitSettings

Share = Annotated[float, Field(ge=0, lt=1)]


@settings
class AugmentationSettings:
    """How recordings are varied; all draws are uniform.

    speed: at most so much quicker or slower, pitch and vocal tract with it. stretch: likewise in time alone. warp:
    likewise the vocal tract alone (Jaitly and Hinton, 2013). shift_s: earlier or later in its window. noise_db: from
    the quietest to the loudest noise, below the level of the speech. band_mask, frame_mask: the widest band and span
    that is hidden (SpecAugment: Park et al., 2019). variants: of each recording that are kept; stretch, warp and masks
    are drawn anew each time that one is learnt from.
    """

    variants: Annotated[int, Field(ge=1, le=1000)] = 6
    speed: Share = 0.2
    stretch: Share = 0.15
    warp: Share = 0.0
    shift_s: Annotated[float, Field(ge=0, le=1)] = 0.1
    noise_db: tuple[float, float] = (40.0, 10.0)
    band_mask: Annotated[int, Field(ge=0, le=30)] = 12
    frame_mask: Annotated[int, Field(ge=0, le=40)] = 14


@settings
class CommandSettings:
    """A convolution network over log-mel spectra. width: channels of its first layer, a quarter of its last one's.

    least_batches: of an epoch, in which few recordings are learnt from several times.
    """

    width: Annotated[int, Field(ge=4, le=256)] = 16
    dropout: Share = 0.1
    smoothing: Share = 0.1
    batch: Annotated[int, Field(ge=2, le=100_000)] = 64
    least_batches: Annotated[int, Field(ge=1, le=100_000)] = 1
    learning_rate: Annotated[float, Field(gt=0)] = 8e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    augmentation: AugmentationSettings = AugmentationSettings()
    fit: FitSettings = dataclasses.field(default_factory=lambda: FitSettings(epochs=32, patience=32, keep="last"))
