"""What was counted between the end of the warm-up and the horizon, and what it cost: what key figures are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.simulation.events.log import DOWN, MAINTENANCE, STARVED, STATES
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line

PPM = 1e6


@dataclass(frozen=True, eq=False)
class Measured:
    """counts: numbers by name (see tally.COUNTS). minutes: [entities, STATES]. start, horizon: of the time, minutes.

    spans: of every span of the line, minutes of those who ended it.
    """

    line: Line
    economy: Economy
    counts: Mapping[str, float]
    minutes: NDArray[np.float64]
    start: float
    horizon: float
    spans: Sequence[NDArray[np.float64]] = ()

    @property
    def window_min(self) -> float:
        return self.horizon - self.start

    @property
    def days(self) -> float:
        return self.window_min / self.line.minutes_per_day

    @property
    def left(self) -> float:
        """Parts that left the line, shipped or scrapped."""
        return self.counts["shipped"] + self.counts["scrapped"]

    @property
    def gone(self) -> float:
        """Parts that left, also into others."""
        return self.left + self.counts["joined"] + self.counts["lost"]

    @cached_property
    def bottleneck(self) -> Mapping[str, float]:
        """State → share of the bottleneck's time."""
        line = self.line
        first = 1 + sum(station.servers for station in line.stations[: line.bottleneck])
        rows = self.minutes[first : first + line.stations[line.bottleneck].servers]
        return dict(zip(STATES, (rows.sum(axis=0) / rows.sum()).tolist(), strict=True))

    @cached_property
    def availability(self) -> float:
        """Share of the bottleneck's time without breakdown, set-up and maintenance."""
        shares = self.bottleneck
        return 1 - shares["down"] - shares["setup"] - shares["maintenance"]

    @cached_property
    def performance(self) -> float:
        """Share of the bottleneck's available time in which it works."""
        working = self.bottleneck["running"] + self.bottleneck["warning"]
        return working / self.availability if self.availability > 0 else 0.0

    @cached_property
    def quality(self) -> float:
        """Share of good parts shipped among all that left the line."""
        return (self.counts["shipped"] - self.counts["escapes"]) / self.left

    @cached_property
    def down_hours(self) -> float:
        return self._hours(DOWN)

    @cached_property
    def maintenance_hours(self) -> float:
        return self._hours(MAINTENANCE)

    @property
    def escape_ppm(self) -> float:
        """Escapes in a million parts shipped."""
        return PPM * self.counts["escapes"] / max(self.counts["shipped"], 1)

    @property
    def revenue(self) -> float:
        return self.economy.revenue * self.counts["shipped"]

    @cached_property
    def costs(self) -> Mapping[str, float]:
        """Euro by what they are for, over the whole time."""
        economy, counts = self.economy, self.counts
        return {
            "material": economy.material * (counts["started"] - counts["turned_away"]),
            "escape": economy.escape * counts["escapes"],
            "rework": economy.rework * counts["reworks"],
            "scrap": economy.scrap * counts["scrapped"],
            "reinspection": economy.reinspection * counts["looks_again"],
            "repair": economy.repair_hour * self.down_hours,
            "failure": economy.failure * counts["failures"],
            "maintenance": economy.maintenance * counts["maintenances"],
            "holding": economy.holding_hour * counts["part_minutes"] / MINUTES_PER_HOUR,
            "fixed": economy.fixed_day * self.days,
        }

    @cached_property
    def cost(self) -> float:
        return sum(self.costs.values())

    def per_day(self, name: str) -> float:
        """A count per day of planned production."""
        return self.counts[name] / self.days

    def per_part(self, name: str) -> float:
        """A count per part that left the line."""
        return self.counts[name] / self.left

    def _hours(self, state: int) -> float:
        return float(self.minutes[:, state - STARVED].sum()) / MINUTES_PER_HOUR
