"""A failure predictor as a machine meets it: what of its alerts is right, wrong, and how early."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.model.names import Probability

NotNegative = Annotated[float, Field(ge=0)]


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
