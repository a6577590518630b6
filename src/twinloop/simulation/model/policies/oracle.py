"""The oracle: what nobody has, to compare with. It uses every life to its last minute and never has a breakdown."""

import numpy as np

from twinloop.simulation.model.policies.policy import Policy, PolicySettings
from twinloop.simulation.model.wear_path import WearPath


class Oracle(Policy):
    """At the moment of the failure, in its place."""

    at_failure = True

    def due_age(self, settings: PolicySettings, path: WearPath, rng: np.random.Generator, *, draw: int = 0) -> float:
        return path.life_min
