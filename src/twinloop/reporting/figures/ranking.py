"""How well the detector orders parts, and whether its probabilities can be believed.

Bands come from drawing independent parts with replacement (Efron's bootstrap): photographs of one
part are not independent evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts.operating_curve import GOOD
from twinloop.errors import InputError
from twinloop.numbers import percent
from twinloop.palette import BLUE, GREY, SKY
from twinloop.replication.statistics import wilson
from twinloop.reporting.style import Picture, drawn, picture, single

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Ranked:
    """A ROC and a precision-recall curve over the same images; bands are [2, T] or None."""

    false_alarms: Values
    hits: Values
    recall: Values
    precision: Values
    auroc: float
    ap: float
    hits_band: Values | None = None
    precision_band: Values | None = None


def ranked(labels: Sequence[str], scores: Values, groups: Sequence[str], *, draws: int = 200, seed: int = 0) -> Ranked:
    """Both curves from scores, with 95 % bands from drawing parts, within each class, with replacement.

    labels: the classes, "good" among them; groups: the independent part each image shows. Raises InputError where
    only one kind of part is present.
    """
    defective = np.array([label != GOOD for label in labels])
    if defective.all() or not defective.any():
        raise InputError(
            f"ranking: expected good and defective images, found {'defective' if defective.all() else 'good'} ones only"
        )
    grid = np.linspace(0, 1, 201)
    hits, precision, auroc, ap = _curves(defective, scores, grid)
    units = {unit: np.empty(0, dtype=np.int64) for unit in dict.fromkeys(zip(labels, groups, strict=True))}
    for place, unit in enumerate(zip(labels, groups, strict=True)):
        units[unit] = np.append(units[unit], place)
    by_class = [[places for (name, _), places in units.items() if name == label] for label in dict.fromkeys(labels)]
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    drawn_hits, drawn_precision = [], []
    for _ in range(draws):
        chosen = np.concatenate([parts[k] for parts in by_class for k in rng.integers(len(parts), size=len(parts))])
        h, p, _, _ = _curves(defective[chosen], scores[chosen], grid)
        drawn_hits.append(h)
        drawn_precision.append(p)
    return Ranked(
        false_alarms=grid,
        hits=hits,
        recall=grid,
        precision=precision,
        auroc=auroc,
        ap=ap,
        hits_band=np.quantile(drawn_hits, [0.025, 0.975], axis=0) if draws else None,
        precision_band=np.quantile(drawn_precision, [0.025, 0.975], axis=0) if draws else None,
    )


def _curves(defective: NDArray[np.bool_], scores: Values, grid: Values) -> tuple[Values, Values, float, float]:
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    hit = np.cumsum(defective[order])[last_of_tie]
    false = np.cumsum(~defective[order])[last_of_tie]
    tpr, fpr = np.append(0, hit / hit[-1]), np.append(0, false / false[-1])
    precision = hit / (hit + false)
    average = float(np.sum(np.diff(tpr) * precision))
    # Precision at a recall is the best that is reached at this recall or beyond.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at_recall = envelope[np.minimum(np.searchsorted(tpr[1:], grid - 1e-12), len(envelope) - 1)]
    return np.interp(grid, fpr, tpr), at_recall, float(np.trapezoid(tpr, fpr)), average


@drawn
def ranking(curves: Ranked) -> Picture:
    """ROC and precision-recall curves side by side with their bands."""
    figure = picture(7.8, 3.8)
    roc, pr = figure.subplots(1, 2)
    for axes, x, y, band, label in (
        (roc, curves.false_alarms, curves.hits, curves.hits_band, f"AUROC {curves.auroc:.3f}"),
        (pr, curves.recall, curves.precision, curves.precision_band, f"AP {curves.ap:.3f}"),
    ):
        if band is not None:
            axes.fill_between(
                100 * x, 100 * band[0], 100 * band[1], color=SKY, alpha=0.35, linewidth=0, label="95 % band"
            )
        axes.plot(100 * x, 100 * y, color=BLUE, label=label)
        axes.set(xlim=(-1, 101), ylim=(-1, 102))
        axes.legend(loc="lower right" if axes is roc else "lower left", fontsize=9)
    roc.plot([0, 100], [0, 100], color=GREY, linewidth=1, linestyle=":")
    roc.set(xlabel="good parts called defective (%)", ylabel="defective parts found (%)", title="ROC")
    pr.set(xlabel="defective parts found (%)", ylabel="alarms that are right (%)", title="Precision and recall")
    figure.alt = f"ROC and precision-recall curves on the test split; AUROC {curves.auroc:.3f}, AP {curves.ap:.3f}"
    return figure


@drawn
def reliability(predicted: Values, observed: Values, counts: Values, *, ece: float | None = None) -> Picture:
    """Stated against observed share of defects per bin of the calibrated probability, with 95 % Wilson intervals."""
    figure, axes = single(6.0, 4.9)
    shown = counts > 0
    predicted, observed, counts = predicted[shown], observed[shown], counts[shown]
    intervals = [wilson(share * count, count) for share, count in zip(observed, counts, strict=True)]
    low, high = (np.array([getattr(one, end) for one in intervals]) for end in ("low", "high"))
    axes.plot([0, 100], [0, 100], color=GREY, linestyle=":", linewidth=1.2, label="stated = observed")
    axes.errorbar(
        100 * predicted,
        100 * observed,
        yerr=100 * np.array([np.clip(observed - low, 0, 1), np.clip(high - observed, 0, 1)]),
        color=BLUE,
        marker="o",
        markersize=5,
        capsize=3,
        linewidth=1.4,
        label="test parts, 95 % interval",
    )
    axes.set(xlim=(-3, 103), ylim=(-3, 103), aspect="equal")
    axes.set(xlabel="stated probability of a defect (%)", ylabel="observed share of defects (%)")
    error = "" if ece is None else f" (expected calibration error {percent(ece)})"
    axes.set_title("Can the probability be believed?")
    figure.legend(loc="outside lower center", ncols=2)
    figure.alt = f"Reliability diagram, {int(counts.sum())} parts{error}"
    return figure
