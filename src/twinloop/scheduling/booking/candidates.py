"""From a RiskTable to what a visit on each day would save: the price that decides whether an alert is worth a booking.

A component that fails before its day is repaired then and costs what a failure costs; one that lasts is replaced on its
day and begins anew. So a task on day d is expected to cost p(d)·C + (1 − p(d))·(w + p'(D − d)·C) against p(D)·C without
it: p until the day, p' of a new component until the last day D, C of a failure, w of the work. No threshold is given:
which risks are worth a visit falls out of this price and of what else the workshop could do.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import RiskTable
from twinloop.contracts.risk_table import Hazard
from twinloop.errors import InputError, nearest
from twinloop.scheduling.booking.slots import Candidate, Task

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Work:
    """What replacing a component takes: whose work, minutes, euro of material and work, and parts."""

    skill: str
    minutes: int
    cost: float
    parts: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not math.isfinite(self.cost) or self.cost < 0:
            raise InputError(f"booking: work: cost = {self.cost}: expected a number of at least 0")


def candidates(
    risks: RiskTable,
    work: Mapping[str, Work],
    *,
    hours: Sequence[float] | Mapping[str, Sequence[float]],
    renewed: Mapping[str, Hazard] | None = None,
    visit_cost: float | Mapping[str, float] = 0.0,
    days: Mapping[str, Sequence[int]] | None = None,
) -> list[Candidate]:
    """Every asset with the components whose replacement is expected to save something on some day.

    hours: [days + 1] hours by the table's clock that pass from its issue until each day begins, and until the last one
    is over; one row for all assets or by asset. renewed: of new components, by name; those without one do not fail
    within these days. visit_cost: euro of a visit, for all or by asset. days: on which a customer can come, by asset.
    Raises InputError for a component without work, and for an asset without hours or a visit's cost.
    """
    chosen = []
    for asset in risks.assets:
        spent = _hours(asset, hours)
        tasks = []
        for component, hazard in risks.components(asset).items():
            if component not in work:
                raise InputError(f"booking: {asset}: no work for component {component!r}; {nearest(component, work)}")
            task = _task(component, work[component], hazard, (renewed or {}).get(component), spent)
            if max(map(task.saving, range(len(task.cost_by_day)))) > 0:
                tasks.append(task)
        cost = visit_cost[asset] if isinstance(visit_cost, Mapping) else visit_cost
        allowed = None if days is None or asset not in days else tuple(days[asset])
        if tasks:
            chosen.append(Candidate(asset, tuple(tasks), allowed, cost))
    return chosen


def _hours(asset: str, hours: Sequence[float] | Mapping[str, Sequence[float]]) -> Floats:
    if isinstance(hours, Mapping) and asset not in hours:
        raise InputError(f"booking: {asset}: expected its hours by day, got none; {nearest(asset, hours)}")
    spent = np.asarray(hours[asset] if isinstance(hours, Mapping) else hours, np.float64)
    if spent.ndim != 1 or len(spent) < 2 or not np.isfinite(spent).all() or spent[0] < 0 or (np.diff(spent) < 0).any():
        raise InputError(f"booking: {asset}: expected hours until each day and until the end, ascending from 0 or more")
    return spent


def _task(component: str, work: Work, hazard: Hazard, new: Hazard | None, spent: Floats) -> Task:
    failing = -np.expm1(-hazard.until(spent))
    behind = np.zeros(len(spent) - 1) if new is None else -np.expm1(-new.until(spent[-1] - spent[:-1]))
    cost = failing[:-1] * hazard.cost + (1 - failing[:-1]) * (work.cost + behind * hazard.cost)
    without = float(failing[-1] * hazard.cost)
    return Task(component, work.skill, work.minutes, tuple(cost.tolist()), without, dict(work.parts))
