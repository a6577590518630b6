"""What is known of a fleet: its telemetry, what happened to its assets, and how long each of their lives lasted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from twinloop.contracts import Telemetry
from twinloop.contracts.clock import Clock
from twinloop.errors import InputError

FAILURE, MAINTENANCE, ERROR = "failure", "maintenance", "error"
KINDS = (FAILURE, MAINTENANCE, ERROR)
# end_min: when the repair or the visit was over, where that is known.
EVENTS: dict[str, Any] = {
    "asset": pl.String,
    "component": pl.String,
    "kind": pl.String,
    "time_min": pl.Float64,
    "end_min": pl.Float64,
    "detail": pl.String,
}
LIVES: dict[str, Any] = {
    "asset": pl.String,
    "component": pl.String,
    "begin_min": pl.Float64,
    "end_min": pl.Float64,
    "failed": pl.Boolean,
    "split": pl.String,
}
WINDOWS: dict[str, Any] = {"asset": pl.String, "begin_min": pl.Float64, "end_min": pl.Float64}


def _empty(schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema)


@dataclass(frozen=True, eq=False)
class Record:
    """Telemetry and labels of one source, times in minutes of one clock.

    events: failures, maintenance and errors. lives: from renewal to renewal of a component, `failed` or cut (censored);
    split: train, test, or "" where the source does not say; a test life may end after its telemetry. windows: labelled
    anomalies. facts: a row per asset of what does not change (model, age). leaks: columns that give the label away and
    were left out. left_out: reason → number of rows, values or files that were not read, or that were changed.
    """

    telemetry: Telemetry
    layout: str
    events: pl.DataFrame = field(default_factory=lambda: _empty(EVENTS))
    lives: pl.DataFrame = field(default_factory=lambda: _empty(LIVES))
    windows: pl.DataFrame = field(default_factory=lambda: _empty(WINDOWS))
    facts: pl.DataFrame = field(default_factory=lambda: _empty({"asset": pl.String}))
    leaks: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    clock: Clock = "calendar"

    def of_split(self, split: str) -> "Record":
        """The assets whose lives are of this split, with all that is known of them. Raises InputError without any."""
        assets = self.lives.filter(pl.col("split") == split)["asset"].unique()
        if assets.is_empty():
            known = ", ".join(self.lives["split"].unique().sort()) or "none"
            raise InputError(f"data: no asset of split {split!r} (known: {known}): the source says which is which")
        return self.of_assets(assets.to_list())

    def of_assets(self, assets: Collection[str]) -> "Record":
        """Some of the assets, with all that is known of them."""
        frame = self.telemetry.frame.filter(pl.col("asset").cast(pl.String).is_in(assets))
        own = pl.col("asset").is_in(assets)
        tables = {name: getattr(self, name).filter(own) for name in ("events", "lives", "windows", "facts")}
        telemetry = Telemetry(frame, self.telemetry.units, self.telemetry.start)
        return replace(self, telemetry=telemetry, **tables)


def lives_of(telemetry: Telemetry, events: pl.DataFrame, components: Collection[str]) -> pl.DataFrame:
    """Lives of every component of every asset: they end with its failure, or are cut by maintenance or the last row.

    A life begins where the one before ended and was repaired, the first with the asset's telemetry. What the component
    went through before that is not known: its age counts from the first row. A failure or repair noted after the last
    row ends the life that was running, which is then not cut.
    """
    spans = telemetry.frame.group_by("asset").agg(first=pl.col("time_min").first(), last=pl.col("time_min").last())
    spans = spans.with_columns(pl.col("asset").cast(pl.String)).join(
        pl.DataFrame({"component": sorted(components)}, schema={"component": pl.String}), how="cross"
    )
    ends = events.filter(pl.col("kind").is_in([FAILURE, MAINTENANCE])).select(
        "asset",
        "component",
        end_min="time_min",
        back_min=pl.coalesce("end_min", "time_min"),
        failed=pl.col("kind") == FAILURE,
    )
    # A repair noted at the very minute of its failure is one end, a failed one.
    ends = ends.sort("failed", descending=True).unique(["asset", "component", "end_min"], keep="first")
    # Telemetry often stops with the failure, which is noted a little later: then nothing is left to be cut.
    noted = ends.group_by("asset", "component").agg(noted=pl.col("end_min").max())
    until = spans.join(noted, on=["asset", "component"], how="left").with_columns(pl.max_horizontal("last", "noted"))
    cut = until.select("asset", "component", end_min="last", back_min="last", failed=pl.lit(value=False))
    lives = (
        pl.concat([ends.join(spans.select("asset", "component"), on=["asset", "component"]), cut])
        .join(spans, on=["asset", "component"])
        .sort("asset", "component", "end_min", "failed", descending=[False, False, False, True])
        .with_columns(begin_min=pl.col("back_min").shift(1).over("asset", "component"))
        .with_columns(pl.coalesce("begin_min", "first").alias("begin_min"), split=pl.lit(""))
        .filter(pl.col("end_min") > pl.col("begin_min"))
    )
    return lives.select(pl.col(name).cast(kind) for name, kind in LIVES.items())


def check_disjoint(train: Collection[str], test: Collection[str]) -> None:
    """Raise InputError for assets on both sides: what is judged must not have been learnt from."""
    both = sorted(set(train) & set(test))
    if both:
        raise InputError(
            f"data: expected every asset in training or in test, {len(both)} are in both, first {both[0]!r}: "
            "split by asset, not by row"
        )
