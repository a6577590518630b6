"""Thresholds under a promise to the customer: escapes among shipped parts stay under a limit with 95 % confidence.

Escapes are counted per million parts that leave the inspection as accepted, after at most two looks, at the line's
share and mix of defects. The confidence is the posterior's: the 95 % quantile over the draws of the operating curve.
Rework is not part of it: a rejected part counts as not shipped.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.contracts.curve_settings import PartCosts
from twinloop.contracts.part_costs import TIE, Floats, accepted_after_looks, cheapest, expected_costs
from twinloop.numbers import count, number, percent

CONFIDENCE = 0.95
MILLION = 1e6
Status = Literal["met", "more parts needed", "cannot be met"]
# A limit that needs more than this many times the parts at hand is out of reach.
LARGEST_FACTOR = 1e6


@dataclass(frozen=True)
class EscapeLimit:
    """What came of a limit on escapes on the split that chose the thresholds.

    thresholds: (accept_below, reject_from) of least cost that keep it; None where none do.
    upper_ppm: their 95 % limit on escapes; without thresholds the lowest that any single threshold reaches.
    good_needed, defective_needed: parts in that split with which it would be kept if no defective part escapes at
    the best threshold; None where it is met or cannot be. lost: share of good parts that this threshold rejects.
    """

    limit_ppm: float
    status: Status
    thresholds: tuple[float, float] | None
    upper_ppm: float
    good: int
    defective: int
    good_needed: int | None = None
    defective_needed: int | None = None
    lost: float | None = None

    @property
    def line(self) -> str:
        """The result as one sentence."""
        limit = f"{number(self.limit_ppm)} ppm of shipped parts"
        if self.status == "met":
            return f"escapes stay under {limit} with 95 % confidence: at most {number(self.upper_ppm)} ppm"
        unmet = (
            f"no thresholds keep escapes under {limit} with 95 % confidence, the best reach {number(self.upper_ppm)}"
        )
        if self.good_needed is None or self.defective_needed is None:
            return f"{unmet}: it cannot be met with this detector, defective parts score below all good ones"
        return (
            f"{unmet}: it takes about {count(self.defective_needed)} defective and {count(self.good_needed)} good "
            f"parts in the validation split (now {count(self.defective)} and {count(self.good)}), none of the "
            f"defective escaping, and rejects {percent(self.lost)} of good parts"
        )


def escape_ppm(curve: OperatingCurve) -> Floats:
    """[1 + draws] escapes per million shipped parts at the curve's operating point; the first is the estimate."""
    low, high = (
        np.array([curve.below_at(threshold, draw=draw) for draw in range(curve.draws + 1)])
        for threshold in (curve.accept_below, curve.reject_from)
    )
    accepted = accepted_after_looks(low, high, curve.repeatability) * curve.prevalence
    return _ppm(accepted[:, 1:].sum(axis=1), accepted[:, 0])


def upper_escape_ppm(curve: OperatingCurve) -> float:
    """Escapes per million shipped parts that are not exceeded with 95 % confidence, at the curve's operating point."""
    return float(np.quantile(escape_ppm(curve)[1:], CONFIDENCE))


def limit_escapes(
    curve: OperatingCurve, costs: PartCosts, *, limit_ppm: float, reinspection: bool = True, pseudo_count: float = 1.0
) -> EscapeLimit:
    """The thresholds of least cost that keep escapes under `limit_ppm`, or what it would take; never raises for that.

    pseudo_count: strength of the prior with which the curve was made, in parts.
    """
    table = expected_costs(curve, costs, reinspection=reinspection)
    kept = np.where(_keeping(curve, table, limit_ppm), table, np.inf)
    good, defective = int(curve.counts[0]), int(curve.counts[1:].sum())
    if np.isfinite(kept).any():
        thresholds = cheapest(curve, kept)
        upper = upper_escape_ppm(curve.at(*thresholds))
        return EscapeLimit(limit_ppm, "met", thresholds, upper, good, defective)
    escapes, shipped = _single_look(curve)
    best = float(np.quantile(_ppm(escapes, shipped), CONFIDENCE, axis=0).min())
    factor, lost = _factor_needed(curve, limit_ppm, pseudo_count=pseudo_count)
    if factor is None:
        return EscapeLimit(limit_ppm, "cannot be met", None, best, good, defective)
    needed = int(np.ceil(factor * good)), int(np.ceil(factor * defective))
    return EscapeLimit(limit_ppm, "more parts needed", None, best, good, defective, *needed, lost)


