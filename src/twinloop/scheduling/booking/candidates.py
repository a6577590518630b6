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
from twinloop.contracts.risk_table import Hazards
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
    standing: float | None = None,
) -> list[Candidate]:
    """Every asset with the components whose renewal is expected to save something on some day.

    hours: [days + 1] hours by the table's clock that pass from its issue until each day begins, and until the last one
    is over; one row for all assets or by asset. visit_cost: euro of a visit, for all or by asset. days: on which a
    customer can come, by asset. standing: euro per hour of an asset that comes sooner and waits for its day, so that it
    does not fail meanwhile; None where nobody waits.
    Raises InputError for a component without work, and for an asset without hours or a visit's cost.
    """
    known = risks.hazards
    assets = risks.assets
    _check(known, work, assets, hours, visit_cost)
    if not len(known.cost):
        return []
    number = {asset: place for place, asset in enumerate(assets)}
    asset_of = np.array([number[asset] for asset in known.asset])
    spent = _hours(assets, hours)[asset_of]
    done = [work[component] for component in known.component]
    price, rate = (np.array([getattr(one, name) for one in done]) for name in ("cost", "rate"))
    cost = priced(known, spent[:, :-1], cost=price, rate=rate)
    allowed = {asset: None if days is None or asset not in days else tuple(days[asset]) for asset in assets}
    open_ = np.array([_open(allowed[asset], cost.shape[1]) for asset in assets])[asset_of]
    since = np.broadcast_to(np.arange(cost.shape[1]), cost.shape)
    if standing is not None:
        cost, since = _waiting(cost, spent[:, :-1], open_, standing)
    # Without a rate, nothing is ever renewed later.
    never = -np.expm1(-known.until(spent[:, -1:]))[:, 0] * known.cost
    later = priced(known, spent[:, -1:] * LATER, cost=price, rate=rate).min(axis=1)
    without = np.where(rate > 0, later, never)
    tasks: dict[str, list[Task]] = {}
    for place in np.flatnonzero(((without[:, None] > cost) & open_).any(axis=1)).tolist():
        own = done[place]
        task = Task(
            known.component[place],
            own.skill,
            own.minutes,
            tuple(cost[place].tolist()),
            float(without[place]),
            dict(own.parts),
            None if standing is None else tuple(since[place].tolist()),
        )
        tasks.setdefault(known.asset[place], []).append(task)
    costs = visit_cost if isinstance(visit_cost, Mapping) else dict.fromkeys(tasks, visit_cost)
    return [Candidate(asset, tuple(own), allowed[asset], costs[asset]) for asset, own in tasks.items()]


def priced(known: Hazards, hours: Floats, *, cost: Floats, rate: Floats) -> Floats:
    """Euro by hour [P, n] of renewal: p·C + (1 - p)·w - g·E[min(τ, hour)], w = cost [P] and g = rate [P]."""
    grid = hours[:, :, None] * np.linspace(0.0, 1.0, STEPS + 1)
    alive = np.exp(-known.until(grid.reshape(len(hours), -1))).reshape(grid.shape)
    lived = np.trapezoid(alive, grid, axis=2)
    failing = 1 - alive[:, :, -1]
    euro: Floats = failing * known.cost[:, None] + (1 - failing) * cost[:, None] - rate[:, None] * lived
    return euro


def _waiting(
    cost: Floats, hours: Floats, open_: NDArray[np.bool_], standing: float
) -> tuple[Floats, NDArray[np.int64]]:
    """[P, days] each: cost of work on each day when it may wait for it from an earlier day on, and from which."""
    best, since = cost.copy(), np.tile(np.arange(cost.shape[1]), (len(cost), 1))
    # What it costs to come on a day, less the price of the hours until then: waiting adds them again.
    least, first = np.full(len(cost), np.inf), np.zeros(len(cost), np.int64)
    for day in range(cost.shape[1]):
        come = np.where(open_[:, day], cost[:, day] - standing * hours[:, day], np.inf)
        sooner = come < least
        least, first = np.where(sooner, come, least), np.where(sooner, day, first)
        waits = least + standing * hours[:, day] < cost[:, day]
        best[:, day] = np.where(waits, least + standing * hours[:, day], cost[:, day])
        since[:, day] = np.where(waits, first, day)
    return best, since


def _check(
    known: Hazards,
    work: Mapping[str, Work],
    assets: Sequence[str],
    hours: Sequence[float] | Mapping[str, Sequence[float]],
    visit_cost: float | Mapping[str, float],
) -> None:
    if not set(known.component) <= set(work):
        asset, component = next(pair for pair in zip(*known[:2], strict=True) if pair[1] not in work)
        raise InputError(f"booking: {asset}: no work for component {component!r}; {nearest(component, work)}")
    for asset in assets:
        if isinstance(hours, Mapping) and asset not in hours:
            raise InputError(f"booking: {asset}: expected its hours by day, got none; {nearest(asset, hours)}")
        if isinstance(visit_cost, Mapping) and asset not in visit_cost:
            raise InputError(
                f"booking: {asset}: expected the cost of its visit, got none; {nearest(asset, visit_cost)}"
            )


def _hours(assets: Sequence[str], hours: Sequence[float] | Mapping[str, Sequence[float]]) -> Floats:
    """[assets, days + 1], one row for each of them."""
    rows = [
        np.asarray(row, np.float64) for row in ([hours[a] for a in assets] if isinstance(hours, Mapping) else [hours])
    ]
    for asset, row in zip(assets, rows, strict=False):
        shaped = row.ndim == 1 and len(row) == len(rows[0]) >= 2
        if not shaped or not np.isfinite(row).all() or row[0] < 0 or (np.diff(row) < 0).any():
            raise InputError(
                f"booking: {asset}: expected hours until each day and until the end, ascending from 0 or more, for as "
                "many days as all others"
            )
    return np.broadcast_to(np.stack(rows), (len(assets), len(rows[0])))


def _open(allowed: tuple[int, ...] | None, days: int) -> NDArray[np.bool_]:
    if allowed is None:
        return np.ones(days, dtype=np.bool_)
    return np.isin(np.arange(days), allowed)
