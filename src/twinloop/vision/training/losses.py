"""What training minimises: classes by cross-entropy, pixels by cross-entropy, focal loss and dice in any weighted sum.

Focal loss: Lin et al., 2017. Dice loss: Milletari et al., 2016, over the whole batch, so that images without a defect
weigh in. Only images whose pixel truth is known supervise the heat map.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from twinloop.vision.training.settings import TrainSettings

DICE_SMOOTHING = 1.0


def pixel_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Binary cross-entropy, averaged with `weights`; all of shape [N, 1, H, W], weights broadcastable."""
    return _mean(functional.binary_cross_entropy_with_logits(logits, targets, reduction="none"), weights)


def focal(logits: Tensor, targets: Tensor, weights: Tensor, *, gamma: float) -> Tensor:
    """Cross-entropy times (1 − probability of the truth)^gamma, averaged with `weights`."""
    loss = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return _mean((-torch.expm1(-loss)).clamp_min(0).pow(gamma) * loss, weights)


def dice(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """1 − (2 Σpt + 1) / (Σp + Σt + 1) over all pixels of the batch, p = sigmoid(logits)."""
    probabilities = torch.sigmoid(logits) * weights
    truth = targets * weights
    overlap = (probabilities * targets).sum()
    return 1 - (2 * overlap + DICE_SMOOTHING) / (probabilities.sum() + truth.sum() + DICE_SMOOTHING)


class DetectorLoss(nn.Module):
    """The weighted sum of the configured losses.

    forward(logits [N, K], heat [N, 1, h, w], labels [N], masks [N, H, W], masked [N]) gives a scalar; the heat map is
    enlarged to the masks, so that training sees what evaluation measures.
    """

    def __init__(self, settings: TrainSettings) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, logits: Tensor, heat: Tensor, *, labels: Tensor, masks: Tensor, masked: Tensor) -> Tensor:
        settings = self.settings
        total = settings.loss_classes * functional.cross_entropy(logits, labels)
        if not (settings.loss_cross_entropy or settings.loss_focal or settings.loss_dice):
            return total
        enlarged = enlarge(heat, (masks.shape[-2], masks.shape[-1]))
        targets = masks[:, None].to(heat.dtype)
        weights = masked.to(heat.dtype)[:, None, None, None]
        if settings.loss_cross_entropy:
            total = total + settings.loss_cross_entropy * pixel_cross_entropy(enlarged, targets, weights)
        if settings.loss_focal:
            total = total + settings.loss_focal * focal(enlarged, targets, weights, gamma=settings.focal_gamma)
        if settings.loss_dice:
            total = total + settings.loss_dice * dice(enlarged, targets, weights)
        return total


def enlarge(heat: Tensor, size: tuple[int, int]) -> Tensor:
    """Heat logits [N, 1, h, w] at the image's own size, bilinearly."""
    return functional.interpolate(heat, size=size, mode="bilinear", align_corners=False)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    count = weights.expand_as(values).sum()
    return (values * weights).sum() / count.clamp_min(1)
