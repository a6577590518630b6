"""Which of several good compromises to take: a point of a Pareto front, by a stated rule.

The knee is where giving up a little of one objective stops buying much of the other: the point farthest above the
straight line between the front's ends, both axes scaled to 0…1 (Das, 1999; Satopää et al., 2011).
"""

from collections.abc import Sequence


def knee(scores: Sequence[float], costs: Sequence[float]) -> int:
    """The place of the knee of a front of `scores` (the more the better) and `costs` (the less the better).

    Where no point lies above the line between the ends (a front of one or two, or one that sags), the best score.

    >>> knee([0.70, 0.94, 0.95], [1.0, 2.0, 9.0])
    1
    """
    gains = [score - cost for score, cost in zip(_scaled(scores), _scaled(costs), strict=True)]
    return max(range(len(scores)), key=lambda place: (round(gains[place], 12), scores[place]))


def best_within(scores: Sequence[float], costs: Sequence[float], limit: float) -> int | None:
    """The place of the best score at a cost of at most `limit`; None where every cost is above it."""
    able = [place for place, cost in enumerate(costs) if cost <= limit]
    return max(able, key=lambda place: (scores[place], -costs[place]), default=None)


def _scaled(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]
