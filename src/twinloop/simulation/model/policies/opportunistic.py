"""Opportunistic maintenance: a worn machine is maintained when that costs no production."""

import numpy as np

from twinloop.simulation.model.policies.policy import Policy, PolicySettings
from twinloop.simulation.model.wear_path import WearPath


class Opportunistic(Policy):
    """Watched all the time; at or below `health_below` when it has no part or another machine is down."""

    takes = ("health_below",)
    waits = True

    def due_age(self, settings: PolicySettings, path: WearPath, rng: np.random.Generator, *, draw: int = 0) -> float:
        return path.age_below(settings.health_below or 0.0)
