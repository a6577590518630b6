"""Age replacement: maintained at a fixed age (Barlow and Hunter, 1960)."""

import numpy as np

from twinloop.simulation.model.policies.policy import NEVER, Policy, PolicySettings
from twinloop.simulation.model.wear_path import WearPath


class Interval(Policy):
    """From age `interval_min` on, whatever the machine's health."""

    takes = ("interval_min",)

    def due_age(self, settings: PolicySettings, path: WearPath, rng: np.random.Generator, *, draw: int = 0) -> float:
        return settings.interval_min or NEVER
