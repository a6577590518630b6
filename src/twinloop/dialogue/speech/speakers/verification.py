"""How well scores tell trials of one speaker from trials of two: the equal error rate.

Trials are of speakers whom the encoder never learnt from; with its own, the figure says nothing of strangers.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError

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


def equal_error_rate(trials: Trials) -> Verification:
    """Where false acceptances and false rejections cross, between the two thresholds next to it in a straight line.

    Raises InputError unless there are trials of one speaker and of two.
    """
    own, others = np.sort(trials.scores[trials.same]), np.sort(trials.scores[~trials.same])
    if not len(own) or not len(others):
        raise InputError(
            f"speakers: expected trials of one speaker and of two, got {len(own)} and {len(others)}: add recordings"
        )
    thresholds = np.unique(trials.scores)
    thresholds = np.append(thresholds, np.nextafter(thresholds[-1], np.inf))
    rejected = np.searchsorted(own, thresholds) / len(own)
    accepted = 1 - np.searchsorted(others, thresholds) / len(others)
    after = int(np.argmax(rejected >= accepted))
    if after == 0 or rejected[after] == accepted[after]:
        return Verification(float(rejected[after]), float(thresholds[after]))
    gap_before, gap_after = accepted[after - 1] - rejected[after - 1], rejected[after] - accepted[after]
    share = gap_before / (gap_before + gap_after)
    rate = rejected[after - 1] + share * (rejected[after] - rejected[after - 1])
    return Verification(float(rate), float(thresholds[after]))
