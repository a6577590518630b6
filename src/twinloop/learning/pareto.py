"""Which of several good compromises to take: the knee of a Pareto front.

The knee is where giving up a little of one objective stops buying much of the others: the point farthest above the
plane through the front's ends, all axes scaled to 0…1 (Das, 1999; Satopää et al., 2011).
"""

from collections.abc import Sequence


def knee(points: Sequence[Sequence[float]]) -> int:
    """The place of the knee of a front of `points` [N, objectives], of each objective the more the better.

    Where no point lies above the plane between the ends (a front of one or two, or one that sags), the best in the
    first objective; of equal ones the first.

    >>> knee([(0.70, -1.0), (0.94, -2.0), (0.95, -9.0)])
    1
    """
    scaled = [_scaled(values) for values in zip(*points, strict=True)]
    heights = [sum(values) for values in zip(*scaled, strict=True)]
    return max(range(len(points)), key=lambda place: (round(heights[place], 12), points[place][0]))


def _scaled(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]
