"""What a maintenance policy is: one number for each life, told at its beginning.

The path of a life is drawn whole, so the age from which maintenance is due says everything. What a policy may know of
the path is in its formula: an interval nothing, a condition the health at its inspections, a predictor the failure
through its recall, lead times and false alarms, the oracle everything.
"""

import math
from typing import ClassVar, Protocol

import numpy as np

from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.wear_path import WearPath

NEVER = math.inf


class PolicySettings(Protocol):
    """What a policy can be given (see Maintenance); None is what it does not take."""

    @property
    def interval_min(self) -> float | None: ...

    @property
    def health_below(self) -> float | None: ...

    @property
    def predictor(self) -> Predictor | None: ...


class Policy:
    """Base of all policies.

    takes: the settings that it needs, all of them and no other. at_failure: maintenance takes the place of the failure
    at the moment that it would come. waits: from its due age on it waits for an opportunity (no part, or another
    machine that stands).
    """

    takes: ClassVar[tuple[str, ...]] = ()
    at_failure: ClassVar[bool] = False
    waits: ClassVar[bool] = False
    advice: ClassVar[str] = ""

    def due_age(self, settings: PolicySettings, path: WearPath, rng: np.random.Generator, *, draw: int = 0) -> float:
        """Minutes of work from which on the machine is to be maintained in this life; infinite for never.

        draw: which draw of the predictor holds.
        """
        raise NotImplementedError

    def check(self, name: str, settings: PolicySettings) -> None:
        """Raises ValueError unless `settings` holds exactly what the policy of that name takes."""
        known = ("interval_min", "health_below", "predictor")
        given = tuple(setting for setting in known if getattr(settings, setting) is not None)
        if set(given) != set(self.takes):
            raise ValueError(
                f"policy {name} takes {' and '.join(self.takes) or 'nothing more'}, "
                f"got {' and '.join(given) or 'nothing'}{self.advice}"
            )
