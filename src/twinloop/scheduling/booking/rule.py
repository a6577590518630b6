"""A fleet's visits by expected cost: what a `Joint` policy of simulation.fleet asks every morning.

The days ahead are planned anew each morning from that morning's risks, under the workshop's minutes; only the visits of
the earliest day that can still be agreed are agreed, as all others will be known better tomorrow (rolling horizon). A
day has the minutes of its opening hours, less agreed visits, vehicles that stand already, and failures to be expected.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from twinloop.contracts import AlertCurve, RiskTable
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.replication.design import Design
from twinloop.replication.experiment import run
from twinloop.replication.system import System
from twinloop.scheduling.booking.candidates import Work, candidates
from twinloop.scheduling.booking.days import book
from twinloop.scheduling.booking.slots import Candidate, Workshop
from twinloop.scheduling.question import Limit
from twinloop.simulation.fleet.experiment import Alone, Played
from twinloop.simulation.fleet.morning import Morning, Visit
from twinloop.simulation.fleet.policies import Alert, Joint
from twinloop.simulation.fleet.record import COST, KPIS
from twinloop.simulation.fleet.risks import Foresight, Warnings, survival
from twinloop.simulation.fleet.tuning import FIRST
from twinloop.simulation.fleet.vehicle import Component, Fleet
from twinloop.simulation.maintenance.prediction import predictor_of

Floats = NDArray[np.float64]
WEEK = 7
# Ages at which renewal is tried for the best fixed interval, as multiples of the mean life.
AGES = np.linspace(0.02, 3.0, 300)
# Prices of a minute of a bay that are tried, as shares of the one at which an hour of driving earns nothing.
CROWDED = (0.0, 0.25, 0.5)


@dataclass(frozen=True, eq=False)
class BookingRule:
    """Visits of the earliest day, of a plan over the next `ahead` days.

    rates: component → euro per hour of driving in the long run (`cost_rates`). reserve: skill → share of its minutes
    that is kept for failures on the road. visit_cost: euro of a visit besides its components. standing: euro per
    hour of driving lost by a vehicle that comes before there is room for it and waits (`standing_price`); None where
    nobody comes sooner.
    """

    rates: Mapping[str, float]
    ahead: int = 10
    reserve: Mapping[str, float] = field(default_factory=dict)
    visit_cost: float = 0.0
    standing: float | None = None
    limit: Limit | None = None

    def __call__(self, morning: Morning, risks: RiskTable) -> Iterable[Visit]:
        fleet, notice = morning.fleet, morning.earliest_day - morning.day
        opening = fleet.opening_minutes(morning.day, notice + self.ahead)
        if not opening[notice]:
            return []
        hours = fleet.driving_hours(morning.day, len(opening))
        open_days = np.flatnonzero(opening[notice:]) + notice
        wanted = candidates(
            risks,
            self.work(fleet),
            hours=dict(zip(fleet.names, hours.tolist(), strict=True)),
            visit_cost=self.visit_cost,
            days=dict.fromkeys(fleet.names, open_days.tolist()),
            standing=self.standing,
        )
        wanted = [free for candidate in wanted if (free := _free(candidate, morning)) is not None]
        garage = self.garage(morning, opening, failing=_unforeseen(risks, morning, hours, wanted))
        if garage is None:
            return []
        plan = book([_on_open_days(candidate, garage) for candidate in wanted], garage, limit=self.limit)
        tasks = {(one.asset, task.component): task for one in wanted for task in one.tasks}
        return [
            Visit(asset, components, morning.earliest_day)
            for asset, (day, components) in plan.visits.items()
            if min(tasks[asset, name].since(day) for name in components) == notice
        ]

    def work(self, fleet: Fleet) -> dict[str, Work]:
        """What renewing each component takes."""
        return {
            c.name: Work(c.skill, max(1, round(c.repair.average)), c.visit, self.rates.get(c.name, 0.0))
            for c in fleet.components
        }

    def garage(self, morning: Morning, opening: Floats, *, failing: Floats) -> Workshop | None:
        """Minutes of the workshop by day from this morning on, less what is taken already; None where nothing is left.

        Agreed visits take their day, vehicles that stand the first days, as they are served in the order in which they
        came, and failures that no visit forestalls what `failing` [components, days] expects of them.
        """
        fleet, days = morning.fleet, len(opening)
        agreed = np.zeros((len(fleet.components), days))
        day = morning.visit_day - morning.day
        for vehicle, place in np.argwhere((day >= 0) & (day < days)):
            agreed[place, int(day[vehicle, place])] += fleet.components[place].repair.average
        taken, standing = agreed + failing, morning.standing_min.sum(axis=0)
        bays = _left(opening * fleet.workshop.bays - taken.sum(axis=0), standing.sum())
        skills = {}
        for skill, count in fleet.workshop.technicians.items():
            own = np.array([c.skill == skill for c in fleet.components])
            skills[skill] = _left(opening * count - taken[own].sum(axis=0), standing[own].sum())
        if bays.max() < 1 or max(left.max() for left in skills.values()) < 1:
            return None
        return Workshop({skill: _whole(left) for skill, left in skills.items()}, _whole(bays), reserve=self.reserve)


def joint_rule(
    fleet: Fleet,
    alerts: Alert,
    *,
    ahead: int = 10,
    minute: float = 0.0,
    limit: Limit | None = None,
) -> Joint:
    """The rule by expected cost as a policy of the fleet: it knows these alerts, each at its threshold, and the ages.

    minute: as of `cost_rates`; the price of standing follows from it. ahead, limit: as of `BookingRule`.
    """
    curves = {name: curve.at(alerts.values[name]) for name, curve in alerts.curves.items() if name in alerts.values}
    rates = cost_rates(fleet, curves=curves, minute=minute)
    rule = BookingRule(rates, ahead=ahead, standing=standing_price(fleet, rates), limit=limit)
    return Joint(rule, signals=alerts, foresight=Foresight(curves))


def tuned_joint_rule(
    fleet: Fleet,
    alerts: Alert,
    *,
    days: int,
    warmup_days: int = 0,
    replications: int = 4,
    seed: int = 1,
    workers: int = 1,
    ahead: int = 10,
) -> Joint:
    """The joint rule at that one of a few prices of a minute of a bay that costs least in simulated fleets.

    A workshop shared by all lives is a Lagrangian's constraint: priced by the minute, it leaves every component a
    problem of its own (Whittle 1988; Adelman and Mersereau 2008). The price is what a minute costs those who wait
    behind it, from 0 to `dearest_minute`. How much depends on the whole fleet, so it is tried, in the replications in
    which `tuned` tries thresholds, and they are none of those by which policies are compared.
    """
    most = dearest_minute(fleet)
    tried = {
        f"{share * most:g} €/min": joint_rule(fleet, alerts, ahead=ahead, minute=share * most)
        for share in (CROWDED if most else CROWDED[:1])
    }
    design = Design(replications=replications, first=FIRST, seed=seed, workers=workers)
    played = {
        name: Alone(Played(fleet, {name: policy}, days, warmup_days, seed, drawn=True))
        for name, policy in tried.items()
    }
    results = run([System(name, one) for name, one in played.items()], design, KPIS)
    return tried[min(tried, key=lambda name: float(results[name].values(COST).mean()))]


def cost_rates(
    fleet: Fleet, *, curves: Mapping[str, AlertCurve] | None = None, minute: float = 0.0
) -> dict[str, float]:
    """Component → euro per hour of driving under its best fixed interval, or its alerts; new parts and no waiting.

    Renewal reward: what a life costs on average over how long it is, for intervals (w + (C - w)·F(T)) / ∫₀ᵀ S, at its
    least over T (Barlow and Hunter 1960). curves: component → its predictor at its operating point. minute: euro by
    which each minute of a bay is dearer than what is paid for the work, to those who wait for it.
    """
    notice = fleet.notice_days * float(fleet.driving_hours(0, WEEK)[:, -1].mean()) / WEEK * MINUTES_PER_HOUR
    known = curves or {}
    return {c.name: _rate(c, known.get(c.name), notice, minute) * MINUTES_PER_HOUR for c in fleet.components}


def standing_price(fleet: Fleet, rates: Mapping[str, float]) -> float:
    """Euro per hour of driving that a vehicle loses while it waits: its downtime, less what driving would have cost.

    Who stands neither fails nor wears, and is worth what all its lives cost in the long run (`cost_rates`).
    """
    return max(fleet.downtime_hour - sum(rates.values()), 0.0)


def dearest_minute(fleet: Fleet) -> float:
    """Euro per minute of a bay at which an hour of driving costs as much as one of standing: then it is best to stand.

    A workshop that can never do all work is worth that; none is worth more.
    """
    if not standing_price(fleet, cost_rates(fleet)):
        return 0.0
    # No life is longer than one that is used up, so that rates grow with the price at least so fast.
    least = sum(c.repair.average / c.wear.mean_life_min for c in fleet.components) * MINUTES_PER_HOUR
    return float(
        brentq(
            lambda minute: fleet.downtime_hour - sum(cost_rates(fleet, minute=minute).values()),
            0.0,
            fleet.downtime_hour / least,
        )
    )


def _rate(component: Component, curve: AlertCurve | None, notice: float, minute: float) -> float:
    """Euro per minute of driving; notice: such minutes until a visit can be."""
    wear, work = component.wear, minute * component.repair.average
    renewed, failed = component.visit + work, component.failure + component.failed_factor * work
    age = np.append(0.0, AGES) * wear.mean_life_min
    alive = survival(wear, age)
    lived = _integral(alive, age)[1:]
    rate = float(((renewed * alive[1:] + failed * (1 - alive[1:])) / lived).min())
    if curve is None:
        return rate
    # Heeding the first alert: a life ends at a false alarm, at a right one, or fails without one in time.
    known = Warnings(predictor_of(curve), wear)
    false = known.predictor.false_alarms_per_hour[0] / MINUTES_PER_HOUR
    unspoilt = np.exp(-false * age)
    failing = (1 - known.in_time(notice)) * (1 - false * _integral(unspoilt * alive, age)[-1])
    lived = _integral(unspoilt * known.quiet(age), age)
    return min(rate, float((renewed + (failed - renewed) * failing) / lived[-1]))


def _integral(values: Floats, age: Floats) -> Floats:
    """[n] from the first age to each."""
    parts = (values[1:] + values[:-1]) / 2 * np.diff(age)
    total: Floats = np.append(0.0, parts.cumsum())
    return total


def _whole(minutes: Floats) -> tuple[int, ...]:
    return tuple(minutes.astype(int).tolist())


def _left(minutes: Floats, standing: float) -> Floats:
    """Minutes by day, at least 0, when what stands there has been done first."""
    whole = np.maximum(minutes, 0.0)
    done = np.minimum(whole.cumsum(), standing)
    left: Floats = whole - np.diff(done, prepend=0.0)
    return left


def _free(candidate: Candidate, morning: Morning) -> Candidate | None:
    """The candidate with those of its tasks that can be agreed on this morning; None without any."""
    fleet = morning.fleet
    vehicle = fleet.vehicle(candidate.asset)
    if not morning.up[vehicle]:
        return None
    booked = morning.booked[vehicle]
    tasks = tuple(task for task in candidate.tasks if not booked[fleet.component(task.component)])
    return replace(candidate, tasks=tasks) if tasks else None


def _on_open_days(candidate: Candidate, garage: Workshop) -> Candidate:
    """Without the days on which no bay has a minute left."""
    return replace(candidate, days=tuple(day for day in candidate.days or () if garage.bays[day]))


def _unforeseen(risks: RiskTable, morning: Morning, hours: Floats, wanted: Iterable[Candidate]) -> Floats:
    """[components, days] minutes of repair that are expected of failures which no visit of these would forestall."""
    fleet, known = morning.fleet, risks.hazards
    vehicles, places = ({name: k for k, name in enumerate(names)} for names in (fleet.names, fleet.parts))
    vehicle = np.array([vehicles[asset] for asset in known.asset], np.int64)
    place = np.array([places[name] for name in known.component], np.int64)
    open_ = morning.up[:, None] & ~morning.booked
    for candidate in wanted:
        for task in candidate.tasks:
            open_[vehicles[candidate.asset], places[task.component]] = False
    own = np.flatnonzero(open_[vehicle, place])
    failing = np.diff(known.until(hours[vehicle])[own], axis=1)
    minutes = np.zeros((len(fleet.components), hours.shape[1] - 1))
    repair = np.array([c.failed_factor * c.repair.average for c in fleet.components])
    np.add.at(minutes, place[own], failing * repair[place[own], None])
    return minutes
