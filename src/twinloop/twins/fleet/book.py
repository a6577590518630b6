"""The workshop's book of the days ahead: candidates priced by the risks of now, the workshop's minutes by day."""

import math
from collections.abc import Mapping

import numpy as np

from twinloop.contracts import RiskTable
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.prepared import Prepared
from twinloop.scheduling.booking.bookings import Bookings
from twinloop.scheduling.booking.candidates import Work, candidates
from twinloop.scheduling.booking.rule import cost_rates
from twinloop.scheduling.booking.slots import Workshop
from twinloop.scheduling.question import Limit
from twinloop.simulation.fleet import Fleet
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY
from twinloop.twins.fleet import plan
from twinloop.twins.fleet.config import FleetSections

HOURS_PER_DAY = MINUTES_PER_DAY / MINUTES_PER_HOUR


def first_day(fleet: Fleet, risks: RiskTable) -> int:
    """Number of the first day that can still be agreed: the book's day 0."""
    return math.ceil(risks.issued_min / MINUTES_PER_DAY) + fleet.notice_days


def opened(
    sections: FleetSections,
    prepared: Prepared,
    risks: RiskTable,
    *,
    fleet: Fleet | None = None,
    reserve: Mapping[str, float] | None = None,
    seed: int,
) -> Bookings:
    """The book as it is proposed, before any customer has answered.

    fleet: as `plan.described` describes it for these assets, where the caller has it already. reserve: skill → share of
    its minutes that is kept for what nobody booked.
    Raises InputError for a workshop that is closed on all of these days.
    """
    settings = sections.booking
    fleet = fleet or plan.described(sections, prepared, vehicles=max(1, len(risks.assets)))
    first, days = first_day(fleet, risks), settings.ahead
    wait = max(first * MINUTES_PER_DAY - risks.issued_min, 0.0) / MINUTES_PER_HOUR
    share = plan.work_share(fleet)
    # Components wear by driving; a table by the calendar counts hours of which only a share is driven.
    by_clock, factor = (share, 1.0) if risks.clock == "calendar" else (1.0, share)
    hours = (wait + HOURS_PER_DAY * np.arange(days + 1)) * factor
    rates = cost_rates(fleet)
    work = {
        name: Work(
            component.skill,
            max(1, round(component.repair.average)),
            component.visit,
            rates.get(component.name, 0.0) * by_clock,
        )
        for name, component in plan.repairs(sections, prepared).items()
    }
    workshop = workshop_of(fleet, first, days, reserve=reserve or {})
    open_days = [day for day in range(days) if workshop.bays[day]]
    wanted = candidates(
        risks, work, hours=hours.tolist(), visit_cost=settings.visit_cost, days=dict.fromkeys(risks.assets, open_days)
    )
    return Bookings.of(
        wanted,
        workshop,
        answer_days=settings.answer_days,
        stability=settings.stability,
        limit=Limit(deterministic=settings.days_limit),
        seed=seed,
    )


def workshop_of(fleet: Fleet, first: int, days: int, *, reserve: Mapping[str, float]) -> Workshop:
    """Minutes of the fleet's workshop on so many days from number `first` on."""
    opening = fleet.opening_minutes(first, days)

    def minutes(count: int) -> tuple[int, ...]:
        return tuple((opening * count).astype(int).tolist())

    skills = {skill: minutes(count) for skill, count in fleet.workshop.technicians.items()}
    return Workshop(skills, minutes(fleet.workshop.bays), reserve=dict(reserve))
