"""How well a detector tells defective from good, which defect, and where; peers do the counting.

Figures that the data cannot give (no defect, no pixel truth) are left out, never reported as zero.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional.classification import binary_auroc, multiclass_recall

from twinloop.vision.models.base import anomaly_score
from twinloop.vision.ranking import auroc, average_precision, best_f1

# A pixel counts as defective where the heat map's probability reaches this.
PIXEL_THRESHOLD = 0.5


def image_metrics(scores: Tensor, labels: Tensor) -> dict[str, float]:
    """auroc, ap and f1 (at its best threshold) of scores [N] for label > 0 [N].

    Empty if one side is missing, NaN if a score is.
    """
    defective = (labels > 0).numpy(force=True)
    if not 0 < defective.sum() < len(defective):
        return {}
    values = scores.double().numpy(force=True)
    if not np.isfinite(values).all():
        return dict.fromkeys(("auroc", "ap", "f1"), float("nan"))
    return {
        "auroc": auroc(values, defective),
        "ap": average_precision(values, defective),
        "f1": best_f1(values, defective)[0],
    }


def class_recall(logits: Tensor, labels: Tensor, classes: Sequence[str]) -> dict[str, float]:
    """Per class that occurs, the share [0…1] of its images whose largest logit is that class."""
    recall = multiclass_recall(logits, labels, num_classes=len(classes), average="none")
    present = set(labels.tolist())
    return {f"recall_{name}": float(recall[place]) for place, name in enumerate(classes) if place in present}


def intersection_over_union(intersection: int, union: int, truth: int) -> dict[str, float]:
    """iou from pixel counts; empty where no pixel is truly defective."""
    return {"iou": intersection / union} if truth else {}


def overlap(probabilities: Tensor, masks: Tensor) -> tuple[int, int, int]:
    """Pixels in the intersection and the union of mask and prediction, and in the mask; both of any equal shape."""
    predicted, truth = probabilities >= PIXEL_THRESHOLD, masks > 0
    return int((predicted & truth).sum()), int((predicted | truth).sum()), int(truth.sum())


def pixel_metrics(probabilities: Tensor, masks: Tensor, masked: Tensor) -> dict[str, float]:
    """pixel_auroc and iou of heat probabilities [N, H, W] against masks [N, H, W], where `masked` [N] is true."""
    known, truth = probabilities[masked], masks[masked]
    figures = intersection_over_union(*overlap(known, truth))
    if 0 < int((truth > 0).sum()) < truth.numel():
        figures["pixel_auroc"] = float(binary_auroc(known.flatten(), (truth > 0).long().flatten(), thresholds=None))
    return figures


def detector_metrics(
    logits: Tensor, probabilities: Tensor, *, labels: Tensor, masks: Tensor, masked: Tensor, classes: Sequence[str]
) -> dict[str, float]:
    """All of the above for one split; shapes as there, logits [N, K]. Without `classes`, none of a single class."""
    with torch.inference_mode():
        figures = image_metrics(anomaly_score(logits), labels) | pixel_metrics(probabilities, masks, masked)
        return figures | (class_recall(logits, labels, classes) if classes else {})
