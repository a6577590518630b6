"""A fleet's visits by expected cost: what a `Joint` policy of simulation.fleet asks every morning.

The days ahead are planned anew each morning from that morning's risks, under the workshop's minutes; only the visits of
the earliest day that can still be agreed are agreed, as all others will be known better tomorrow (rolling horizon).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import RiskTable
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.scheduling.booking.candidates import Work, candidates
from twinloop.scheduling.booking.days import book
from twinloop.scheduling.booking.slots import Workshop
from twinloop.scheduling.question import Limit
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY, Dates
from twinloop.simulation.fleet.morning import Morning, Visit
from twinloop.simulation.fleet.risks import survival
from twinloop.simulation.fleet.vehicle import Component, Fleet
from twinloop.simulation.fleet.workshop import Opening

Floats = NDArray[np.float64]
# Ages at which renewal is tried for the best fixed interval, as multiples of the mean life.
AGES = np.linspace(0.02, 3.0, 300)


@dataclass(frozen=True, eq=False)
class BookingRule:
    """Visits of the earliest day, of a plan over the next `ahead` days.

    rates: component → euro per hour of driving in the long run (`cost_rates`). reserve: skill → share of its minutes
    that is kept for failures on the road. visit_cost: euro of a visit besides its components.
    """

    rates: Mapping[str, float]
    ahead: int = 10
    reserve: Mapping[str, float] = field(default_factory=dict)
    visit_cost: float = 0.0
    limit: Limit | None = None

    def __call__(self, morning: Morning, risks: RiskTable) -> Iterable[Visit]:
        fleet, notice = morning.fleet, morning.earliest_day - morning.day
        span = notice + self.ahead
        dates = Dates.of(span, start=fleet.start, first=morning.day)
        garage = self.garage(fleet, dates, morning.day)
        if not garage.bays[notice]:
            return []
        open_days = [day for day in range(notice, span) if garage.bays[day]]
        hours = {kind.name: _hours(kind.duty.week, kind.duty.season, dates) for kind in fleet.kinds}
        kinds = {vehicle.name: vehicle.kind for vehicle in fleet.vehicles}
        free = morning.up[:, None] & ~morning.booked
        wanted = candidates(
            _of(risks, fleet, free),
            self.work(fleet),
            hours={name: hours[kind] for name, kind in kinds.items()},
            visit_cost=self.visit_cost,
            days=dict.fromkeys(fleet.names, open_days),
        )
        plan = book(wanted, garage, limit=self.limit)
        return [
            Visit(asset, components, morning.earliest_day)
            for asset, (day, components) in plan.visits.items()
            if day == notice
        ]

    def work(self, fleet: Fleet) -> dict[str, Work]:
        """What renewing each component takes."""
        return {
            c.name: Work(c.skill, max(1, round(c.repair.average)), c.visit, self.rates.get(c.name, 0.0))
            for c in fleet.components
        }

    def garage(self, fleet: Fleet, dates: Dates, first: int) -> Workshop:
        """Minutes of the workshop on each of these days, the first of which has number `first`."""
        days = len(dates.weekday)
        opening = Opening(fleet.workshop, dates, first=first)
        passed = [opening.passed(day * MINUTES_PER_DAY) for day in range(days + 1)]
        minutes = [int(after - before) for before, after in pairwise(passed)]
        skills = {skill: tuple(count * each for each in minutes) for skill, count in fleet.workshop.technicians.items()}
        return Workshop(skills, tuple(fleet.workshop.bays * each for each in minutes), reserve=self.reserve)


def cost_rates(fleet: Fleet) -> dict[str, float]:
    """Component → euro per hour of driving under its best fixed interval, new parts and no waiting.

    Renewal reward: (w + (C - w)·F(T)) / ∫₀ᵀ S, at its least over T (Barlow and Hunter 1960).
    """
    return {component.name: _rate(component) for component in fleet.components}


def _rate(component: Component) -> float:
    age = AGES * component.wear.mean_life_min
    alive = survival(component.wear, age)
    lived = np.concatenate([[age[0]], age[0] + np.cumsum((alive[1:] + alive[:-1]) / 2 * np.diff(age))])
    cost = component.visit + (component.failure - component.visit) * (1 - alive)
    return float((cost / lived).min() * MINUTES_PER_HOUR)


def _hours(week: tuple[float, ...], season: tuple[float, ...], dates: Dates) -> tuple[float, ...]:
    driven = np.array(week)[dates.weekday] * np.array(season)[dates.month] / MINUTES_PER_HOUR
    return tuple(np.append(0.0, driven.cumsum()).tolist())


def _of(risks: RiskTable, fleet: Fleet, free: NDArray[np.bool_]) -> RiskTable:
    """The rows of components that can be agreed on."""
    vehicles, parts = np.nonzero(free)
    keys = pl.DataFrame({"asset": np.array(fleet.names)[vehicles], "component": np.array(fleet.parts)[parts]})
    return RiskTable.of(
        risks.frame.join(keys, on=["asset", "component"], how="semi"), issued_min=risks.issued_min, clock=risks.clock
    )
