"""What one goal costs in terms of another: the Pareto front of two terms or weighted sums.

Epsilon-constraint (Haimes, Lasdon and Wismer 1971), augmented: the first is minimised while the second stays within a
limit, then the second while the first stays at its best, so that no point is dominated. Every point carries the bound
that CP-SAT proved, and the bounds together say how much larger the front's hypervolume could still be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.checker import violations
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solvers.cpsat import Answer, Budget, minimise
from twinloop.scheduling.solvers.neighbourhoods import by_rule

SCHEMA = {
    "first": pl.Int64,
    "second": pl.Int64,
    "first_bound": pl.Int64,
    "second_limit": pl.Int64,
    "proved": pl.Boolean,
}
# The reference point of the hypervolume lies this share of the front's extent beyond its worst values.
MARGIN = 0.1


@dataclass(frozen=True)
class Point:
    """A plan and its two values; no plan whose second value is within `limit` has a first value below `bound`.

    limit: None for the point of the best first value. proved: no plan is as good in both and better in one.
    """

    values: tuple[int, int]
    plan: Plan
    bound: int
    limit: int | None
    proved: bool


@dataclass(frozen=True)
class Front:
    """Points that do not dominate each other, by rising first value; or none and the `reason`.

    steps: every limit that was searched, falling, with the bound of the first value below it. second_bound: no plan
    has a lower second value.
    """

    goals: tuple[str, str]
    points: tuple[Point, ...]
    steps: tuple[tuple[int | None, int], ...] = ((None, 0),)
    second_bound: int = 0
    reason: str = ""

    @property
    def proved(self) -> bool:
        """Whether every point is proved to be on the true front."""
        return bool(self.points) and all(point.proved for point in self.points)

    @property
    def reference(self) -> tuple[float, float]:
        """The default reference point of the hypervolume: a margin beyond the front's worst values."""
        columns = list(zip(*(point.values for point in self.points), strict=True)) or [(0,), (0,)]
        first, second = (max(column) + max(1.0, MARGIN * (max(column) - min(column))) for column in columns)
        return first, second

    def frame(self) -> pl.DataFrame:
        """One row per point: `SCHEMA`."""
        rows = [(*p.values, p.bound, p.limit, p.proved) for p in self.points]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def hypervolume(self, reference: tuple[float, float] | None = None) -> float:
        """Area between the front and a reference point; the default one compares only runs on one front."""
        return hypervolume([p.values for p in self.points], reference or self.reference)

    def hypervolume_bound(self, reference: tuple[float, float] | None = None) -> float:
        """The largest hypervolume that the proved bounds leave to any front."""
        first, second = reference or self.reference
        limits = [second if limit is None else min(limit, second) for limit, _ in self.steps]
        lower = [*limits[1:], min(self.second_bound, second)]
        return sum(
            max(0.0, top - low) * max(0.0, first - bound)
            for (_, bound), top, low in zip(self.steps, limits, lower, strict=True)
        )


def hypervolume(points: Sequence[tuple[float, float]], reference: tuple[float, float]) -> float:
    """Area that `points` (both values small is good) dominate up to `reference`; exact, for two goals.

    >>> hypervolume([(1, 3), (2, 2)], (4, 4))
    5.0
    """
    area, edge = 0.0, reference[1]
    for first, second in sorted(points):
        if first < reference[0] and second < edge:
            area += (reference[0] - first) * (edge - second)
            edge = second
    return area


def pareto_front(shop: JobShop, question: Question, *, points: int = 10) -> Front:
    """Up to `points` plans from the best first goal to the best second one, evenly spread over the second.

    The question's goal has two levels, one for each goal; its limit is for the whole front. Raises InputError for
    another number of levels, and for fewer than two points.
    """
    if points < 2:
        raise InputError(f"pareto: points = {points}: expected at least 2")
    if len(question.goal.levels) != 2:
        raise InputError(f"pareto: expected a goal of two levels, got {len(question.goal.levels)}")
    search, start = _Search(shop, question, 2 * points + 1), question.start
    first, second = (" + ".join(level) for level in search.goal.levels)
    if start is None or violations(shop, start):
        start = by_rule(shop, search.goal)
    if start is not None:
        search.plans.append(start)
    best = search.minimise(1, (None, None))
    if not search.plans:
        reason = "no plan exists" if best.status == "infeasible" else f"none found in {question.limit}"
        return Front((first, second), (), second_bound=best.bound, reason=reason)
    searched = [search.point(None)]
    low, high = min(search.values(plan)[1] for plan in search.plans), searched[0].values[1]
    for k in range(1, points):
        if searched[-1].values[1] > low:
            searched.append(search.point(min(high - -(-(high - low) * k // (points - 1)), searched[-1].values[1] - 1)))
    kept = [p for p in searched if not any(_dominates(other.values, p.values) for other in searched)]
    steps = tuple((point.limit, point.bound) for point in searched)
    return Front((first, second), tuple(kept), steps, best.bound)


def _dominates(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]


class _Search:
    """The searches along one front: each starts from the best plan that the others found for its limit."""

    def __init__(self, shop: JobShop, question: Question, searches: int) -> None:
        self.shop, self.goal, self._budget, self._left = shop, question.goal, Budget(question.limit), searches
        self._seed, self._workers = question.seed, question.workers
        self.plans: list[Plan] = []

    def values(self, plan: Plan) -> tuple[int, int]:
        """Both values of a plan."""
        first, second = self.goal.values(self.shop, plan)
        return first, second

    def minimise(self, level: int, caps: tuple[int | None, int | None]) -> Answer:
        """The least value of one goal while both keep their caps; later searches may start from the plan."""
        allowed = [
            plan
            for plan in self.plans
            if all(c is None or v <= c for v, c in zip(self.values(plan), caps, strict=True))
        ]
        best = min(allowed, key=lambda plan: self.values(plan)[level], default=None)
        tight = list(caps)
        if best is not None:
            tight[level] = self.values(best)[level]
        answer = minimise(
            self.shop,
            self.goal,
            level,
            caps=tight,
            budget=self._budget,
            share=1 / self._left,
            seed=self._seed,
            workers=self._workers,
            hint=best,
        )
        self._left -= 1
        if answer.plan is None and best is not None:
            answer = Answer("feasible", best, answer.bound)
        if answer.plan is not None:
            self.plans.append(answer.plan)
        return answer

    def point(self, limit: int | None) -> Point:
        """The point of the least first value with a second value within `limit`, which some known plan keeps."""
        first = self.minimise(0, (None, limit))
        assert first.plan is not None
        second = self.minimise(1, (self.values(first.plan)[0], limit))
        assert second.plan is not None
        proved = first.status == second.status == "optimal"
        return Point(self.values(second.plan), second.plan, first.bound, limit, proved)
