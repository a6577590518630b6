"""What the errors of an operating point cost, and the thresholds that cost least."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts.curve_settings import PartCosts
from twinloop.contracts.operating_curve import OperatingCurve

Floats = NDArray[np.float64]
# Normal quantiles beyond which a probability is 0 or 1 in floating point.
LARGEST_QUANTILE = 38.0
# Costs that differ by a smaller share are the same: the last digits of floating point choose no threshold.
TIE = 1e-6


@dataclass(frozen=True)
class Outcome:
    """What becomes of parts after at most two looks: probabilities per class [C], and the cost per part on the line.

    accepted[1:] are the escapes, 1 − accepted[0] the false rejects; reinspected is the share looked at twice.
    """

    accepted: Floats
    reinspected: Floats
    cost_per_part: float


def outcome(curve: OperatingCurve, costs: PartCosts, *, draw: int = 0) -> Outcome:
    """What the curve's operating point leads to: a part in the band is looked at again, and rejected if still in it."""
    low, high = curve.accepted(draw=draw), curve.below_at(curve.reject_from, draw=draw)
    accepted, band = accepted_after_looks(low, high, curve.repeatability), high - low
    return Outcome(
        accepted=accepted,
        reinspected=band,
        cost_per_part=float(curve.prevalence @ _costs(accepted, band, costs)),
    )


def accepted_after_looks(low: Floats, high: Floats, repeatability: float) -> Floats:
    """Probability that a part is accepted after at most two looks, elementwise.

    low, high: that one look scores it under accept_below, under reject_from. It is accepted by the first look, or kept
    in the band by the first and accepted by the second; both see the same latent difficulty (see OperatingCurve).
    """
    result: Floats = low + both_below(low, high, repeatability) - both_below(low, low, repeatability)
    return result


def both_below(first: Floats, second: Floats, correlation: float) -> Floats:
    """P(X ≤ x and Y ≤ y) of a Gaussian copula from the marginal probabilities P(X ≤ x) and P(Y ≤ y), elementwise.

    The bivariate normal distribution function by Owen's T (Owen 1956, equation 2.1).
    """
    from scipy.special import ndtr, ndtri, owens_t

    if correlation > 0.999:
        return np.minimum(first, second)
    x, y = (np.clip(ndtri(values), -LARGEST_QUANTILE, LARGEST_QUANTILE) for values in (first, second))
    # The formula divides by both; a hair beside zero is its limit there.
    x, y = (np.where(np.abs(values) < 1e-12, 1e-12, values) for values in (x, y))
    root = np.sqrt(1 - correlation**2)
    result: Floats = (
        (ndtr(x) + ndtr(y)) / 2
        - owens_t(x, (y - correlation * x) / (x * root))
        - owens_t(y, (x - correlation * y) / (y * root))
        - np.where(x * y < 0, 0.5, 0.0)
    )
    return np.clip(result, 0, None)


def expected_costs(curve: OperatingCurve, costs: PartCosts, *, reinspection: bool = True) -> Floats:
    """[T, T] expected cost per part of every pair (accept_below, reject_from) of the grid; infinite where not allowed.

    A part in the band is looked at a second time, with the same latent difficulty, and rejected if still in it.
    """
    single = curve.below[0]
    accepted = accepted_after_looks(single[:, :, None], single[:, None, :], curve.repeatability)
    band = single[:, None, :] - single[:, :, None]
    table = np.einsum("c,car->ar", curve.prevalence, _costs(accepted, band, costs))
    allowed = np.triu(np.ones_like(table, dtype=bool)) if reinspection else np.eye(len(table), dtype=bool)
    result: Floats = np.where(allowed, table, np.inf)
    return result


def least_cost_thresholds(curve: OperatingCurve, costs: PartCosts, *, reinspection: bool = True) -> tuple[float, float]:
    """(accept_below, reject_from) of least expected cost per part, over all pairs of the grid."""
    return cheapest(curve, expected_costs(curve, costs, reinspection=reinspection))


def cheapest(curve: OperatingCurve, table: Floats) -> tuple[float, float]:
    """The pair of thresholds at the least finite value of `table` [T, T].

    Where several points cost the same, the middle of them is taken, furthest from the data on both sides.
    """
    best = table <= table.min() * (1 + TIE)
    if best.diagonal().any():  # no band is needed
        places = np.flatnonzero(best.diagonal())
        accept = reject = int(places[(len(places) - 1) // 2])
    else:
        rows = np.flatnonzero(best.any(axis=1))
        accept = int(rows[(len(rows) - 1) // 2])
        columns = np.flatnonzero(best[accept])
        reject = int(columns[(len(columns) - 1) // 2])
    return float(curve.thresholds[accept]), float(curve.thresholds[reject])


def _costs(accepted: Floats, reinspected: Floats, costs: PartCosts) -> Floats:
    wrong = np.concatenate([costs.false_reject * (1 - accepted[:1]), costs.escape * accepted[1:]])
    result: Floats = wrong + costs.reinspect * reinspected
    return result
