"""The Weibull distribution of lives, some of them cut: what age alone can tell, the baseline of every predictor."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from twinloop.errors import InputError

Floats = NDArray[np.float64]
# A shape beyond these is a sign of too little data, not of wear.
SHAPES = (0.05, 50.0)


class Weibull(NamedTuple):
    """Survival exp(−(t / scale)^shape), t in hours; shape above 1 is wear, 1 chance, below 1 early failures."""

    shape: float
    scale: float

    def survival(self, hours: Floats) -> Floats:
        """Share of lives that are longer than `hours`."""
        share: Floats = np.exp(-((np.maximum(hours, 0.0) / self.scale) ** self.shape))
        return share

    def hazard(self, age_h: Floats, *, days: int, period_h: float) -> Floats:
        """[N, D] probability to fail within each of the next days, given life until its begin, at ages [N]."""
        at = np.maximum(age_h, 0.0)[:, None] + np.arange(days + 1) * period_h
        exponent = (at / self.scale) ** self.shape
        risk: Floats = -np.expm1(-np.diff(exponent, axis=1))
        return risk

    def log_likelihood(self, hours: Floats, failed: NDArray[np.bool_]) -> float:
        """Σ ln f over failed lives + Σ ln S over cut ones."""
        scaled = hours / self.scale
        density = np.log(self.shape / self.scale) + (self.shape - 1) * np.log(scaled)
        return float(density[failed].sum() - (scaled**self.shape).sum())


def fit_weibull(hours: Floats, failed: NDArray[np.bool_]) -> Weibull:
    """Maximum likelihood of lives of `hours`, `failed` or cut (Cohen, 1965).

    Raises InputError for lives that are not above 0 h and without a single failure.
    """
    if not (np.isfinite(hours).all() and (hours > 0).all()):
        raise InputError("weibull: expected lives of more than 0 h: leave out the others")
    if not failed.any():
        raise InputError(f"weibull: none of {len(hours)} lives ended in a failure: watch the assets for longer")
    unit = hours.max()
    scaled, mean_log = hours / unit, float(np.log(hours[failed] / unit).mean())

    def slope(shape: float) -> float:
        power = scaled**shape
        return float((power * np.log(scaled)).sum() / power.sum()) - 1 / shape - mean_log

    low, high = SHAPES
    shape = high if slope(high) < 0 else low if slope(low) > 0 else float(brentq(slope, low, high))
    scale = float(unit * ((scaled**shape).sum() / failed.sum()) ** (1 / shape))
    return Weibull(shape, scale)
