"""Log odds set right on units that the model never saw (Platt, 1999): p = σ(intercept + slope · log odds)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEPS = 50
# Of a prior around intercept 0 and slope 1, in failures: few failures move little.
PRIOR = 2.0
# A forest says 0 of what none of its few neighbours did: less than 1 in 20 000 is no evidence. Near 1 single precision
# ends first: the odds of more than 999 in 1 000 would differ between a model and its graph.
LEAST, MOST = -10.0, 7.0


def cut(odds: Floats) -> Floats:
    """Log odds as far as they are evidence."""
    return np.clip(odds, LEAST, MOST)


def logit(p: Floats) -> Floats:
    """Log odds, cut where a probability is nearly 0 or 1."""
    with np.errstate(divide="ignore"):
        odds: Floats = np.log(p) - np.log1p(-p)
    return cut(odds)


def sigmoid(x: Floats) -> Floats:
    """Probability of log odds."""
    p: Floats = 1 / (1 + np.exp(-np.clip(x, LEAST, -LEAST)))
    return p


class Calibration(NamedTuple):
    """Calibrated log odds are intercept + slope · log odds; a slope below 0 is no calibration and becomes 0."""

    intercept: float = 0.0
    slope: float = 1.0

    def __call__(self, odds: Floats) -> Floats:
        return self.intercept + self.slope * odds


def fit_calibration(odds: Floats, happened: NDArray[np.bool_], weight: Floats) -> Calibration:
    """Weighted maximum likelihood with a weak prior, by Newton's method from log odds [M] and what happened [M]."""
    inputs = np.column_stack([np.ones(len(odds)), cut(odds)])
    target, prior = happened.astype(np.float64), np.array([0.0, 1.0])
    beta = prior.copy()
    strength = PRIOR * np.diag([0.01, 1.0])
    for _ in range(STEPS):
        p = sigmoid(inputs @ beta)
        gradient = inputs.T @ (weight * (target - p)) - strength @ (beta - prior)
        curvature = (inputs * (weight * p * (1 - p))[:, None]).T @ inputs + strength
        step = np.linalg.solve(curvature, gradient)
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            break
    return Calibration(float(beta[0]), max(float(beta[1]), 0.0))
