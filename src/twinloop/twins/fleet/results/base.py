"""The outputs of a fleet's loop, by the names that its results share."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from twinloop.contracts import Telemetry
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.data.record import FAILURE
from twinloop.reporting.results import Outputs
from twinloop.twins.fleet import paths

CURRENCY = "€"
MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR
# Of a day's values: what lies between these is drawn as its range.
RANGE = (0.05, 0.95)
DAY = pl.col("time_min") / MINUTES_PER_DAY


class FleetOutputs(Outputs):
    """The outputs of a fleet's loop below one root."""

    metrics_files: ClassVar[Mapping[str, Path]] = {stage: paths.metrics(stage) for stage in paths.STAGES}

    @cached_property
    def about(self) -> dict[str, Any]:
        """The prepared dataset's own description."""
        found: dict[str, Any] = self.json(paths.DATASET / "dataset.json")
        return found

    def dataset(self, name: str) -> pl.DataFrame:
        """One of the dataset's tables."""
        return self.table(paths.DATASET / f"{name}.parquet")

    def evaluation(self, name: str) -> pl.DataFrame:
        """One of the evaluation's tables."""
        return self.table(paths.EVALUATION / f"{name}.parquet")

    @cached_property
    def telemetry(self) -> Telemetry:
        """Rows of the shown assets."""
        return Telemetry.load(self.path(paths.DATASET / "shown_telemetry.parquet"))

    @cached_property
    def scores(self) -> pl.DataFrame:
        """What the predictor said of the shown assets: asset, component, day, probability, low, high."""
        return self.evaluation("scores").with_columns(day=DAY).sort("asset", "component", "day")

    @cached_property
    def featured(self) -> str:
        """The asset that pages look at: the one that the story is about, or that of the highest probability."""
        notes = " ".join(self.about["notes"])
        named = [asset for asset in self.telemetry.assets if asset in notes]
        return (
            named[0] if named else str(self.scores.sort("probability", "asset", descending=[True, False])[0, "asset"])
        )

    @property
    def days(self) -> float:
        """How long the shown assets were watched."""
        return float(self.telemetry.frame["time_min"].to_numpy().max()) / MINUTES_PER_DAY

    def events_of(self, asset: str) -> pl.DataFrame:
        """component, kind (failure, maintenance) and day of what happened to a shown asset while it was watched."""
        events = self.dataset("shown_events").filter(pl.col("asset") == asset).with_columns(day=DAY)
        return events.filter(pl.col("day") >= 0).select("component", "kind", "day").sort("day", "component")

    def failures_of(self, asset: str) -> pl.DataFrame:
        """Those of them that are failures."""
        return self.events_of(asset).filter(pl.col("kind") == FAILURE)

    def signals(self, asset: str, sensors: list[str]) -> pl.DataFrame:
        """sensor, day, mean, low and high of a shown asset's sensors: mean and range of each day's values."""
        rows = self.telemetry.frame.filter(pl.col("asset").cast(pl.String) == asset).with_columns(day=DAY.floor())
        low, high = RANGE
        parts = [
            rows.group_by("day", maintain_order=True).agg(
                mean=pl.col(name).mean(), low=pl.col(name).quantile(low), high=pl.col(name).quantile(high)
            )
            for name in sensors
        ]
        named = [part.select(pl.lit(name).alias("sensor"), pl.all()) for name, part in zip(sensors, parts, strict=True)]
        return pl.concat(named)

    def telling(self, asset: str, count: int = 4) -> list[str]:
        """The sensors of a shown asset that moved farthest from what is usual, farthest first."""
        windows = self.dataset("shown_windows").filter(pl.col("asset") == asset)
        spread = {
            name: float(windows[f"{name}.relative"].abs().max() or 0.0)  # type: ignore[arg-type]
            for name in self.telemetry.sensors
            if f"{name}.relative" in windows.columns
        }
        return sorted(spread, key=lambda name: (-spread[name], name))[:count] or list(self.telemetry.sensors[:count])
