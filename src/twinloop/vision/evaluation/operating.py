"""The operating point of a detector: its errors at every threshold, what they cost, and the thresholds that cost least.

Rates are Bayesian: per class the distribution function of the calibrated score has the posterior of a Bayesian
bootstrap over independent parts (Rubin 1981) under a Dirichlet process prior that puts half its mass below and half
above every threshold. At each single threshold that is Jeffreys' Beta(k + ½, n − k + ½), and one draw gives the whole
curve. So no escape among twenty parts is not a promise of none.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import settings
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError

Floats = NDArray[np.float64]
Cost = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
# Beyond odds of e^±12 (about 160 000 to 1) thresholds no longer differ in practice.
LARGEST_ODDS = 12.0
LEAST_REPEATS = 10


@settings
class PartCosts:
    """What each outcome of an inspection costs beyond a right decision, in euro per part."""

    escape: Cost = 120.0
    false_reject: Cost = 17.0
    reinspect: Cost = 0.2


@settings
class EvaluateSettings:
    """How a detector is measured and at which thresholds it is run.

    line_defect_rate: share of defective parts on the line (not in the test set).
    defect_mix: shares of the defect classes among defective parts on the line, by class name; empty takes the mix
        of the measured split.
    today_threshold: the calibrated defect probability from which the line rejects today; the baseline.
    pseudo_count: strength of the prior on every rate, in parts; 1 gives the Jeffreys posterior at each threshold.
    repeatability: used where too few parts were photographed more than once to measure it.
    heat_threshold: defect probability from which a pixel counts as defective.
    examples: images per class kept for figures.
    threads: of ONNX Runtime; fixed, so that results repeat.
    """

    line_defect_rate: Annotated[float, Field(gt=0, lt=1)] = 0.03
    defect_mix: dict[str, Annotated[float, Field(gt=0)]] = dataclasses.field(default_factory=dict)
    costs: PartCosts = PartCosts()
    today_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    reinspection: bool = True
    calibration: Literal["platt", "temperature", "isotonic"] = "platt"
    draws: Annotated[int, Field(ge=1, le=2000)] = 200
    thresholds: Annotated[int, Field(ge=20, le=1000)] = 160
    pseudo_count: Annotated[float, Field(gt=0)] = 1.0
    repeatability: Share = 0.8
    heat_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    examples: Annotated[int, Field(ge=1)] = 4
    threads: Annotated[int, Field(ge=1)] = 1


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


def repeatability(scores: NDArray[np.floating], labels: NDArray[np.int64], groups: Sequence[str]) -> float | None:
    """Share of the variance of normal scores that belongs to the part, in [0, 1]: ICC(1), one-way ANOVA within class.

    scores, labels: [N] per image, groups: the part each image shows. None unless at least ten images are further
    exposures of a part that was seen before. Source: Shrout and Fleiss (1979), with Donner's mean group size.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    between = within = size = 0.0
    between_df = within_df = 0
    for label in np.unique(labels):
        chosen = labels == label
        normal = ndtri((rankdata(scores[chosen]) - 0.5) / chosen.sum())
        _, part = np.unique(np.asarray(groups)[chosen], return_inverse=True)
        counts = np.bincount(part)
        means = np.bincount(part, normal) / counts
        between += float(counts @ (means - normal.mean()) ** 2)
        within += float(np.sum((normal - means[part]) ** 2))
        between_df += len(counts) - 1
        within_df += len(normal) - len(counts)
        size += len(normal) - float(counts @ counts) / len(normal)
    if within_df < LEAST_REPEATS or between_df < 1:
        return None
    mean_between, mean_within, size = between / between_df, within / within_df, size / between_df
    if mean_between <= mean_within:
        return 0.0
    return (mean_between - mean_within) / (mean_between + (size - 1) * mean_within)


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
    both = _both_below(np.stack([low, high], axis=1), curve.repeatability)
    accepted, band = low + both[:, 1, 0] - both[:, 0, 0], high - low
    return Outcome(
        accepted=accepted,
        reinspected=band,
        cost_per_part=float(curve.prevalence @ _costs(accepted, band, costs)),
    )


def least_cost_thresholds(curve: OperatingCurve, costs: PartCosts, *, reinspection: bool = True) -> tuple[float, float]:
    """(accept_below, reject_from) of least expected cost per part, over all pairs of the grid.

    A part in the band is looked at a second time, with the same latent difficulty (see OperatingCurve), and rejected if
    still in it. Where several points cost the same, the middle of them is taken, furthest from the data on both sides.
    """
    estimate = curve.below[0]
    both = _both_below(estimate, curve.repeatability)
    single = estimate[:, :, None]
    # axes: class, accept_below, reject_from; both[:, a, r] is symmetric in the two looks
    accepted = single + both - np.diagonal(both, axis1=1, axis2=2)[:, :, None]
    band = estimate[:, None, :] - single
    cost = np.einsum("c,car->ar", curve.prevalence, _costs(accepted, band, costs))
    allowed = np.triu(np.ones_like(cost, dtype=bool)) if reinspection else np.eye(len(cost), dtype=bool)
    cost = np.where(allowed, cost, np.inf)
    best = cost <= cost.min() * (1 + 1e-9)
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


def _both_below(probabilities: Floats, correlation: float) -> Floats:
    """[C, T, T]: P(first look under t_i and second under t_j) for marginals [C, T] under a Gaussian copula.

    Given the part's latent difficulty u the looks are independent, so the bivariate normal distribution function is a
    matrix product over u; the trapezoidal rule converges geometrically for such integrands.
    """
    from scipy.special import ndtr, ndtri

    if correlation > 0.999:
        return np.minimum(probabilities[:, :, None], probabilities[:, None, :])
    nodes = np.linspace(-8.5, 8.5, 1025)
    density = np.exp(-(nodes**2) / 2)
    density /= density.sum()
    given = ndtr((ndtri(probabilities)[:, :, None] - np.sqrt(correlation) * nodes) / np.sqrt(1 - correlation))
    joint: Floats = (given * density) @ given.transpose(0, 2, 1)
    return joint
