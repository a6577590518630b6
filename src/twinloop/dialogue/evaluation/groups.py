"""Means and paired differences whose intervals come from drawing whole groups: two questions on one document are not
independent, nor are two sentences of one speaker.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinloop.errors import InputError
from twinloop.numbers import Interval

Floats = NDArray[np.float64]
# Rows of drawn groups that are summed at once.
AT_ONCE = 256


def grouped_mean(
    values: ArrayLike,
    groups: Sequence[str],
    *,
    weights: ArrayLike | None = None,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int,
) -> Interval:
    """The mean of `values` [N], weighted by `weights` [N], with percentiles of means over groups drawn anew.

    Groups are drawn with replacement (Efron and Tibshirani, 1993). Of a word error rate, values are errors per word and
    weights are words.

    Of one group alone nothing is known of the spread: the limits are then the whole range of its values.
    Raises InputError for no values, for other numbers of groups or weights, and for weights that sum up to nothing.
    """
    numbers = np.asarray(values, dtype=np.float64)
    weight = np.ones_like(numbers) if weights is None else np.asarray(weights, dtype=np.float64)
    if not numbers.size or len(groups) != numbers.size or weight.shape != numbers.shape:
        raise InputError(
            f"evaluation: expected as many groups and weights as values, at least one; found {numbers.size} values, "
            f"{len(groups)} groups, {weight.size} weights"
        )
    if not weight.sum() > 0:
        raise InputError("evaluation: expected weights above 0, all are 0: judge other questions")
    mean = float(np.average(numbers, weights=weight))
    names, place = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if len(names) == 1:
        return Interval(mean, float(numbers.min()), float(numbers.max()))
    sums, weights_of = (np.bincount(place, weights=part).astype(np.float64) for part in (numbers * weight, weight))
    drawn = _drawn_means(sums, weights_of, draws=draws, seed=seed)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(mean, float(low), float(high))


def grouped_difference(
    values: ArrayLike,
    baseline: ArrayLike,
    groups: Sequence[str],
    *,
    weights: ArrayLike | None = None,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int,
) -> Interval:
    """The mean of values less baseline, paired by place. Raises InputError as `grouped_mean`."""
    first, second = (np.asarray(side, dtype=np.float64) for side in (values, baseline))
    if first.shape != second.shape:
        raise InputError(f"evaluation: expected pairs, found {first.size} values beside {second.size}")
    return grouped_mean(first - second, groups, weights=weights, draws=draws, confidence=confidence, seed=seed)


def _drawn_means(sums: Floats, weights: Floats, *, draws: int, seed: int) -> Floats:
    """[draws] weighted means of groups drawn with replacement; a draw without any weight is drawn from the others."""
    rng, parts = np.random.default_rng(seed), []
    for start in range(0, draws, AT_ONCE):
        taken = rng.integers(0, len(sums), (min(AT_ONCE, draws - start), len(sums)))
        total, weight = sums[taken].sum(axis=1), weights[taken].sum(axis=1)
        parts.append(total[weight > 0] / weight[weight > 0])
    return np.concatenate(parts)
