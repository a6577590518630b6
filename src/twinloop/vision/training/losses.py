"""What training minimises: a weighted sum of losses over the classes and over the pixels.

Focal loss: Lin et al., 2017. Dice loss: Milletari et al., 2016. Tversky loss: Salehi et al., 2017; the last two over
the whole batch, so that images without a defect weigh in. Only images whose pixel truth is known supervise the heat
map. A label of −1 is a defect of unknown class: its loss is that of any defect at all.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from twinloop.vision.training.settings import UNKNOWN, TrainSettings

SMOOTHING = 1.0


def class_loss(logits: Tensor, labels: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of class logits [N, K], averaged with the `weights` [K] of the labels [N].

    smoothing: share of the truth that is spread evenly over all classes (Szegedy et al., 2016). A label of −1 costs
    −log P(any defect) and weighs 1.
    """
    known = functional.cross_entropy(
        logits, labels, weight=weights, ignore_index=UNKNOWN, label_smoothing=smoothing, reduction="sum"
    )
    total = torch.ones_like(logits[:, 0]) if weights is None else weights[labels.clamp_min(0)]
    unknown = labels == UNKNOWN
    some_defect = logits.logsumexp(dim=1) - logits[:, 1:].logsumexp(dim=1)
    count = torch.where(unknown, torch.ones_like(total), total).sum()
    # A batch of none but classes without weight costs nothing.
    return (known + (some_defect * unknown).sum()) / count.clamp_min(1e-12)


def inverse_frequency(labels: Tensor, classes: int) -> Tensor:
    """Weights [classes] of the classes of labels [N] that make each count alike: N / (K · N_k), 0 for absent ones."""
    counts = torch.bincount(labels, minlength=classes).to(torch.float32)
    present = counts > 0
    return torch.where(present, len(labels) / (present.sum() * counts.clamp_min(1)), torch.zeros_like(counts))


def pixel_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor, *, positive: float = 1.0) -> Tensor:
    """Binary cross-entropy, averaged with `weights`; all of shape [N, 1, H, W], weights broadcastable.

    positive: factor of the loss of defective pixels.
    """
    factor = None if positive == 1 else torch.tensor(positive, dtype=logits.dtype, device=logits.device)
    loss = functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=factor, reduction="none")
    return _mean(loss, weights)


def focal(logits: Tensor, targets: Tensor, weights: Tensor, *, gamma: float) -> Tensor:
    """Cross-entropy times (1 − probability of the truth)^gamma, averaged with `weights`."""
    loss = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return _mean((-torch.expm1(-loss)).clamp_min(0).pow(gamma) * loss, weights)


def dice(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """1 − (2 Σpt + 1) / (Σp + Σt + 1) over all pixels of the batch, p = sigmoid(logits)."""
    probabilities = torch.sigmoid(logits) * weights
    truth = targets * weights
    overlap = (probabilities * targets).sum()
    return 1 - (2 * overlap + SMOOTHING) / (probabilities.sum() + truth.sum() + SMOOTHING)


def tversky(logits: Tensor, targets: Tensor, weights: Tensor, *, alpha: float, beta: float) -> Tensor:
    """1 − (Σpt + 1) / (Σpt + alpha Σp(1 − t) + beta Σ(1 − p)t + 1) over all pixels of the batch.

    alpha weighs false alarms, beta missed pixels.
    """
    probabilities = torch.sigmoid(logits) * weights
    truth = targets * weights
    overlap = (probabilities * targets).sum()
    false, missed = probabilities.sum() - overlap, truth.sum() - overlap
    return 1 - (overlap + SMOOTHING) / (overlap + alpha * false + beta * missed + SMOOTHING)


class DetectorLoss(nn.Module):
    """The weighted sum of the configured losses.

    forward(logits [N, K], heat [N, 1, h, w], labels [N], masks [N, H, W], masked [N]) gives a scalar; the heat map is
    enlarged to the masks, so that training sees what evaluation measures. Sums are made in 32 bits at least.
    class_weights: [K], None weighs all alike.
    """

    def __init__(self, settings: TrainSettings, *, class_weights: Tensor | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.class_weights: Tensor | None
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, logits: Tensor, heat: Tensor, *, labels: Tensor, masks: Tensor, masked: Tensor) -> Tensor:
        settings = self.settings
        of_classes = class_loss(logits.float(), labels, weights=self.class_weights, smoothing=settings.label_smoothing)
        total = settings.loss_classes * of_classes
        if not (settings.loss_cross_entropy or settings.loss_focal or settings.loss_dice or settings.loss_tversky):
            return total
        enlarged = enlarge(heat.float(), (masks.shape[-2], masks.shape[-1]))
        targets = masks[:, None].to(enlarged.dtype)
        weights = masked.to(enlarged.dtype)[:, None, None, None]
        if settings.loss_cross_entropy:
            entropy = pixel_cross_entropy(enlarged, targets, weights, positive=settings.pixel_weight)
            total = total + settings.loss_cross_entropy * entropy
        if settings.loss_focal:
            total = total + settings.loss_focal * focal(enlarged, targets, weights, gamma=settings.focal_gamma)
        if settings.loss_dice:
            total = total + settings.loss_dice * dice(enlarged, targets, weights)
        if settings.loss_tversky:
            alpha, beta = settings.tversky_alpha, settings.tversky_beta
            total = total + settings.loss_tversky * tversky(enlarged, targets, weights, alpha=alpha, beta=beta)
        return total


def enlarge(heat: Tensor, size: tuple[int, int]) -> Tensor:
    """Heat logits [N, 1, h, w] at the image's own size, bilinearly."""
    return functional.interpolate(heat, size=size, mode="bilinear", align_corners=False)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    count = weights.expand_as(values).sum()
    return (values * weights).sum() / count.clamp_min(1)
