"""What a maintenance policy of a fleet is: from which age a component is due in each life, and how visits follow.

The path of a life is drawn whole, so what a policy may know of it is in its formula: an interval nothing, wear seen the
level, a predictor the failure through its recall, lead times and false alarms, the oracle everything.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from twinloop.errors import InputError
from twinloop.simulation.fleet.lives import Lives, Unit
from twinloop.simulation.fleet.morning import Morning, Visit
from twinloop.simulation.fleet.vehicle import Fleet

NEVER = math.inf


class Policy:
    """Base of all policies.

    at_failure: renewal takes the place of a failure at the moment that it would come. watches: whether it looks at the
    fleet every morning.
    """

    at_failure: ClassVar[bool] = False
    watches: ClassVar[bool] = True

    @property
    def draws(self) -> int:
        """Number of draws of what was measured, besides its estimate."""
        return 0

    def check(self, fleet: Fleet) -> None:
        """Raise InputError where the policy does not fit the fleet."""

    def due_age(self, lives: Lives, vehicle: int, component: int, number: int, unit: Unit, *, draw: int = 0) -> float:
        """Minutes of driving from which on the component is due in this life; infinite for never.

        draw: which draw of what was measured holds, 0 for its estimate.
        """
        return NEVER

    def visits(self, morning: Morning) -> Iterable[Visit]:
        """Every component that is due, on the earliest day."""
        wanted = morning.due & ~morning.booked & morning.up[:, None]
        fleet = morning.fleet
        for vehicle in np.flatnonzero(wanted.any(axis=1)).tolist():
            parts = tuple(fleet.parts[place] for place in np.flatnonzero(wanted[vehicle]).tolist())
            yield Visit(fleet.names[vehicle], parts, morning.earliest_day)


@dataclass(frozen=True, eq=False)
class PerComponent(Policy):
    """A policy of one number per component; a component without one is never due."""

    values: Mapping[str, float]
    unit: ClassVar[str] = ""

    def check(self, fleet: Fleet) -> None:
        for name, value in self.values.items():
            fleet.component(name)
            if not value >= 0:  # NaN too
                raise InputError(f"{type(self).__name__}: {name} = {value}: expected {self.unit} ≥ 0")

    def at(self, values: Mapping[str, float]) -> Self:
        """The same policy with other numbers."""
        return dataclasses.replace(self, values=dict(values))

    def grid(self, fleet: Fleet, component: int) -> list[float]:
        """Numbers that are worth a try for one component, in order, the one that is never due last."""
        raise NotImplementedError

    def value(self, lives: Lives, component: int) -> float:
        """The component's number; infinite where it has none."""
        return self.values.get(lives.fleet.components[component].name, NEVER)
