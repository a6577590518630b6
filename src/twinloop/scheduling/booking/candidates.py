"""From a RiskTable to what a visit on each day would save: the price that decides whether an alert is worth a booking.

A component that fails before its day is repaired then and costs C; one that lasts is renewed on its day and costs w.
Either way a new life begins, and whoever begins one later has had the time between for nothing: g euro per hour, what
lives of this component cost in the long run. So a task at hour t is priced p(t)·C + (1 − p(t))·w − g·E[min(τ, t)], τ
being the failure, and not to come within these days the best of all later hours (the marginal cost rule of age
replacement; Berg 1980). No threshold is given: which risks are worth a visit falls out of this price, and of what else
the workshop could do.
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
# Hours at which a component could still be renewed when it does not come now, as multiples of the last day's end.
LATER = np.array([1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0])
STEPS = 12


@dataclass(frozen=True)
class Work:
    """What renewing a component takes: whose work, minutes, euro of material and work, and parts.

    rate: euro per hour, by the risks' clock, that its lives cost in the long run; 0 where nothing comes behind.
    """

    skill: str
    minutes: int
    cost: float
    rate: float = 0.0
    parts: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("cost", "rate"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise InputError(f"booking: work: {name} = {value}: expected a number of at least 0")


def candidates(
    risks: RiskTable,
    work: Mapping[str, Work],
    *,
    hours: Sequence[float] | Mapping[str, Sequence[float]],
    visit_cost: float | Mapping[str, float] = 0.0,
    days: Mapping[str, Sequence[int]] | None = None,
) -> list[Candidate]:
    """Every asset with the components whose renewal is expected to save something on some day.

    hours: [days + 1] hours by the table's clock that pass from its issue until each day begins, and until the last one
    is over; one row for all assets or by asset. visit_cost: euro of a visit, for all or by asset. days: on which a
    customer can come, by asset. Raises InputError for a component without work, and for an asset without hours or a
    visit's cost.
    """
    chosen = []
    for asset in risks.assets:
        spent = _hours(asset, hours)
        allowed = None if days is None or asset not in days else tuple(days[asset])
        tasks = []
        for component, hazard in risks.components(asset).items():
            if component not in work:
                raise InputError(f"booking: {asset}: no work for component {component!r}; {nearest(component, work)}")
            task = _task(component, work[component], hazard, spent)
            if any(task.saving(day) > 0 for day in (range(len(spent) - 1) if allowed is None else allowed)):
                tasks.append(task)
        if isinstance(visit_cost, Mapping) and asset not in visit_cost:
            raise InputError(
                f"booking: {asset}: expected the cost of its visit, got none; {nearest(asset, visit_cost)}"
            )
        cost = visit_cost[asset] if isinstance(visit_cost, Mapping) else visit_cost
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


def _task(component: str, work: Work, hazard: Hazard, spent: Floats) -> Task:
    """The price of each day; without a rate, nothing is ever renewed later."""
    cost = priced(hazard, work, spent[:-1])
    later = (
        priced(hazard, work, spent[-1] * LATER).min()
        if work.rate
        else -np.expm1(-hazard.until(spent[-1])) * hazard.cost
    )
    return Task(component, work.skill, work.minutes, tuple(cost.tolist()), float(later), dict(work.parts))


def priced(hazard: Hazard, work: Work, hours: Floats) -> Floats:
    """Euro by hour [n] of renewal: p·C + (1 - p)·w - g·E[min(τ, hour)]."""
    grid = hours[:, None] * np.linspace(0.0, 1.0, STEPS + 1)
    alive = np.exp(-hazard.until(grid))
    lived = np.trapezoid(alive, grid, axis=1)
    failing = 1 - alive[:, -1]
    euro: Floats = failing * hazard.cost + (1 - failing) * work.cost - work.rate * lived
    return euro
