"""What happens to a day of the workshop while it runs: who does not come, who comes unannounced, what takes longer.

Each is an event of `rescheduling`, answered by repair: visits that have begun stay, all others may move. Who is no
longer finished in time is told, so that another day can be found for them (`bookings.Bookings`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from twinloop.errors import InputError
from twinloop.scheduling.booking.visits import Day, Garage, Visit
from twinloop.scheduling.problem.opening_checks import check_whole
from twinloop.scheduling.rescheduling.events import Breakdown, CancelledJob, Event, LateMaterial, RushJob
from twinloop.scheduling.rescheduling.replan import Settings, replan


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


Happening = NoShow | Emergency | Overrun | LateParts


def react(
    garage: Garage, day: Day, happening: Happening, *, leaves: Mapping[str, int], settings: Settings | None = None
) -> Day:
    """The day repaired; `left` names who of its visits is not finished by the minute at which it leaves.

    leaves: asset → latest minute of those who are in the plan. Raises InputError for an asset that has no visit, work
    that has not begun or has ended, and what `rescheduling` refuses.
    """
    event = _event(garage, day, happening)
    answer = replan(day.shop, day.plan, event, settings=settings)
    if answer.plan is None:
        raise InputError(f"workshop: {answer.solution.reason}")
    latest = {**leaves, **({happening.visit.asset: happening.visit.leaves} if isinstance(happening, Emergency) else {})}
    late = [a.job for a in answer.plan if a.end > latest.get(a.job, a.end)]
    return Day(answer.shop, answer.plan, tuple(sorted({*late})))


def _event(garage: Garage, day: Day, happening: Happening) -> Event:
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
