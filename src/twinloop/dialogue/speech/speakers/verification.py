"""How well scores tell trials of one speaker from trials of two: the equal error rate.

Trials are of speakers whom the encoder never learnt from; with its own, the figure says nothing of strangers.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.numbers import Interval

Floats = NDArray[np.float64]


class Verification(NamedTuple):
    """rate: where as many strangers are taken for the speaker as the reverse; threshold: of the score there."""

    rate: float
    threshold: float


class Trials(NamedTuple):
    """[N] scores, and whether both recordings were of one speaker."""

    scores: Floats
    same: NDArray[np.bool_]


def all_pairs(vectors: NDArray[np.float32], speakers: Sequence[str]) -> Trials:
    """Every pair of different recordings. vectors: [recordings, dimensions] of unit length."""
    pairs = list(combinations(range(len(speakers)), 2))
    scores = np.array([float(vectors[a] @ vectors[b]) for a, b in pairs])
    return Trials(scores, np.array([speakers[a] == speakers[b] for a, b in pairs], bool))


def equal_error_rate(trials: Trials, weights: Floats | None = None) -> Verification:
    """Where false acceptances and false rejections cross, between the two thresholds next to it in a straight line.

    weights: [N] how often each trial counts; once without. Raises InputError unless there are trials of one speaker
    and of two.
    """
    own, others = int(trials.same.sum()), int((~trials.same).sum())
    if not own or not others:
        raise InputError(f"speakers: expected trials of one speaker and of two, got {own} and {others}: add recordings")
    counted = np.ones(len(trials.scores)) if weights is None else weights
    scores, place = np.unique(trials.scores, return_inverse=True)
    thresholds = np.append(scores, np.nextafter(scores[-1], np.inf))
    rejected, below = (
        np.append(0.0, np.cumsum(np.bincount(place, counted * side, len(scores))) / (counted @ side))
        for side in (trials.same, ~trials.same)
    )
    accepted = 1 - below
    after = int(np.argmax(rejected >= accepted))
    if after == 0 or rejected[after] == accepted[after]:
        return Verification(float(rejected[after]), float(thresholds[after]))
    gap_before, gap_after = accepted[after - 1] - rejected[after - 1], rejected[after] - accepted[after]
    share = gap_before / (gap_before + gap_after)
    rate = rejected[after - 1] + share * (rejected[after] - rejected[after - 1])
    return Verification(float(rate), float(thresholds[after]))


def verification(
    vectors: NDArray[np.float32], speakers: Sequence[str], *, draws: int, confidence: float, seed: int
) -> Interval:
    """The equal error rate over all pairs of recordings, with percentiles of what it is for speakers drawn anew.

    A speaker who is drawn twice is not compared with themselves as if they were two. Raises InputError as
    `equal_error_rate`.
    """
    trials = all_pairs(vectors, speakers)
    rate = equal_error_rate(trials).rate
    names, place = np.unique(np.asarray(speakers, str), return_inverse=True)
    first, second = (place[list(side)] for side in zip(*combinations(range(len(speakers)), 2), strict=True))
    rng, rates = np.random.default_rng(seed), []
    for _ in range(draws):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names)).astype(np.float64)
        weights = times[first] * np.where(trials.same, 1.0, times[second])
        if weights @ trials.same and weights @ ~trials.same:
            rates.append(equal_error_rate(trials, weights).rate)
    low, high = np.quantile(rates, [(1 - confidence) / 2, (1 + confidence) / 2]) if rates else (rate, rate)
    return Interval(rate, float(low), float(high))
