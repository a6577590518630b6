"""How often each class scores under each threshold, with draws of the whole curve.

Rates are Bayesian: per class the distribution function of the calibrated score has the posterior of a Bayesian
bootstrap over independent parts (Rubin 1981) under a Dirichlet process prior that puts half its mass below and half
above every threshold. At each single threshold that is Jeffreys' Beta(k + ½, n − k + ½), and one draw gives the whole
curve. So no escape among twenty parts is not a promise of none.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError

Floats = NDArray[np.float64]
# Beyond odds of e^±12 (about 160 000 to 1) thresholds no longer differ in practice.
LARGEST_ODDS = 12.0
# Of so many parts a table with a column per threshold, and all draws at once, would fill the memory.
MANY_PARTS = 20_000


class Rates(NamedTuple):
    """below [1 + draws, C, T]: probability of scoring under a threshold, first the estimate; counts [C] of parts."""

    below: Floats
    counts: NDArray[np.int64]


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


def error_rates(
    probabilities: Floats,
    labels: NDArray[np.int64],
    *,
    groups: Sequence[Any] | NDArray[Any],
    classes: int,
    thresholds: Floats,
    draws: int,
    pseudo_count: float,
    seed: int,
) -> Rates:
    """The rates of each class at the thresholds [T].

    probabilities, labels: [N] per score, groups: the part each belongs to. A part with several scores counts once.
    The same seed gives two models measured on the same parts the same draws, so that they can be compared.
    """
    below = np.empty((draws + 1, classes, len(thresholds)))
    counts = np.zeros(classes, dtype=np.int64)
    for label, stream in enumerate(np.random.SeedSequence(seed).spawn(classes)):
        chosen = labels == label
        names, part = np.unique(np.asarray(groups)[chosen], return_inverse=True)
        counts[label] = len(names)
        prior = np.concatenate([[pseudo_count / 2] * 2, np.ones(len(names))])
        drawn = _drawn_one_by_one if len(names) > MANY_PARTS else _drawn_at_once
        below[:, label] = drawn(probabilities[chosen], part, thresholds, prior, draws, np.random.default_rng(stream))
    return Rates(np.clip(np.maximum.accumulate(below, axis=-1), 0, 1), counts)


def _drawn_at_once(
    probabilities: Floats,
    part: NDArray[np.intp],
    thresholds: Floats,
    prior: Floats,
    draws: int,
    rng: np.random.Generator,
) -> Floats:
    """[1 + draws, T] rates of one class; prior: two atoms, then one weight per part."""
    shares = _shares_below(probabilities, part, len(prior) - 2, thresholds)
    weights = np.vstack([prior / prior.sum(), rng.dirichlet(prior, size=draws)])
    rates: Floats = weights[:, :1] + weights[:, 2:] @ shares
    return rates


def _drawn_one_by_one(
    probabilities: Floats,
    part: NDArray[np.intp],
    thresholds: Floats,
    prior: Floats,
    draws: int,
    rng: np.random.Generator,
) -> Floats:
    """The same but for rounding, in the memory of one draw: a part's weight is shared out among its scores."""
    place = np.searchsorted(thresholds, probabilities, side="right")
    scores_of_part = np.bincount(part)
    rates = np.empty((draws + 1, len(thresholds)))
    for draw in range(draws + 1):
        weights = rng.dirichlet(prior) if draw else prior / prior.sum()
        each = (weights[2:] / scores_of_part)[part]
        rates[draw] = weights[0] + np.bincount(place, each, minlength=len(thresholds) + 1)[:-1].cumsum()
    return rates


def _shares_below(probabilities: Floats, part: NDArray[np.intp], parts: int, thresholds: Floats) -> Floats:
    """[parts, T]: of each part's scores, the share under the threshold."""
    under = (probabilities[:, None] < thresholds).astype(np.float64)
    totals = np.zeros((parts, len(thresholds)))
    np.add.at(totals, part, under)
    shares: Floats = totals / np.bincount(part, minlength=parts)[:, None]
    return shares
