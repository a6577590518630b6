"""What a policy sees each morning and what it asks for: here a fleet meets whoever plans its visits."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.simulation.fleet.vehicle import Fleet

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Visit(NamedTuple):
    """A visit to the workshop that is to be agreed: which components of a vehicle are renewed on which day.

    On a day on which the workshop is closed, or parts are not there yet, it is the next day on which both hold.
    """

    vehicle: str
    components: tuple[str, ...]
    day: int


@dataclass(frozen=True, eq=False)
class Morning:
    """What is known when a day begins; arrays are [vehicles] or [vehicles, components], in the order of the fleet.

    day: its number; days of the warm-up are below 0. time_min: its midnight, from day 0 on. earliest_day: the first on
    which a visit can still be agreed. odometer_min: minutes driven; age_min: those since the component was renewed.
    due: whether that is its due age or more (an alert was given, an interval is over). due_since_min: minutes driven
    since it became due, 0 where it is not.
    standing_min: average minutes of repair that are left to do at vehicles that stand; 0 for all others.
    up: vehicles that are neither down nor in the workshop; only they can be agreed on. visit_day: number of the day on
    which the component's agreed visit is, NaN without one.
    """

    fleet: Fleet
    day: int
    time_min: float
    earliest_day: int
    odometer_min: Floats
    age_min: Floats
    due: Flags
    due_since_min: Floats
    standing_min: Floats
    up: Flags
    visit_day: Floats

    @property
    def booked(self) -> Flags:
        """Whether a visit of the component is agreed, [vehicles, components]."""
        return np.isfinite(self.visit_day)
