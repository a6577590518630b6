"""Wear seen: renewal at a level of wear that nobody can measure; the most that sensors can be worth."""

from dataclasses import dataclass

import numpy as np

from twinloop.simulation.fleet.lives import Lives, Unit
from twinloop.simulation.fleet.policies.policy import NEVER, PerComponent
from twinloop.simulation.fleet.vehicle import Fleet

LEVELS = np.linspace(0.1, 0.98, 12)


@dataclass(frozen=True, eq=False)
class WearSeen(PerComponent):
    """values: component → share of its wear limit from which it is due."""

    unit = "a share of the wear limit"

    def due_age(self, lives: Lives, vehicle: int, component: int, number: int, unit: Unit, *, draw: int = 0) -> float:
        share = self.value(lives, component)
        return unit.path.age_below(1 - share) if share < 1 else NEVER

    def grid(self, fleet: Fleet, component: int) -> list[float]:
        return [*LEVELS.tolist(), NEVER]
