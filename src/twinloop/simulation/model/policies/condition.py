"""Condition-based maintenance: inspected at an interval, maintained where its health is too low."""

import numpy as np

from twinloop.simulation.model.policies.policy import NEVER, Policy, PolicySettings
from twinloop.simulation.model.wear_path import WearPath


class Condition(Policy):
    """Looked at every `interval_min`; maintained at the first look at or below `health_below`, if one is in time."""

    takes = ("interval_min", "health_below")

    def due_age(self, settings: PolicySettings, path: WearPath, rng: np.random.Generator, *, draw: int = 0) -> float:
        interval_min, health_below = settings.interval_min or NEVER, settings.health_below or 0.0
        looks = np.arange(interval_min, path.life_min, interval_min, dtype=np.float64)
        bad = looks[path.health(looks) <= health_below]
        return float(bad[0]) if len(bad) else NEVER
