"""Which asset comes on which day, and what is done there: expected cost at its least under the workshop's minutes.

A generalised assignment with tasks that share a visit. Its linear relaxation is nearly whole: at a vertex hardly more
assets are split than there are rows of capacity. So the relaxation is solved, its whole part is kept and the rest
decided by branch and bound (HiGHS); then every choice whose reduced cost exceeds the gap is proved useless, and CP-SAT
looks at all others. The answer comes with a bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.scheduling.booking.assignment import CENT, Model
from twinloop.scheduling.booking.slots import Candidate, Workshop, check
from twinloop.scheduling.question import Limit

VISITS: dict[str, Any] = {
    "asset": pl.String,
    "day": pl.Int64,
    "components": pl.List(pl.String),
    "minutes": pl.Int64,
    "cost": pl.Float64,
    "saving": pl.Float64,
}
DEFAULT_LIMIT = Limit(deterministic=1.0)


@dataclass(frozen=True, eq=False)
class DayPlan:
    """Days for visits. visits: asset → (day, components), without those that do not come.

    cost: euro expected of all candidates together; bound: no plan can have less. frame: `VISITS`, a row per candidate,
    the day null for one that does not come, saving against not coming.
    """

    visits: Mapping[str, tuple[int, tuple[str, ...]]]
    cost: float
    bound: float
    frame: pl.DataFrame

    @property
    def gap(self) -> float:
        """How far the cost may be above the least possible, as a share of it."""
        return 0.0 if self.cost <= self.bound else (self.cost - self.bound) / max(abs(self.bound), CENT)


def book(
    candidates: Sequence[Candidate],
    workshop: Workshop,
    *,
    keep: Mapping[str, int] | None = None,
    stability: float = 0.0,
    limit: Limit | None = DEFAULT_LIMIT,
    seed: int = 1,
    workers: int = 1,
) -> DayPlan:
    """The best days that are found within the limit; not to come is always possible, but for an agreed day.

    keep, stability: a visit leaves its earlier day only where that saves so many euro; they are no part of the cost.
    limit: of the search for better ones than the rounded relaxation, None for none.
    Raises InputError for what `slots.check` refuses, and for agreed days that exceed the workshop's minutes or parts.
    """
    check(candidates, workshop)
    model = Model.of(candidates, workshop, keep=keep or {}, stability=stability)
    nothing = np.zeros(len(model.saving), dtype=bool)
    if not len(nothing):
        return _answer(candidates, model, nothing, bound=model.base)
    alone = model.alone()
    if model.fits(alone):
        return _answer(candidates, model, alone, bound=model.base - model.value(alone))
    value, share, loss = model.relaxed()
    chosen = model.rounded(share)
    gap = value - model.value(chosen)
    if gap > CENT and limit is not None:
        # A choice that loses more than this, even in the relaxation, is in no better plan.
        chosen, most = model.whole(chosen | (loss <= gap), chosen, limit=limit, seed=seed, workers=workers)
        value = min(value, max(most, model.value(chosen)))
    return _answer(candidates, model, chosen, bound=model.base - value)


def _answer(candidates: Sequence[Candidate], model: Model, chosen: NDArray[np.bool_], *, bound: float) -> DayPlan:
    days: dict[int, int] = {}
    tasks: dict[int, list[int]] = {}
    for place in np.flatnonzero(chosen).tolist():
        number, chosen_day, task = (int(row[place]) for row in model.columns)
        if task >= 0:
            days[number] = chosen_day
            tasks.setdefault(number, []).append(task)
    rows, visits, cost = [], dict[str, tuple[int, tuple[str, ...]]](), 0.0
    for index, candidate in enumerate(candidates):
        without = sum(task.cost_without for task in candidate.tasks)
        day, done = days.get(index), [candidate.tasks[place] for place in tasks.get(index, ())]
        if candidate.fixed is not None:
            day, done = candidate.fixed, list(candidate.promised)
        expected = without
        if day is not None:
            expected += candidate.visit_cost - sum(task.saving(day) for task in done)
            visits[candidate.asset] = (day, tuple(task.component for task in done))
        cost += expected
        names, minutes = [task.component for task in done], sum(task.minutes for task in done)
        rows.append((candidate.asset, day, names, minutes, expected, without - expected))
    return DayPlan(visits, cost, min(bound, cost), pl.DataFrame(rows, schema=VISITS, orient="row"))
