"""The line at work, from the event log of one replication of today: who does what, who waits, what holds it up."""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from twinloop.config import parse
from twinloop.simulation import Line
from twinloop.simulation.events.bottleneck import bottleneck_shares, bottlenecks
from twinloop.simulation.events.intervals import queue_levels, state_intervals
from twinloop.simulation.figures.view import MovingView, factory_view
from twinloop.simulation.model.entities import entities
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import FactoryOutputs

MINUTES_PER_HOUR = 60


class ShopFloor(FactoryOutputs):
    """One simulated run of today's line; its first day after the warm-up is the one that is shown."""

    @cached_property
    def about(self) -> dict[str, Any]:
        """What was simulated as today: line, days, warmup_days."""
        found: dict[str, Any] = self.json(paths.SIMULATION / "today.json")
        return found

    @cached_property
    def line(self) -> Line:
        """Today's line."""
        return parse(Line, self.about["line"])

    @cached_property
    def events(self) -> pl.DataFrame:
        """The event log."""
        return self.table(paths.SIMULATION / "events.parquet")

    @property
    def warmup_min(self) -> float:
        """Where the warm-up ends, in minutes."""
        return float(self.about["warmup_days"]) * self.line.minutes_per_day

    @property
    def horizon(self) -> float:
        """Where the log ends, in minutes."""
        return self.warmup_min + float(self.about["days"]) * self.line.minutes_per_day

    @property
    def machines(self) -> tuple[str, ...]:
        """All machines along the line."""
        return entities(self.line)[1:]

    def view(self) -> MovingView:
        """The half hour in which most happens, in motion."""
        return factory_view(self.line, self.events, horizon=self.horizon, warmup_min=self.warmup_min)

    def gantt(self) -> dict[str, Any]:
        """Arguments of `figures.shopfloor.state_gantt`."""
        stays = state_intervals(self.events, horizon=self.horizon)
        return {"stays": stays, "machines": self.machines, **self._day}

    def levels(self) -> dict[str, Any]:
        """Arguments of `figures.shopfloor.buffer_levels`: every queue in which a part has waited."""
        found = queue_levels(self.events)
        first, levels, rooms = 0, {}, {}
        for station, servers, room in self._queues():
            rows = found.filter(pl.col("entity") == self.machines[first])
            if len(rows):
                levels[station] = (rows["time_min"].to_numpy(), rows["level"].to_numpy().astype(np.float64))
                rooms[station] = room
            first += servers
        return {"levels": levels, "rooms": rooms, **self._day}

    def bottlenecks(self) -> dict[str, Any]:
        """Arguments of `figures.shopfloor.bottlenecks`."""
        strip = bottlenecks(self.events, start=self.warmup_min, horizon=self.horizon)
        shares = bottleneck_shares(strip, start=self.warmup_min, horizon=self.horizon)
        return {"shares": shares, "strip": strip, "machines": self.machines, **self._day}

    def work_in_progress(self) -> dict[str, Any]:
        """Arguments of `figures.shopfloor.work_in_progress`."""
        steps = {"enter": 1, "ship": -1, "scrap": -1, "join": -1, "lose": -1}
        found = self.events.filter(pl.col("event").is_in(list(steps))).with_columns(
            step=pl.col("event").cast(pl.String).replace_strict(steps, return_dtype=pl.Int64)
        )
        return {
            "hours": np.append(0.0, found["time_min"].to_numpy() / MINUTES_PER_HOUR),
            "parts": np.append(0, np.cumsum(found["step"].to_numpy())).astype(float),
            "warm_up_h": self.warmup_min / MINUTES_PER_HOUR,
        }

    @property
    def _day(self) -> dict[str, float]:
        return {"start": self.warmup_min, "end": min(self.warmup_min + self.line.minutes_per_day, self.horizon)}

    def _queues(self) -> list[tuple[str, int, float | None]]:
        """Station, its machines, and the room before it; None where there is no limit."""
        line = self.line
        rooms = [s.queue for s in line.stations] if line.routed else [None, *line.buffers]
        found = [(station.name, station.servers, room) for station, room in zip(line.stations, rooms, strict=True)]
        return [*found, *([(line.rework.name, line.rework.servers, line.rework.buffer)] if line.rework else [])]
