"""From raw outputs of a detector to scores, probabilities and maps, in numpy.

The graph leaves raw scores; everything that depends on a line, a threshold or an image size is applied here.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, stdtrit

from twinloop.errors import InputError

Floats = NDArray[np.float64]
Raw = NDArray[np.floating]
Real = TypeVar("Real", np.float32, np.float64)


def anomaly_score(logits: Raw) -> Floats:
    """log odds [N] of "any defect" against "good" from class logits [N, K], K ≥ 2, good first.

    >>> anomaly_score(np.array([[0.0, 0.0, 0.0]])).round(4)
    array([0.6931])
    """
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise InputError(f"scores: expected logits of shape [N, K ≥ 2] with good first, got shape {logits.shape}")
    values = logits.astype(np.float64)
    score: Floats = np.logaddexp.reduce(values[:, 1:], axis=1) - values[:, 0]
    return score


def defect_shares(logits: Raw) -> Floats:
    """[N, K − 1]: which defect it is, given that it is one; rows sum to 1."""
    values = logits[:, 1:].astype(np.float64)
    shares: Floats = np.exp(values - np.logaddexp.reduce(values, axis=1, keepdims=True))
    return shares


def most_likely(logits: Sequence[float]) -> tuple[float, int, float]:
    """Of one image's class logits: `anomaly_score`, which defect is likeliest (from 0) and its share of all defects.

    Plain Python: for the few classes of one part, arrays cost more than they save.

    >>> most_likely([0.0, 1.0])
    (1.0, 0, 1.0)
    """
    good, *defects = logits
    top = max(defects)
    any_defect = top + math.log(sum([math.exp(value - top) for value in defects]))
    return any_defect - good, defects.index(top), math.exp(top - any_defect)


def probability(logits: NDArray[Real]) -> NDArray[Real]:
    """Logistic function, elementwise, in the precision given: heat logits become probabilities."""
    result: NDArray[Real] = expit(logits)
    return result


def score_limit(scores: Floats, *, false_alarms: float) -> float:
    """The score that a share `false_alarms` of pictures exceeds, from the scores [N ≥ 2] ≥ 0 of some held out.

    The larger of their own quantile and of the prediction limit of a normal distribution of log scores: a quantile
    beyond the largest of few scores is known from a distribution alone. Raises InputError for fewer than two.

    >>> round(score_limit(np.exp(np.linspace(-1, 1, 9)), false_alarms=0.01), 2)
    8.0
    """
    count = len(scores)
    if count < 2:
        raise InputError(f"unlike score: expected 2 images held out or more, got {count}: widen val_share")
    logs = np.log(np.maximum(scores, 1e-6))
    reach = float(stdtrit(count - 1, 1 - false_alarms)) * float(logs.std(ddof=1)) * math.sqrt(1 + 1 / count)
    return max(float(np.exp(logs.mean() + reach)), float(np.quantile(scores, 1 - false_alarms)))


def upscale(maps: Raw, size: tuple[int, int]) -> NDArray[np.float32]:
    """Bilinear interpolation of maps [..., h, w] to (height, width), pixel centres at halves, edges held."""
    rows, columns = (_weights(maps.shape[axis], target) for axis, target in zip((-2, -1), size, strict=True))
    return np.asarray(rows @ maps.astype(np.float32) @ columns.T, dtype=np.float32)


def _weights(source: int, target: int) -> NDArray[np.float32]:
    centres = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    low = np.floor(centres).astype(np.intp)
    high = np.minimum(low + 1, source - 1)
    weights = np.zeros((target, source), np.float32)
    np.add.at(weights, (np.arange(target), low), 1 - (centres - low))
    np.add.at(weights, (np.arange(target), high), centres - low)
    return weights
