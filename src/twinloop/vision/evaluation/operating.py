"""The operating point of a detector: its errors at every threshold, what they cost, and the thresholds that cost least.

Rates are Bayesian: per class the distribution function of the calibrated score has the posterior of a Bayesian
bootstrap over independent parts (Rubin 1981) under a Dirichlet process prior that puts half its mass below and half
above every threshold. At each single threshold that is Jeffreys' Beta(k + ½, n − k + ½), and one draw gives the whole
curve. So no escape among twenty parts is not a promise of none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.vision.evaluation.settings import EvaluateSettings, PartCosts

Floats = NDArray[np.float64]
# Beyond odds of e^±12 (about 160 000 to 1) thresholds no longer differ in practice.
LARGEST_ODDS = 12.0
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


def threshold_grid(count: int, *, include: float = 0.5) -> Floats:
    """About `count` probabilities, even in log odds, with `include` among them."""
    from scipy.special import expit

    return np.unique(np.append(expit(np.linspace(-LARGEST_ODDS, LARGEST_ODDS, count - 1)), include))


def line_mix(
    classes: Sequence[str], counts: NDArray[np.int64], *, defect_rate: float, mix: Mapping[str, float]
) -> Floats:
    """[C] shares of the classes on the line. Raises InputError when `mix` names other classes than the data has."""
    defects = tuple(classes[1:])
    if mix and set(mix) != set(defects):
        raise InputError(
            f"evaluate: defect_mix names {', '.join(sorted(mix))}; the data has the defect classes "
            f"{', '.join(defects)}: name each of these, or leave it empty"
        )
    weights = np.array([mix[name] for name in defects] if mix else counts[1:], dtype=np.float64)
    if weights.sum() == 0:
        raise InputError(
            "evaluate: expected at least one defective part in the split, found none: prepare another split"
        )
    return np.concatenate([[1 - defect_rate], defect_rate * weights / weights.sum()])


def operating_curve(
    probabilities: Floats,
    labels: NDArray[np.int64],
    *,
    groups: Sequence[str],
    classes: Sequence[str],
    settings: EvaluateSettings,
    part_repeatability: float,
    seed: int,
    model: str,
) -> OperatingCurve:
    """The curve of one detector on one split, at today's threshold; `OperatingCurve.at` moves it.

    probabilities, labels: [N] per image, groups: the part each image shows. A part with several exposures counts once.
    The same seed gives two detectors measured on the same parts the same draws, so that they can be compared.
    """
    thresholds = threshold_grid(settings.thresholds, include=settings.today_threshold)
    below = np.empty((settings.draws + 1, len(classes), len(thresholds)))
    counts = np.zeros(len(classes), dtype=np.int64)
    streams = np.random.SeedSequence(seed).spawn(len(classes))
    half = settings.pseudo_count / 2
    for label, stream in enumerate(streams):
        chosen = labels == label
        shares = _shares_below(probabilities[chosen], np.asarray(groups)[chosen], thresholds)
        counts[label] = len(shares)
        prior = np.concatenate([[half, half], np.ones(len(shares))])
        draws = np.random.default_rng(stream).dirichlet(prior, size=settings.draws)
        weights = np.vstack([prior / prior.sum(), draws])
        below[:, label] = weights[:, :1] + weights[:, 2:] @ shares
    return OperatingCurve(
        thresholds=thresholds,
        classes=tuple(classes),
        below=np.clip(np.maximum.accumulate(below, axis=-1), 0, 1),
        prevalence=line_mix(classes, counts, defect_rate=settings.line_defect_rate, mix=settings.defect_mix),
        counts=counts,
        repeatability=part_repeatability,
        accept_below=settings.today_threshold,
        reject_from=settings.today_threshold,
        model=model,
    )


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


def _shares_below(probabilities: Floats, groups: NDArray[np.str_], thresholds: Floats) -> Floats:
    """[parts, T]: of each part's exposures, the share that scores under the threshold."""
    names, part = np.unique(groups, return_inverse=True)
    under = (probabilities[:, None] < thresholds).astype(np.float64)
    totals = np.zeros((len(names), len(thresholds)))
    np.add.at(totals, part, under)
    shares: Floats = totals / np.bincount(part, minlength=len(names))[:, None]
    return shares
