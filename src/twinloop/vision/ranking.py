"""How well scores rank: area under the ROC curve, average precision, rank correlation, and the best thresholds.

scikit-learn and scipy do the counting. NaN stands for what one class alone cannot give.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

Scores = NDArray[np.floating]
Truth = NDArray[np.bool_]


def auroc(scores: Scores, positive: Truth, weights: Scores | None = None) -> float:
    """Area under the ROC curve, ties counting half, optionally with weights.

    >>> auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    return float(roc_auc_score(positive, scores, sample_weight=weights)) if _both(positive) else float("nan")


def average_precision(scores: Scores, positive: Truth, weights: Scores | None = None) -> float:
    """Precision averaged over all recalls, optionally with weights."""
    return float(average_precision_score(positive, scores, sample_weight=weights)) if _both(positive) else float("nan")


def best_f1(scores: Scores, positive: Truth) -> tuple[float, float]:
    """The highest F1 of calling scores ≥ a threshold positive, and that threshold; of equal ones the highest."""
    precision, recall, thresholds = precision_recall_curve(positive, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    # The last point is recall 0, which no threshold has.
    place = len(thresholds) - 1 - int(np.argmax(f1[-2::-1].round(12)))
    return float(f1[place]), float(thresholds[place])


def f1_score(scores: Scores, positive: Truth, *, threshold: float) -> float:
    """F1 of calling scores ≥ threshold positive; 0 where none is found."""
    called = scores >= threshold
    return float(2 * (called & positive).sum() / max(called.sum() + positive.sum(), 1))


def best_threshold(scores: Scores, positive: Truth) -> float:
    """The threshold with the largest sensitivity + specificity, midway between neighbouring scores."""
    values = np.unique(scores)
    if len(values) == 1:
        return float(values[0])
    middles = (values[1:] + values[:-1]) / 2
    sensitivity = np.array([np.mean(scores[positive] >= t) for t in middles]) if positive.any() else 0.0
    specificity = np.array([np.mean(scores[~positive] < t) for t in middles]) if not positive.all() else 0.0
    return float(middles[int(np.argmax(np.round(sensitivity + specificity, 12)))])


def rank_correlation(first: Scores, second: Scores) -> float:
    """Spearman's ρ; of scores that are all equal 0, or 1 where both are."""
    constant = np.ptp(first) == 0, np.ptp(second) == 0
    return float(all(constant)) if any(constant) else float(spearmanr(first, second).statistic)


def _both(positive: Truth) -> bool:
    return bool(0 < positive.sum() < len(positive))
