"""Does the detector say the same of a part photographed again? Variance components as in a gauge R&R study.

One-way random effects per class, parts against repeated exposures of them (AIAG, Measurement Systems Analysis, 4th
ed. 2010, chapter III; intervals after Shrout and Fleiss 1979). With one camera and no operator, repeatability is all
of the measurement error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_REPEATS = 10
ALL_CLASSES = "all parts"
# 1.41 = √2, as the manual rounds it.
CATEGORIES = 1.41


@dataclass(frozen=True)
class Gauge:
    """Variance components of the score of one class's parts, in log odds.

    part_sd, repeat_sd: deviations between parts and between exposures of one part. grr: the second as a share of the
    total deviation (% GRR / 100), with its 95 % interval: under 0.1 a gauge is called good, over 0.3 unfit.
    categories: how many groups of parts it can tell apart, ⌊1.41 · part / repeat⌋; 5 are wanted. None where exposures
    of a part never differ.
    """

    name: str
    parts: int
    images: int
    part_sd: float
    repeat_sd: float
    grr: float
    grr_low: float
    grr_high: float
    categories: int | None


def repeatability(
    scores: NDArray[np.floating], labels: NDArray[np.int64], groups: Sequence[Any] | NDArray[Any]
) -> float | None:
    """Share of the variance of normal scores that belongs to the part, in [0, 1]: ICC(1), one-way ANOVA within class.

    scores, labels: [N] per image, groups: the part each image shows. None unless at least ten images are further
    exposures of a part that was seen before. Source: Shrout and Fleiss (1979), with Donner's mean group size.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    tables = []
    for label in np.unique(labels):
        chosen = labels == label
        normal = ndtri((rankdata(scores[chosen]) - 0.5) / chosen.sum())
        tables.append(_squares(normal, np.asarray(groups)[chosen]))
    between, within, between_df, within_df, size = np.sum(tables, axis=0)
    if within_df < LEAST_REPEATS or between_df < 1:
        return None
    mean_between, mean_within, size = between / between_df, within / within_df, size / between_df
    if mean_between <= mean_within:
        return 0.0
    return float((mean_between - mean_within) / (mean_between + (size - 1) * mean_within))


def gauge(
    scores: NDArray[np.floating], labels: NDArray[np.int64], groups: Sequence[str], *, classes: Sequence[str]
) -> list[Gauge]:
    """One study per class, then one over all parts; a class with fewer than two further exposures is left out.

    The last one asks whether good and defective parts can be told apart in spite of repeatability, the others whether
    parts of one class can.
    """
    named = [(name, labels == label) for label, name in enumerate(classes)]
    named.append((ALL_CLASSES, np.ones(len(labels), bool)))
    studies = (
        _study(name, np.asarray(scores, np.float64)[chosen], np.asarray(groups)[chosen]) for name, chosen in named
    )
    return [study for study in studies if study is not None]


def _study(name: str, scores: NDArray[np.float64], groups: NDArray[np.str_]) -> Gauge | None:
    from scipy.stats import f

    between, within, between_df, within_df, size = _squares(scores, groups)
    if between_df < 1 or within_df < 2:
        return None
    size, repeat = size / between_df, within / within_df
    # The ICC's interval follows from that of the ratio of mean squares; its size is Donner's where parts differ in it.
    ratio = between / between_df / repeat if repeat > 0 else np.inf
    ends = ratio / f.ppf([0.975, 0.025], between_df, within_df)
    low, middle, high = (_within_share(value, size) for value in (ends[1], ratio, ends[0]))
    part = max(between / between_df - repeat, 0.0) / size
    return Gauge(
        name=name,
        parts=int(between_df) + 1,
        images=len(scores),
        part_sd=float(np.sqrt(part)),
        repeat_sd=float(np.sqrt(repeat)),
        grr=middle,
        grr_low=low,
        grr_high=high,
        categories=int(CATEGORIES * np.sqrt(part / repeat)) if repeat > 0 else None,
    )


def _within_share(ratio: float, size: float) -> float:
    """Deviation between exposures as a share of the total, from the ratio of mean squares."""
    return float(np.sqrt(1 - max((ratio - 1) / (ratio + size - 1), 0.0))) if np.isfinite(ratio) else 0.0


def _squares(values: NDArray[np.float64], groups: NDArray[Any]) -> NDArray[np.float64]:
    """Sums of squares between and within parts, their degrees of freedom, and (parts − 1) × Donner's group size."""
    _, part = np.unique(groups, return_inverse=True)
    counts = np.bincount(part)
    means = np.bincount(part, values) / counts
    between = counts @ (means - values.mean()) ** 2 if len(values) else 0.0
    within = np.sum((values - means[part]) ** 2)
    size = len(values) - counts @ counts / max(len(values), 1)
    return np.array([between, within, len(counts) - 1, len(values) - len(counts), size], dtype=np.float64)
