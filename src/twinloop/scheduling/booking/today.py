"""What happens to a day of the workshop while it runs: who does not come, who comes unannounced, what takes longer.

Each is answered by repair: visits that have begun stay, all others may move. Who is no longer finished in time is told,
so that another day can be found for them (`bookings.Bookings`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.booking.visits import Day, Garage, Visit
from twinloop.scheduling.problem.opening_checks import check_whole
from twinloop.scheduling.problem.resources import Material
from twinloop.scheduling.rescheduling.events import Breakdown, CancelledJob, Event, LateMaterial, RushJob
from twinloop.scheduling.rescheduling.replan import Settings, replan
from twinloop.scheduling.rescheduling.replan import react as rearrange


@dataclass(frozen=True)
class NoShow:
    """At minute `time` it is clear that the asset does not come."""

    time: int
    asset: str


@dataclass(frozen=True)
class Emergency:
    """A visit that nobody booked, known from minute `time` on."""

    time: int
    visit: Visit


@dataclass(frozen=True)
class Overrun:
    """At minute `time` it is clear that the work on the asset, which has begun, takes so many `minutes` more."""

    time: int
    asset: str
    minutes: int


@dataclass(frozen=True)
class LateParts:
    """The delivery of a part that was due at `expected` comes at `arrives`; known from minute `time` on."""

    time: int
    part: str
    expected: int
    arrives: int


@dataclass(frozen=True)
class Absence:
    """A technician of the garage is not there from minute `time` on, until the day is over."""

    time: int
    technician: str


Happening = NoShow | Emergency | Overrun | LateParts | Absence


def react(
    garage: Garage, day: Day, happening: Happening, *, visits: Sequence[Visit], settings: Settings | None = None
) -> Day:
    """The day repaired; `left` names who of its visits is not finished by the minute at which it leaves.

    visits: those who are in the plan. After an absence the day is what is still to come: visits that have ended are no
    longer in it, the last of those that run is broken off where nobody can take over, and what follows is asked of
    `garage.without(technician)`.
    Raises InputError for an asset that has no visit, work that has not begun or has ended, an unknown technician, and
    what `rescheduling` refuses.
    """
    if isinstance(happening, Absence):
        return _without(garage, day, happening, {visit.asset: visit for visit in visits}, settings)
    event = _event(garage, day, happening)
    answer = replan(day.shop, day.plan, event, settings=settings)
    if answer.plan is None:
        raise InputError(f"workshop: {answer.solution.reason}")
    known = [*visits, happening.visit] if isinstance(happening, Emergency) else visits
    return Day(answer.shop, answer.plan, _late(answer.plan, known))


def _late(plan: Plan, visits: Sequence[Visit]) -> tuple[str, ...]:
    leaves = {visit.asset: visit.leaves for visit in visits}
    return tuple(sorted(a.job for a in plan if a.end > leaves.get(a.job, a.end)))


def _without(garage: Garage, day: Day, absence: Absence, visits: Mapping[str, Visit], settings: Settings | None) -> Day:
    """Runs and waits for who is still there. Hours of one person cannot differ within a shop, so it begins anew."""
    now = absence.time
    check_whole(now, 0, f"workshop: absence of {absence.technician}: time")
    here = garage.without(absence.technician)
    if missing := [a.job for a in day.plan if a.job not in visits]:
        raise InputError(f"workshop: {missing[0]!r} is in the plan: expected its visit, got none: give all visits")
    begun = [a for a in day.plan if a.start < now]
    stays = list[str]()
    for a in sorted(begun, key=lambda a: (a.end, a.job)):
        if a.end > now and _manned(here, [visits[name] for name in (*stays, a.job)]):
            stays.append(a.job)
    waits = [a.job for a in day.plan if a.start >= now and _manned(here, [visits[a.job]])]
    ended = {a.job for a in begun if a.end <= now}
    left = [a.job for a in day.plan if a.job not in {*stays, *waits, *ended}]
    if not stays and not waits:
        return Day(day.shop, Plan.of([]), tuple(sorted(left)))
    # What has begun has its parts already.
    taken = [part for a in begun for part, count in visits[a.job].parts.items() for _ in range(count)]
    stock = tuple(_stock(material, now, taken.count(material.name)) for material in day.shop.materials)
    coming = [*(replace(visits[name], parts={}) for name in stays), *(visits[name] for name in waits)]
    shop = replace(here, parts=stock).shop(coming)
    plan = Plan.of(a for a in day.plan if a.job in shop.by_name)
    running = [a for a in begun if a.job in stays]
    answer = rearrange(shop, plan, running, now=now, method="repair", settings=settings or Settings())
    if answer.plan is None:
        raise InputError(f"workshop: {answer.solution.reason}")
    return Day(answer.shop, answer.plan, tuple(sorted({*left, *_late(answer.plan, coming)})))


def _manned(garage: Garage, visits: Collection[Visit]) -> bool:
    """Whether there is a technician for every skill of these visits at once."""
    people = list(garage.technicians.values())
    able = np.array([[skill in own for own in people] for visit in visits for skill in visit.minutes])
    if not able.size:
        return False
    return bool((maximum_bipartite_matching(csr_array(able), perm_type="column") >= 0).all())


def _stock(material: Material, now: int, taken: int) -> Material:
    """What is there at a minute, and what is still to come."""
    come = sum(count for time, count in material.deliveries if time <= now)
    later = tuple((time, count) for time, count in material.deliveries if time > now)
    return replace(material, initial=material.initial + come - taken, deliveries=later)


def _event(garage: Garage, day: Day, happening: NoShow | Emergency | Overrun | LateParts) -> Event:
    match happening:
        case NoShow(time, asset):
            _planned(day, asset)
            return CancelledJob(time, asset)
        case Emergency(time, visit):
            return RushJob(time, garage.job(visit))
        case LateParts(time, part, expected, arrives):
            return LateMaterial(time, part, expected, arrives)
        case Overrun(time, asset, minutes):
            check_whole(minutes, 1, f"workshop: overrun of {asset}: minutes")
            start, end, bay = _planned(day, asset)
            if not start <= time < end:
                raise InputError(
                    f"workshop: {asset} is in its bay from {start} to {end}: its overrun at {time} is not then"
                )
            # The bay stands for so long, and what is in it goes on afterwards.
            return Breakdown(time, bay, minutes)


def _planned(day: Day, asset: str) -> tuple[int, int, str]:
    for a in day.plan:
        if a.job == asset:
            return a.start, a.end, a.machine
    known = ", ".join(sorted(a.job for a in day.plan)[:6]) or "none"
    raise InputError(f"workshop: {asset!r} has no visit today; known: {known}")
