"""A failure predictor as a machine meets it: what of its alerts is right, wrong, and how early."""

import math
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import ndtr, ndtri

from twinloop.config import settings
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.simulation.model.names import Probability

Floats = NDArray[np.float64]
NotNegative = Annotated[float, Field(ge=0)]
# Lives longer or shorter than all that were measured have this share of them beyond; no two ranks are quite the same.
EDGE, CLOSEST = 0.005, 0.9999


@settings
class Predictor:
    """What a failure predictor gets right and wrong at one threshold: an AlertCurve as a machine meets it.

    One value, or one tuple of quantiles at `lead_levels`, per draw; the first is the estimate. Hours are of work.
    life_hours, lead_shares, dependence: as of `ByLife`, all or none; without them leads are the same in every life.
    """

    recall: Annotated[tuple[Probability, ...], Field(min_length=1)]
    lead_levels: Annotated[tuple[Probability, ...], Field(min_length=2)]
    lead_hours: tuple[tuple[NotNegative, ...], ...]
    false_alarms_per_hour: tuple[NotNegative, ...]
    life_hours: tuple[tuple[NotNegative, ...], ...] = ()
    lead_shares: tuple[tuple[Probability, ...], ...] = ()
    dependence: tuple[Annotated[float, Field(ge=-1, le=1)], ...] = ()

    def __post_init__(self) -> None:
        draws = len(self.recall)
        if len(self.lead_hours) != draws or len(self.false_alarms_per_hour) != draws:
            raise ValueError(
                f"expected {draws} draws everywhere as in recall, got {len(self.lead_hours)} of lead_hours and "
                f"{len(self.false_alarms_per_hour)} of false_alarms_per_hour"
            )
        if any(len(quantiles) != len(self.lead_levels) for quantiles in self.lead_hours):
            raise ValueError(f"expected {len(self.lead_levels)} lead_hours per draw, one per lead level")
        by_life = (self.life_hours, self.lead_shares, self.dependence)
        if any(by_life) and any(len(values) != draws for values in by_life):
            raise ValueError(f"expected {draws} draws of life_hours, lead_shares and dependence, or none of all three")
        if any(len(quantiles) != len(self.lead_levels) for quantiles in self.life_hours + self.lead_shares):
            raise ValueError(
                f"expected {len(self.lead_levels)} life_hours and lead_shares per draw, one per lead level"
            )

    @property
    def draws(self) -> int:
        """Number of draws besides the estimate."""
        return len(self.recall) - 1

    def right_alert(self, life_min: float, luck: float, chance: float, *, draw: int = 0) -> float:
        """The age in minutes at which a life is rightly alerted first, infinite where it is missed.

        luck, chance: uniform, whether it is and how early; where that goes with its length, chance is of what does not.
        """
        recall = self.recall[draw]
        if not self.dependence:
            if luck >= recall:
                return math.inf
            lead = MINUTES_PER_HOUR * float(np.interp(chance, self.lead_levels, self.lead_hours[draw]))
            return max(life_min - lead, 0.0)
        own = self._dependence(draw)
        rank = float(ndtr(own * self._rank(life_min, draw) + math.sqrt(1 - own**2) * ndtri(chance)))
        if rank < 1 - recall or recall == 0:
            return math.inf
        share = float(np.interp((rank - 1 + recall) / recall, self.lead_levels, self.lead_shares[draw]))
        return life_min * (1 - share)

    def alerted(self, life_min: ArrayLike, age_min: ArrayLike, *, draw: int = 0) -> Floats:
        """Probability that lives of these lengths were rightly alerted by these ages: the law of `right_alert`."""
        life, age = np.asarray(life_min, np.float64), np.asarray(age_min, np.float64)
        recall, levels = self.recall[draw], self.lead_levels
        if not self.dependence:
            later = np.interp((life - age) / MINUTES_PER_HOUR, self.lead_hours[draw], levels, left=0.0, right=1.0)
            sooner: Floats = recall * (1 - later) * (age >= 0)
            return sooner
        share = np.interp(1 - age / np.maximum(life, 1e-9), self.lead_shares[draw], levels, left=0.0, right=1.0)
        own = self._dependence(draw)
        distance = ndtri(1 - recall + recall * share) - own * self._rank(life, draw)
        return np.asarray(ndtr(-distance / math.sqrt(1 - own**2)), np.float64)

    def _rank(self, life_min: Any, draw: int) -> Any:
        """The normal score of a life's length among those that were measured."""
        below = np.interp(np.asarray(life_min) / MINUTES_PER_HOUR, self.life_hours[draw], self.lead_levels)
        return ndtri(np.clip(below, EDGE, 1 - EDGE))

    def _dependence(self, draw: int) -> float:
        return min(max(self.dependence[draw], -CLOSEST), CLOSEST)
