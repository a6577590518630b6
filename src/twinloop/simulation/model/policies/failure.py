"""Run to failure: never maintained."""

import numpy as np

from twinloop.simulation.model.policies.policy import NEVER, Policy, PolicySettings
from twinloop.simulation.model.wear_path import WearPath


class Failure(Policy):
    """The machine runs until it fails."""

    def due_age(self, settings: PolicySettings, path: WearPath, rng: np.random.Generator, *, draw: int = 0) -> float:
        return NEVER
