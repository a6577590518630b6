"""Fixed intervals: each component is renewed at an age of its own (age replacement; Barlow and Hunter, 1960)."""

from dataclasses import dataclass

from twinloop.simulation.fleet.lives import Lives, Unit
from twinloop.simulation.fleet.policies.policy import NEVER, PerComponent
from twinloop.simulation.fleet.vehicle import Fleet

FACTORS = (0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 1.0, 1.2, 1.5)


@dataclass(frozen=True, eq=False)
class FixedInterval(PerComponent):
    """values: component → minutes of driving after which it is due."""

    unit = "minutes of driving"

    def due_age(self, lives: Lives, vehicle: int, component: int, number: int, unit: Unit, *, draw: int = 0) -> float:
        return self.value(lives, component)

    def grid(self, fleet: Fleet, component: int) -> list[float]:
        mean = fleet.components[component].wear.mean_life_min
        return [*(factor * mean for factor in FACTORS), NEVER]
