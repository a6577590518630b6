"""What every detector is: images in, class logits and a heat map of logits out, normalisation inside.

Only raw scores leave a detector: thresholds, calibration and boxes live beside the graph, so that one graph serves
every line. A detector that cannot name defects spreads its one anomaly score evenly over them, so that all that
follows works alike.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twinloop.errors import InputError
from twinloop.vision.models.encoders import Encoder
from twinloop.vision.models.settings import ModelSettings

# Added to an image's own deviation, so that the noise of an empty image is not blown up: two of 255 grey levels.
FAINTEST = 2 / 255
# Deviations from an image's mean that are told apart, with what these are in 8 bits.
EXTREME = 3.0
MIDDLE, UNIT = 128 / 255, 42 / 255


class SurfaceDetector(nn.Module):
    """Base of all detectors.

    forward(images [N, channels, size, size] float in 0…1) → (class logits [N, K], "good" first;
    heat [N, 1, size/stride, size/stride], the logit that a place is defective).
    names_defects: whether the logits tell defects apart. Raises InputError for classes or a size that make no sense.
    """

    def __init__(self, settings: ModelSettings, *, classes: Sequence[str], size: int, channels: int) -> None:
        super().__init__()
        if len(classes) < 2 or classes[0] != "good":
            raise InputError(f'classes = {list(classes)}: expected "good" first and at least one defect class')
        if size < 32 or size % settings.grid_px or channels not in (1, 3):
            raise InputError(
                f"images of {size} px with {channels} channels: expected a multiple of {settings.grid_px} from 32 on "
                f"({settings.encoder}), 1 or 3 channels"
            )
        self.settings, self.classes, self.size, self.channels = settings, tuple(classes), size, channels
        self.names_defects = settings.kind == "supervised"
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.full((1, channels, 1, 1), 0.5))
        self.register_buffer("std", torch.full((1, channels, 1, 1), 0.25))

    def normalise_to(self, mean: Tensor, std: Tensor) -> None:
        """Set the mean and deviation of the training images per channel, in 0…1; shape [channels] each."""
        self.mean.copy_(mean.reshape(self.mean.shape))
        self.std.copy_(std.clamp_min(1e-3).reshape(self.std.shape))

    def normalised(self, images: Tensor) -> Tensor:
        """What the encoder sees: by the training images' mean and deviation, or each image by its own.

        Training on images that were normalised by themselves (`equalised`) varies their exposure afterwards, and the
        network has to see that.
        """
        if self.settings.normalise == "dataset" or self.training:
            return (images - self.mean) / self.std
        centred = images - images.mean(dim=(1, 2, 3), keepdim=True)
        spread = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() + FAINTEST
        return (centred / spread).clamp(-EXTREME, EXTREME)

    def normalise_for(self, encoder: Encoder) -> None:
        """Normalise as the encoder's pretrained weights expect it; without such weights nothing is changed."""
        if encoder.mean and encoder.std:
            self.normalise_to(torch.tensor(encoder.mean), torch.tensor(encoder.std))

    def observe(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `forward`, and the encoder's features [N, F] at all depths, each averaged over the picture."""
        raise NotImplementedError

    def require_fitted(self) -> None:
        """Raise InputError where the detector must be fitted before it can judge, and was not."""

    def adopt(self, weights: Mapping[str, Tensor]) -> None:
        """Take a saved state. Raises ValueError where its names or shapes are not this detector's."""
        own = {name: list(tensor.shape) for name, tensor in self.state_dict().items()}
        given = {name: list(tensor.shape) for name, tensor in weights.items()}
        wrong = sorted(name for name in own.keys() | given.keys() if own.get(name) != given.get(name))
        if wrong:
            name = wrong[0]
            raise ValueError(
                f"{len(wrong)} of {len(own)} tensors differ, such as {name}: expected {own.get(name, 'none')}, "
                f"found {given.get(name, 'none')}"
            )
        self.load_state_dict(weights)

    def spread(self, score: Tensor) -> Tensor:
        """Class logits [N, K] whose log odds of "any defect" are `score` [N]: every defect gets the same share."""
        defects = len(self.classes) - 1
        share = score - math.log(defects)
        return torch.cat([torch.zeros_like(score)[:, None], share[:, None].expand(-1, defects)], dim=1)


def equalised(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images [N, H, W, C], each brought to the same mean and deviation: as `normalise: image` sees them, in 8 bits."""
    result = np.empty_like(images)
    for place, image in enumerate(images):
        spread = image.std(dtype=np.float64) / 255 + FAINTEST
        deviations = ((image / 255 - image.mean(dtype=np.float64) / 255) / spread).clip(-EXTREME, EXTREME)
        result[place] = np.floor(255 * (MIDDLE + UNIT * deviations) + 0.5)
    return result


def pooled(maps: Iterable[Tensor]) -> Tensor:
    """Features [N, F] of encoder maps [N, C_i, h_i, w_i], each averaged over the picture."""
    return torch.cat([level.mean(dim=(2, 3)) for level in maps], dim=1)


def anomaly_score(logits: Tensor) -> Tensor:
    """log odds [N] of "any defect" against "good" from class logits [N, K], good first."""
    return logits[:, 1:].logsumexp(dim=1) - logits[:, 0]


def parameters(model: nn.Module) -> int:
    """The number of a network's weights; a one-class detector's memory of good images is not counted."""
    return sum(tensor.numel() for tensor in model.parameters())
