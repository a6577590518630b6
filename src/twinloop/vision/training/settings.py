"""Settings of a detector's training, apart from the code that needs torch: composing must stay quick."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.learning.settings import FitSettings

Augmentation = Literal["none", "light", "industrial"]


@settings
class TrainSettings(FitSettings):
    """How a detector is trained. The learning rate rises linearly over `warmup`, then falls along a cosine."""

    batch_size: Annotated[int, Field(ge=2)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 6e-3
    weight_decay: Annotated[float, Field(ge=0)] = 3e-2
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    augmentation: Augmentation = "industrial"
    loss_classes: Annotated[float, Field(ge=0)] = 0.5
    loss_cross_entropy: Annotated[float, Field(ge=0)] = 1.0
    loss_focal: Annotated[float, Field(ge=0)] = 1.0
    loss_dice: Annotated[float, Field(ge=0)] = 1.0
    focal_gamma: Annotated[float, Field(ge=0)] = 2.0
