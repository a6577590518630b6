"""How a machine degrades: a level that grows with its work, and by shocks, until it fails at a limit."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.model.names import Probability

Positive = Annotated[float, Field(gt=0)]
Restoration = Annotated[float, Field(gt=0, le=1)]
MAX_GAMMA_CV = 0.9


@settings
class Shocks:
    """Sudden rises of the wear level: one every `every_min` minutes of work on average (Poisson).

    jump: mean rise, in units of the level; cv: its spread, standard deviation over mean (gamma distributed).
    """

    every_min: Positive
    jump: Positive
    cv: Annotated[float, Field(gt=0, le=20)] = 1.0


@settings
class Wear:
    """A wear level that starts at 0 and fails the machine at `limit`, as a function of minutes of work.

    gamma: jumps upwards only (abrasion, cracks). wiener: noise around a drift (clogging, fouling). weibull: a
    failure without a sign of its own; its level says only how likely it is at that age to have failed by now.
    mean_life_min, cv: mean and standard deviation over mean of the life, exactly, where there are no shocks.
    warning_below: the machine shows a warning from this health on; health is 1 as new and 0 at the limit.
    restoration: share of the level that a repair takes away; 1 makes the machine as good as new.
    """

    kind: Literal["gamma", "wiener", "weibull"]
    mean_life_min: Positive
    cv: Annotated[float, Field(gt=0, le=20)] = 0.3
    limit: Positive = 1.0
    shocks: Shocks | None = None
    warning_below: Probability = 0.2
    restoration: Restoration = 1.0

    def __post_init__(self) -> None:
        if self.kind == "gamma" and self.cv > MAX_GAMMA_CV:
            raise ValueError(f"gamma wear expects cv ≤ {MAX_GAMMA_CV}, got {self.cv:g}: use weibull")
