"""When a machine is maintained before it breaks, and what a failure predictor adds to that."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Probability
from twinloop.simulation.model.wear import Restoration

Policy = Literal["failure", "interval", "condition", "predictive", "opportunistic", "oracle"]
NotNegative = Annotated[float, Field(ge=0)]
# policy → the settings it takes besides its duration and restoration
TAKES: dict[str, tuple[str, ...]] = {
    "failure": (),
    "interval": ("interval_min",),
    "condition": ("interval_min", "health_below"),
    "predictive": ("predictor",),
    "opportunistic": ("health_below",),
    "oracle": (),
}
SETTINGS = ("interval_min", "health_below", "predictor")


@settings
class Predictor:
    """What a failure predictor gets right and wrong at one threshold: an AlertCurve as a machine meets it.

    One value, or one tuple of quantiles at `lead_levels`, per draw; the first is the estimate. Hours are of work.
    """

    recall: Annotated[tuple[Probability, ...], Field(min_length=1)]
    lead_levels: Annotated[tuple[Probability, ...], Field(min_length=2)]
    lead_hours: tuple[tuple[NotNegative, ...], ...]
    false_alarms_per_hour: tuple[NotNegative, ...]

    def __post_init__(self) -> None:
        draws = len(self.recall)
        if len(self.lead_hours) != draws or len(self.false_alarms_per_hour) != draws:
            raise ValueError(
                f"expected {draws} draws everywhere as in recall, got {len(self.lead_hours)} of lead_hours and "
                f"{len(self.false_alarms_per_hour)} of false_alarms_per_hour"
            )
        if any(len(quantiles) != len(self.lead_levels) for quantiles in self.lead_hours):
            raise ValueError(f"expected {len(self.lead_levels)} lead_hours per draw, one per lead level")

    @property
    def draws(self) -> int:
        """Number of draws besides the estimate."""
        return len(self.recall) - 1


@settings
class Maintenance:
    """A policy, the time one maintenance takes, and the share of the wear level that it takes away.

    Ages are minutes of work since the last repair or maintenance; the machine is maintained between two parts.
    failure: never, it runs until it fails. interval: from age `interval_min` on. condition: looked at every
    `interval_min`, maintained where its health is at or below `health_below`. opportunistic: watched all the time, and
    maintained at or below `health_below` when it has no part to work on or another machine is down. predictive: when
    the predictor alerts, rightly or not. oracle: at the moment of the failure, in its place.
    """

    policy: Policy
    duration: Distribution
    restoration: Restoration = 1.0
    interval_min: Annotated[float, Field(gt=0)] | None = None
    health_below: Probability | None = None
    predictor: Predictor | None = None

    def __post_init__(self) -> None:
        takes = TAKES[self.policy]
        given = tuple(name for name in ("interval_min", "health_below", "predictor") if getattr(self, name) is not None)
        if set(given) != set(takes):
            raise ValueError(
                f"policy {self.policy} takes {' and '.join(takes) or 'nothing more'}, "
                f"got {' and '.join(given) or 'nothing'}"
                + ("; make the predictor from a RiskTable and an AlertCurve" if "predictor" in takes else "")
            )
