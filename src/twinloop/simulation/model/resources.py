"""Who has to be there for work to go on: operators with skills and shifts, a maintenance crew, transporters."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.errors import nearest
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Name


@settings
class Shift:
    """A part of every day, in minutes from its start."""

    start_min: Annotated[float, Field(ge=0)]
    end_min: Annotated[float, Field(gt=0)]

    def __post_init__(self) -> None:
        if self.end_min <= self.start_min:
            raise ValueError(
                f"expected end_min after start_min {self.start_min:g}, got {self.end_min:g}; "
                "a shift over midnight is two shifts"
            )


def check_shifts(whose: str, shifts: Sequence[Shift]) -> None:
    """Raises ValueError for shifts that overlap or are not in order."""
    for earlier, later in pairwise(shifts):
        if later.start_min < earlier.end_min:
            raise ValueError(
                f"{whose}: expected shifts one after the other, got one from {later.start_min:g} "
                f"before the end {earlier.end_min:g} of another; more people at a time are a second group"
            )


@settings
class Operators:
    """`count` equal people who can run the stations in `skills`; without shifts they are always there.

    A station that is in somebody's skills works only with an operator, who stays from set-up to the end of the work,
    breakdowns included; what is under way when a shift ends is finished. Of several groups that could come, the first
    in the line's list does.

    >>> Operators(name="night", skills=("press",), shifts=(Shift(start_min=0, end_min=360),)).minutes_per_day(1440)
    360.0
    """

    name: Name
    count: Annotated[int, Field(ge=1)] = 1
    skills: Annotated[tuple[Name, ...], Field(min_length=1)]
    shifts: tuple[Shift, ...] = ()

    def __post_init__(self) -> None:
        check_shifts(f"operators {self.name}", self.shifts)

    def minutes_per_day(self, day: float) -> float:
        """Minutes that one of them is there in a day of `day` minutes."""
        return sum(shift.end_min - shift.start_min for shift in self.shifts) if self.shifts else day


@settings
class Crew:
    """`size` people repair and maintain; machines wait for them by `Station.repair_priority`, then in order.

    shifts: when they begin a repair (empty: always); what is under way when a shift ends is finished.
    """

    size: Annotated[int, Field(ge=1)]
    shifts: tuple[Shift, ...] = ()

    def __post_init__(self) -> None:
        check_shifts("crew", self.shifts)


@settings
class Transport:
    """`fleet` vehicles carry every part from station to station, one part a trip.

    trip: minutes from taking a part up until the vehicle is free again, where the part arrives.
    """

    fleet: Annotated[int, Field(ge=1)]
    trip: Distribution


def check_operators(operators: Sequence[Operators], crew: Crew | None, stations: Sequence[str], *, day: float) -> None:
    """Raises ValueError for a skill at no station and a shift beyond the day of `day` minutes."""
    for group in operators:
        for skill in group.skills:
            if skill not in stations:
                raise ValueError(
                    f"operators {group.name}: skills: unknown station {skill!r}; {nearest(skill, stations)}"
                )
    people = [(f"operators {group.name}", group.shifts) for group in operators]
    people += [("crew", crew.shifts)] if crew else []
    for whose, shifts in people:
        for shift in shifts:
            if shift.end_min > day:
                raise ValueError(
                    f"{whose}: expected shifts within the day of {day:g} minutes, got an end at "
                    f"{shift.end_min:g}: shorten the shift or set minutes_per_day"
                )


def spans(shifts: Sequence[Shift], day: float) -> Iterator[tuple[float, float]]:
    """Start and end of every time somebody is there, in minutes; shifts that follow each other are one.

    >>> from itertools import islice
    >>> early, late = Shift(start_min=0, end_min=240), Shift(start_min=720, end_min=960)
    >>> list(islice(spans((early, late), 960), 3))
    [(0.0, 240.0), (720.0, 1200.0), (1680.0, 2160.0)]
    """
    if sum(shift.end_min - shift.start_min for shift in shifts) >= day:
        yield 0.0, float("inf")
        return
    since, until, today = shifts[0].start_min, shifts[0].end_min, 0
    while True:
        for shift in shifts:
            start, end = today * day + shift.start_min, today * day + shift.end_min
            if start > until:
                yield since, until
                since = start
            until = end
        today += 1
