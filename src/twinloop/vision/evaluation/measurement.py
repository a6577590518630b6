"""Figures of a detector on one split: how well it separates images and pixels, with intervals over parts.

Exposures of one part are not independent, so intervals come from drawing parts, within each class, with replacement.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import betaincinv

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Statistic = Callable[[Floats, NDArray[np.bool_], Floats], float]
TOUCHING = np.ones((3, 3))


def interval(
    statistic: Statistic, scores: Floats, labels: Labels, *, groups: Sequence[str], draws: int, seed: int
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a statistic over parts, drawn with replacement within each class."""
    random = np.random.default_rng(np.random.SeedSequence(seed))
    _, part = np.unique(np.asarray(groups), return_inverse=True)
    # One part may show several classes; it is then one unit in each.
    units, unit = np.unique(np.stack([labels, part]), axis=1, return_inverse=True)
    values = np.empty(draws)
    for draw in range(draws):
        times = np.zeros(units.shape[1])
        for label in np.unique(labels):
            members = np.flatnonzero(units[0] == label)
            times[members] = np.bincount(random.integers(len(members), size=len(members)), minlength=len(members))
        weights = times[unit]
        kept = weights > 0
        values[draw] = statistic(scores[kept], labels[kept] > 0, weights[kept])
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def mean_of_few(mean: float, count: int) -> tuple[float, float]:
    """95 % interval of the mean of `count` independent values in 0…1, however they are spread.

    AUROC and AP are such means, over defective parts, of the share of good parts below and of the precision there. No
    such values vary more than zeros and ones, whose interval is that of Clopper and Pearson (1934): a bootstrap over
    one part, or over ten that are all ranked right, would have no width at all.
    """
    hits = mean * count
    low, high = betaincinv([hits, hits + 1], [count - hits + 1, count - hits], [0.025, 0.975])
    return (float(low) if hits > 0 else 0.0), (float(high) if hits < count else 1.0)


def pixel_auroc(logits: NDArray[np.floating], masks: NDArray[np.uint8]) -> float | None:
    """Area under the ROC curve over all pixels, from heat logits; None where no pixel, or every pixel, is defective.

    Pixels are counted in steps of 0.005 of the log odds instead of sorted: millions take a second, and the result is
    exact to about four digits.
    """
    edges = np.linspace(-20, 20, 8001)
    values = np.clip(logits, -20, 20)
    defect = np.histogram(values[masks > 0], edges)[0].astype(np.float64)
    good = np.histogram(values[masks == 0], edges)[0].astype(np.float64)
    if defect.sum() == 0 or good.sum() == 0:
        return None
    below = np.cumsum(good) - good / 2
    return float(defect @ below / (defect.sum() * good.sum()))


def pixel_iou(maps: NDArray[np.floating], masks: NDArray[np.uint8], *, threshold: float) -> float | None:
    """Overlap of maps ≥ threshold with the masks, all pixels of all images pooled; None where both are empty."""
    hot, truth = maps >= threshold, masks > 0
    union = int((hot | truth).sum())
    return float((hot & truth).sum() / union) if union else None


def aupro(maps: NDArray[np.floating], masks: NDArray[np.uint8], *, limit: float = 0.3) -> float | None:
    """Area under the per-region overlap curve up to a false-positive rate of `limit`, divided by it: 1 is perfect.

    Per-region overlap is the share of a connected defect region that is hot, averaged over regions, so that a small
    defect counts as much as a large one (Bergmann et al. 2019). maps: [N, H, W] of anything that rises with the
    defect; regions touch along edges or corners. None where no pixel, or every pixel, is defective.
    """
    truth = masks > 0
    if not truth.any() or truth.all():
        return None
    # Each defective pixel adds its share of its region, each good one its share of the false positives.
    share = np.zeros(masks.shape)
    regions = 0
    for image in np.flatnonzero(truth.any(axis=(1, 2))):
        named, count = ndimage.label(truth[image], structure=TOUCHING)
        share[image] = np.append(0.0, 1 / np.bincount(named.ravel(), minlength=count + 1)[1:])[named]
        regions += count
    order = np.argsort(-maps, axis=None, kind="stable")
    last_of_tie = np.append(np.diff(maps.ravel()[order]) != 0, True)
    overlap = np.append(0, np.cumsum(share.ravel()[order])[last_of_tie] / regions)
    false = np.append(0, np.cumsum(~truth.ravel()[order])[last_of_tie] / np.count_nonzero(~truth))
    inside = false < limit
    ends = np.append(false[inside], limit), np.append(overlap[inside], np.interp(limit, false, overlap))
    return float(np.trapezoid(ends[1], ends[0]) / limit)
