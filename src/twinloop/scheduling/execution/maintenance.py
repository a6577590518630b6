"""Maintenance windows inside a plan: early enough to save failures, late enough to keep promises.

A window closes its machine, at first, last, or between two operations; what is behind it is right-shifted. Machine by
machine, the dearest risk first, the place of least expected cost is taken: of failures before and after it, of the
maintenance, and of the delay (integrated maintenance and scheduling; Cassady and Kutanoglu 2003).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from twinloop.contracts import Plan, RiskTable
from twinloop.contracts.clock import check_clock
from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.scheduling.execution.situation import standing
from twinloop.scheduling.objectives import Goal, missed_promise
from twinloop.scheduling.problem import JobShop, Window
from twinloop.scheduling.problem.calendar import NEVER, Closures
from twinloop.scheduling.problem.opening_checks import check_whole
from twinloop.scheduling.solution import Solution

WINDOWS = {
    "machine": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "failure_cost_before": pl.Float64,
    "failure_cost": pl.Float64,
    "maintenance_cost": pl.Float64,
}


@dataclass(frozen=True)
class Upkeep:
    """A maintenance that a machine can have once within the plan: its minutes and its cost in euro.

    restoration: share of the risk that it replaces by that of a new machine. Raises InputError for values out of range.
    """

    machine: str
    minutes: int
    cost: float = 0.0
    restoration: float = 1.0

    def __post_init__(self) -> None:
        check_whole(self.minutes, 1, f"maintenance of {self.machine}: minutes")
        if not 0 <= self.cost < math.inf:
            raise InputError(f"maintenance of {self.machine}: cost = {self.cost:g}: expected a number of at least 0")
        if not 0 <= self.restoration <= 1:
            raise InputError(
                f"maintenance of {self.machine}: restoration = {self.restoration:g}: expected a number from 0 to 1"
            )


@dataclass(frozen=True, eq=False)
class Maintained:
    """The shop with its windows, a plan around them, and the expected cost in euro without and with them.

    frame: one row per machine that could be maintained (`WINDOWS`), without times where it is not worth it.
    """

    shop: JobShop
    plan: Plan
    windows: Mapping[str, Window]
    cost_before: float
    cost: float
    frame: pl.DataFrame

    @property
    def saved(self) -> float:
        """Expected euro saved; never negative, as no window is always possible."""
        return self.cost_before - self.cost


def place_maintenance(
    shop: JobShop,
    plan: Plan,
    upkeep: Sequence[Upkeep],
    risks: RiskTable,
    *,
    goal: Goal,
    euro_per_unit: float,
    renewed: RiskTable | None = None,
    planner: Callable[[JobShop], Solution] | None = None,
) -> Maintained:
    """Place at most one window per machine. euro_per_unit: of the first level of the goal. renewed: risks as new.

    Times of the shop are minutes. Without `renewed` a machine that was maintained does not fail within the plan. A
    `planner` plans the shop with its windows again, and the better plan is kept. Raises InputError for a machine that
    shop or table do not have.
    """
    model = _Model(shop, {item.machine: item for item in upkeep}, risks, renewed, goal, euro_per_unit)
    model.check()
    before = best = model.cost(plan, {})
    windows: dict[str, Window] = {}
    for item in sorted(upkeep, key=lambda item: -model.failures(plan, item.machine, None)):
        placed = None
        for window in _candidates(shop, plan, item):
            tried = {**windows, item.machine: window}
            shifted = model.around(plan, tried)
            if shifted is not None and (cost := model.cost(shifted, tried)) < best:
                best, placed = cost, (tried, shifted)
        if placed is not None:
            windows, plan = placed
    closed = model.closed(windows)
    if planner is not None and windows:
        replanned = planner(closed).plan
        if replanned is not None and (cost := model.cost(replanned, windows)) < best:
            best, plan = cost, replanned
    return Maintained(closed, plan, windows, before, best, model.frame(plan, windows))


def _candidates(shop: JobShop, plan: Plan, item: Upkeep) -> list[Window]:
    """Windows at the beginning and behind every operation of the machine, in open time."""
    hours = Closures(shop).on(item.machine)
    times = [0, *(a.end for a in plan if a.machine == item.machine)]
    starts = {int(hours.first(time, item.minutes)) for time in times} - {NEVER}
    return [Window(start, start + item.minutes) for start in sorted(starts)]


@dataclass(frozen=True)
class _Model:
    """Everything that has a price."""

    shop: JobShop
    upkeep: Mapping[str, Upkeep]
    risks: RiskTable
    renewed: RiskTable | None
    goal: Goal
    euro_per_unit: float

    def check(self) -> None:
        for machine in (*self.upkeep, *self.risks.assets):
            if machine not in self.shop.machines:
                known = ", ".join(self.shop.machines)
                raise InputError(f"maintenance: machine {machine!r} is not in the shop; known: {known}")
        for table in filter(None, (self.risks, self.renewed)):
            check_clock("maintenance", table.clock, expected="work", remedy="machines wear by the hours that they work")
            for machine in self.upkeep:
                if machine not in table.assets:
                    known = ", ".join(table.assets) or "none"
                    raise InputError(f"maintenance: the risk table has no row for {machine!r}; known: {known}")
        if not 0 <= self.euro_per_unit < math.inf:
            raise InputError(f"maintenance: euro_per_unit = {self.euro_per_unit:g}: expected a number of at least 0")

    def closed(self, windows: Mapping[str, Window]) -> JobShop:
        return self.shop.stopped({machine: [window] for machine, window in windows.items()})

    def around(self, plan: Plan, windows: Mapping[str, Window]) -> Plan | None:
        """The plan right-shifted around the windows; None where that breaks a rule."""
        shop = self.closed(windows)
        situation = standing(shop, plan, shop.frozen, now=0)
        if situation is None or situation.given_up:
            return None
        return None if missed_promise(shop, situation.shifted) else situation.shifted

    def cost(self, plan: Plan, windows: Mapping[str, Window]) -> float:
        failures = sum(self.failures(plan, machine, windows.get(machine)) for machine in self.risks.assets)
        maintenance = sum(self.upkeep[machine].cost for machine in windows)
        return failures + maintenance + self.euro_per_unit * self.goal.values(self.shop, plan)[0]

    def failures(self, plan: Plan, machine: str, window: Window | None) -> float:
        """Expected cost of failures of one machine while it works off the plan."""
        rows = [a for a in plan if a.machine == machine]
        hours = [self.shop.by_name[a.job].operations[a.operation].on(machine) / MINUTES_PER_HOUR for a in rows]
        all_hours = sum(hours)
        _, whole = self.risks.failures(machine, hours=all_hours)
        if window is None:
            return whole
        worked = sum(h for a, h in zip(rows, hours, strict=True) if a.start < window.start)
        _, until = self.risks.failures(machine, hours=worked)
        new = 0.0
        if self.renewed is not None:
            _, new = self.renewed.failures(machine, hours=all_hours - worked)
        restoration = self.upkeep[machine].restoration
        return until + (1 - restoration) * (whole - until) + restoration * new

    def frame(self, plan: Plan, windows: Mapping[str, Window]) -> pl.DataFrame:
        rows = []
        for machine, item in self.upkeep.items():
            window = windows.get(machine)
            times = (None, None) if window is None else (window.start, window.end)
            costs = (self.failures(plan, machine, None), self.failures(plan, machine, window))
            rows.append((machine, *times, *costs, item.cost if window else 0.0))
        return pl.DataFrame(rows, schema=WINDOWS, orient="row")