def _ppm(escapes: Floats, shipped_good: Floats) -> Floats:
    shipped = escapes + shipped_good
    result: Floats = MILLION * np.divide(escapes, shipped, out=np.ones_like(escapes), where=shipped > 0)
    return result


def _single_look(curve: OperatingCurve) -> tuple[Floats, Floats]:
    """Escapes and shipped good parts of one look, as shares of produced parts: [draws, T] each."""
    escapes: Floats = np.einsum("c,dct->dt", curve.prevalence[1:], curve.below[1:, 1:])
    return escapes, curve.prevalence[0] * curve.below[1:, 0]


def _keeping(curve: OperatingCurve, table: Floats, limit_ppm: float) -> NDArray[np.bool_]:
    """[T, T] pairs that keep the limit, among those that can still be the cheapest.

    A second look lets escape at least what the first did, and at most as much again; that decides most pairs without
    the bivariate normal distribution.
    """
    escapes, good = _single_look(curve)
    least, most = np.empty_like(table), np.empty_like(table)
    for accept in range(len(table)):
        one = escapes[:, accept, None]
        least[accept] = np.quantile(_ppm(np.broadcast_to(one, good.shape), good), CONFIDENCE, axis=0)
        twice = np.minimum(escapes, 2 * one)
        most[accept] = np.quantile(_ppm(twice, np.broadcast_to(good[:, [accept]], good.shape)), CONFIDENCE, axis=0)
    sure = (most <= limit_ppm) & np.isfinite(table)
    open_pairs = (least <= limit_ppm) & ~sure & np.isfinite(table)
    if sure.any():
        open_pairs &= table <= table[sure].min() * (1 + TIE)
    kept = sure.copy()
    for accept in np.flatnonzero(open_pairs.any(axis=1)).tolist():
        rejects = np.flatnonzero(open_pairs[accept])
        both = accepted_after_looks(curve.below[1:, :, [accept]], curve.below[1:, :, rejects], curve.repeatability)
        shares = both * curve.prevalence[:, None]
        upper = np.quantile(_ppm(shares[:, 1:].sum(axis=1), shares[:, 0]), CONFIDENCE, axis=0)
        kept[accept, rejects] = upper <= limit_ppm
    return kept


def _factor_needed(
    curve: OperatingCurve, limit_ppm: float, *, pseudo_count: float
) -> tuple[float, float] | tuple[None, None]:
    """By how much the split must grow for its most lenient threshold without an escape to keep the limit.

    Returns that factor with the share of good parts which the threshold rejects; None where every threshold that
    ships a good part also lets a defective one escape.
    """
    from scipy.stats import beta

    half = pseudo_count / 2
    passing = curve.below[0] * (curve.counts + pseudo_count)[:, None] - half
    clean = np.flatnonzero((passing[1:] < 1e-6).all(axis=0) & (passing[0] > 1e-6))
    if len(clean) == 0:
        return None, None
    passed = float(passing[0, clean[-1]])
    uniform = np.random.default_rng(np.random.SeedSequence(0)).random((1000, len(curve.counts)))

    def upper(factor: float) -> float:
        counts = factor * np.maximum(curve.counts, 1)
        escaped = beta.ppf(uniform[:, 1:], half, counts[1:] + half) @ curve.prevalence[1:]
        shipped = beta.ppf(uniform[:, 0], factor * passed + half, factor * (curve.counts[0] - passed) + half)
        return float(np.quantile(_ppm(escaped, curve.prevalence[0] * shipped), CONFIDENCE))

    low, high = 1.0, 2.0
    while upper(high) > limit_ppm:
        low, high = high, 2 * high
        if high > LARGEST_FACTOR:
            return None, None
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if upper(middle) <= limit_ppm else (middle, high)
    return high, 1 - passed / float(curve.counts[0])
