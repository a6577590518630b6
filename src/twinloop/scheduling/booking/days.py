"""Which asset comes on which day, and what is done there: expected cost at its least under the workshop's minutes.

A generalised assignment with tasks that share a visit. Its linear relaxation is nearly whole: at a vertex hardly more
assets are split than there are rows of capacity. So the relaxation is solved (HiGHS), its whole part is kept and the
rest decided by CP-SAT; then every choice whose reduced cost exceeds the gap is proved useless and left out, and CP-SAT
looks once more at all that is left. The answer comes with the relaxation's bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.scheduling.booking.assignment import CENT, Model
from twinloop.scheduling.booking.slots import Candidate, Workshop, check
from twinloop.scheduling.question import Limit

WHOLE = 1e-6
# CP-SAT's share of the limit for the rest of the relaxation; what is left goes to the second look.
FIRST = 0.3
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
    limit: Limit = DEFAULT_LIMIT,
    seed: int = 1,
    workers: int = 1,
) -> DayPlan:
    """The best days that are found within the limit; not to come is always possible, but for an agreed day.

    keep, stability: a visit leaves its earlier day only where that saves so many euro; they are no part of the cost.
    Raises InputError for what `slots.check` refuses, and for agreed days that exceed the workshop's minutes or parts.
    """
    check(candidates, workshop)
    model = Model.of(candidates, workshop, keep=keep or {}, stability=stability)
    nothing = np.zeros(len(model.saving), dtype=bool)
    if not len(nothing):
        return _answer(candidates, model, nothing, bound=model.base)
    first, second = _shares(limit)
    value, share, loss = model.relaxed()
    # Of candidates that the relaxation splits all days are open, of the others the day that it gives them.
    split = np.unique(model.columns.candidate[(share > WHOLE) & (share < 1 - WHOLE)])
    chosen = share >= 1 - WHOLE
    useful = chosen | np.isin(model.columns.candidate, split)
    chosen, _ = model.whole(useful, chosen, limit=first, seed=seed, workers=workers)
    gap = value - model.value(chosen)
    if gap > CENT:
        # A choice that loses more than this, even in the relaxation, is in no better plan.
        better = chosen | (loss <= gap)
        chosen, most = model.whole(better, chosen, limit=second, seed=seed, workers=workers)
        value = min(value, max(most, model.value(chosen)))
    return _answer(candidates, model, chosen, bound=model.base - value)


def _shares(limit: Limit) -> tuple[Limit, Limit]:
    """The limit, parted between the two looks."""
    if limit.iterations is not None:
        raise InputError("booking: limit: expected seconds or deterministic seconds, got iterations")

    def part(share: float) -> Limit:
        given = {name: value for name, value in vars(limit).items() if value is not None}
        return Limit(**{name: share * value for name, value in given.items()})

    return part(FIRST), part(1 - FIRST)


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
            day, done = candidate.fixed, list(candidate.tasks)
        expected = without
        if day is not None:
            expected += candidate.visit_cost - sum(task.saving(day) for task in done)
            visits[candidate.asset] = (day, tuple(task.component for task in done))
        cost += expected
        names, minutes = [task.component for task in done], sum(task.minutes for task in done)
        rows.append((candidate.asset, day, names, minutes, expected, without - expected))
    return DayPlan(visits, cost, min(bound, cost), pl.DataFrame(rows, schema=VISITS, orient="row"))
