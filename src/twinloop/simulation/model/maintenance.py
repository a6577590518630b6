"""When a machine is maintained before it breaks: a policy by name, and the settings that it takes."""

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from twinloop.config import settings
from twinloop.errors import nearest
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Probability
from twinloop.simulation.model.policies import POLICIES
from twinloop.simulation.model.policies.policy import Policy
from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.wear import Restoration
from twinloop.simulation.model.wear_path import WearPath


def _known(name: str) -> str:
    if name not in POLICIES:
        raise ValueError(f"expected one of {', '.join(map(repr, POLICIES))}; {nearest(name, POLICIES)}")
    return name


@settings
class Maintenance:
    """A policy, the time one maintenance takes, and the share of the wear level that it takes away.

    Ages are minutes of work since the last repair or maintenance; the machine is maintained between two parts.
    policy: a name in POLICIES (model/policies says what each does). interval_min: of a fixed interval, or between two
    looks at the condition. health_below: maintained at or below it. predictor: whose alerts are followed.
    """

    policy: Annotated[str, AfterValidator(_known)]
    duration: Distribution
    restoration: Restoration = 1.0
    interval_min: Annotated[float, Field(gt=0)] | None = None
    health_below: Probability | None = None
    predictor: Predictor | None = None

    def __post_init__(self) -> None:
        self.rule.check(self.policy, self)

    @property
    def rule(self) -> Policy:
        """The policy itself."""
        return POLICIES[self.policy]

    def due_age(self, path: WearPath, rng: np.random.Generator, *, draw: int = 0) -> float:
        """Minutes of work from which on the machine is to be maintained in a life; infinite for never.

        draw: which draw of the predictor holds. A policy that waits does so from then on, for its opportunity.
        """
        return self.rule.due_age(self, path, rng, draw=draw)
