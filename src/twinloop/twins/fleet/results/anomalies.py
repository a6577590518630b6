"""What was unusual, whatever it means, for the page on anomalies."""

from functools import cached_property
from typing import Any

import polars as pl

from twinloop.numbers import MISSING, count, number, percent
from twinloop.reporting.tables import Table
from twinloop.twins.fleet.results.base import DAY, FleetOutputs

# An alarm so many days before a failure may have told of it.
BEFORE_DAYS = 14.0
SHOWN = 2


class Anomalies(FleetOutputs):
    """What each detector says of the shown vehicles."""

    @cached_property
    def found(self) -> pl.DataFrame:
        """asset, time_min, detector, score, alarm, column, day."""
        return self.evaluation("anomalies").with_columns(day=DAY)

    def on_signals(self, asset: str | None = None) -> dict[str, Any]:
        """Arguments of `figures.fleet.anomalies`; shaded are the days before the vehicle's failures."""
        asset = asset or self.featured
        failures = self.failures_of(asset).select("component", "day").iter_rows()
        return {
            "signals": self.signals(asset, self._columns(asset)),
            "scores": self.found.filter(pl.col("asset") == asset).sort("detector", "day"),
            "asset": asset,
            "units": self.telemetry.units,
            "known": [(max(day - BEFORE_DAYS, 0.0), day, component) for component, day in failures],
            "meaning": "two weeks before a failure",
        }

    def most_unusual(self) -> str:
        """The shown vehicle with most alarms."""
        alarms = self.found.filter("alarm").group_by("asset").len().sort("len", "asset", descending=[True, False])
        return str(alarms[0, "asset"]) if len(alarms) else self.featured

    def detectors(self) -> Table:
        """By detector: alarms, how many had a failure within two weeks behind them, failures with an alarm before."""
        rows = []
        failures = self._failures()
        for (detector,), own in self.found.sort("detector").group_by("detector", maintain_order=True):
            alarms = own.filter("alarm")
            pairs = (
                alarms.select("asset", "day")
                .join(failures, on="asset")
                .filter((pl.col("failed") >= pl.col("day")) & (pl.col("failed") <= pl.col("day") + BEFORE_DAYS))
            )
            right = pairs.select("asset", "day").unique().height
            told = pairs.select("asset", "failed").unique().height
            months = own.select("asset", "day").unique().height / 30
            rows.append(
                (
                    detector,
                    count(len(alarms)),
                    number(len(alarms) / months if months else None, digits=2),
                    percent(right / len(alarms), digits=0) if len(alarms) else MISSING,
                    f"{told} of {len(failures)}",
                )
            )
        headers = (
            "detector",
            "alarms",
            "per vehicle and month of driving days",
            f"before a failure ({BEFORE_DAYS:g} days)",
            "failures with an alarm before",
        )
        return Table.of(headers, rows, numeric=range(1, 5))

    def alarms(self, most: int = 12) -> Table:
        """The alarms of the highest scores, by detector, with the signal that raised them."""
        rows = []
        for (detector,), own in self.found.sort("detector").group_by("detector", maintain_order=True):
            for row in own.filter("alarm").sort("score", descending=True).head(most // 3).iter_rows(named=True):
                column = row["column"] or "all together"
                rows.append((detector, row["asset"], number(row["day"]), number(row["score"]), column))
        headers = ("detector", "vehicle", "day", "score", "signal")
        return Table.of(headers, rows or [("none", "", "", "", "")], numeric=(2, 3))

    def _failures(self) -> pl.DataFrame:
        events = self.dataset("shown_events").filter(pl.col("kind") == "failure").with_columns(failed=DAY)
        return events.filter(pl.col("failed") >= 0).select("asset", "failed").unique(maintain_order=True)

    def _columns(self, asset: str) -> list[str]:
        """Sensors that raised alarms, filled up with those that moved farthest."""
        raised = self.found.filter((pl.col("asset") == asset) & pl.col("alarm"))["column"].drop_nulls().to_list()
        named = [name.partition(".")[0] for name in raised]
        known = [name for name in dict.fromkeys(named) if name in self.telemetry.sensors]
        return list(dict.fromkeys([*known, *self.telling(asset)]))[:SHOWN]
