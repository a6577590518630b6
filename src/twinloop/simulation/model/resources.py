"""Who has to be there for work to go on: operators with skills and shifts, a maintenance crew, transporters."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Name


@settings
class Shift:
    """A part of every day, in minutes from its start."""

    start_min: Annotated[float, Field(ge=0)]
    end_min: Annotated[float, Field(gt=0)]


@settings
class Operators:
    """`count` equal people who can run the stations in `skills`; without shifts they are always there.

    A station that is in somebody's skills works only with an operator.
    """

    name: Name
    count: Annotated[int, Field(ge=1)] = 1
    skills: Annotated[tuple[Name, ...], Field(min_length=1)]
    shifts: tuple[Shift, ...] = ()


@settings
class Crew:
    """`size` people repair and maintain; machines wait for them by `Station.repair_priority`, then in order."""

    size: Annotated[int, Field(ge=1)]


@settings
class Transport:
    """`fleet` vehicles carry every part from station to station, one part a trip."""

    fleet: Annotated[int, Field(ge=1)]
    trip: Distribution
