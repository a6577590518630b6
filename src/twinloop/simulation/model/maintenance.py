"""When a machine is maintained before it breaks."""

from typing import Literal

from twinloop.config import settings
from twinloop.simulation.model.distributions import Distribution


@settings
class Maintenance:
    """A policy and the time one maintenance takes."""

    policy: Literal["interval", "condition", "predictive", "opportunistic", "oracle"]
    duration: Distribution
