"""A fleet's visits by expected cost: what a `Joint` policy of simulation.fleet asks every morning.

The days ahead are planned anew each morning from that morning's risks, under the workshop's minutes; only the visits of
the earliest day that can still be agreed are agreed, as all others will be known better tomorrow (rolling horizon).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import RiskTable
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.scheduling.booking.candidates import Work, candidates
from twinloop.scheduling.booking.days import book
from twinloop.scheduling.booking.slots import Workshop
from twinloop.scheduling.question import Limit
from twinloop.simulation.fleet.morning import Morning, Visit
from twinloop.simulation.fleet.policies import Alert, Joint
from twinloop.simulation.fleet.risks import Foresight, survival
from twinloop.simulation.fleet.vehicle import Component, Fleet

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
        garage = self.garage(morning)
        if garage is None or not garage.bays[notice]:
            return []
        hours = fleet.driving_hours(morning.day, garage.days)
        open_days = [day for day in range(notice, garage.days) if garage.bays[day]]
        wanted = candidates(
            _of(risks, fleet, morning.up[:, None] & ~morning.booked),
            self.work(fleet),
            hours=dict(zip(fleet.names, hours.tolist(), strict=True)),
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

    def garage(self, morning: Morning) -> Workshop | None:
        """Minutes of the workshop from this morning on, without those of agreed visits; None where nothing is left."""
        fleet = morning.fleet
        span = morning.earliest_day - morning.day + self.ahead
        opening = fleet.opening_minutes(morning.day, span)
        bays = opening * fleet.workshop.bays
        skills = {skill: opening * count for skill, count in fleet.workshop.technicians.items()}
        day = morning.visit_day - morning.day
        for vehicle, place in np.argwhere((day >= 0) & (day < span)):
            component, agreed = fleet.components[place], int(day[vehicle, place])
            bays[agreed] -= component.repair.average
            skills[component.skill][agreed] -= component.repair.average
        if bays.max() < 1 or max(left.max() for left in skills.values()) < 1:
            return None
        return Workshop({skill: _whole(left) for skill, left in skills.items()}, _whole(bays), reserve=self.reserve)


def joint_rule(fleet: Fleet, alerts: Alert, *, ahead: int = 10, limit: Limit | None = None) -> Joint:
    """The rule by expected cost as a policy of the fleet: it knows these alerts, each at its threshold, and the ages.

    ahead, limit: as of `BookingRule`.
    """
    curves = {name: curve.at(alerts.values[name]) for name, curve in alerts.curves.items() if name in alerts.values}
    rule = BookingRule(cost_rates(fleet), ahead=ahead, limit=limit)
    return Joint(rule, signals=alerts, foresight=Foresight(curves))


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


def _whole(minutes: Floats) -> tuple[int, ...]:
    return tuple(np.maximum(minutes, 0.0).astype(int).tolist())


def _of(risks: RiskTable, fleet: Fleet, free: NDArray[np.bool_]) -> RiskTable:
    """The rows of components that can be agreed on."""
    vehicles, parts = np.nonzero(free)
    keys = pl.DataFrame({"asset": np.array(fleet.names)[vehicles], "component": np.array(fleet.parts)[parts]})
    return RiskTable.of(
        risks.frame.join(keys, on=["asset", "component"], how="semi"), issued_min=risks.issued_min, clock=risks.clock
    )
