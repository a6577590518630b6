"""The fleet and its vehicles, for the page on exploration: what is known, who may fail soon, one vehicle in detail."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import polars as pl

from twinloop.config import parse
from twinloop.contracts import RiskTable
from twinloop.numbers import count, number, percent
from twinloop.prognostics.data.record import FAILURE
from twinloop.prognostics.features.catalogue import catalogue, columns
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.prepared import TEST, TRAIN
from twinloop.reporting.tables import Table
from twinloop.simulation.figures.view import MovingView
from twinloop.simulation.fleet.replay import FAILED, RISKS, STAYS, WORKSHOP, fleet_replay
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.results.base import DAY, MINUTES_PER_DAY, FleetOutputs

# A probability of half an alert's is worth watching.
WATCH = 0.5
FOLLOWED = 2
# A stay whose end is not known is drawn for so long.
UNKNOWN_STAY_MIN = 240.0
HOURS_PER_DAY = 24.0


class Assets(FleetOutputs):
    """What is known of the fleet, and what the predictor says of the shown vehicles now."""

    def summary(self) -> Table:
        """How much there is, and of what."""
        found, about = self.metrics("prepare"), self.about
        rows = [
            ("data", found["data"]),
            ("vehicles", count(found["assets"])),
            ("rows of telemetry", count(found["rows"])),
            ("sensors", ", ".join(f"{name} ({unit})" if unit else name for name, unit in about["units"].items())),
            ("windows", count(found["windows"])),
            ("components", ", ".join(about["components"])),
            ("failures", count(found["failures"])),
            ("columns that give the label away, left out", ", ".join(about["leaks"]) or "none"),
            ("left out or changed", count(found["left_out"])),
        ]
        return Table.of(("", "this data set"), rows)

    def lives(self) -> Table:
        """By component: how many lives there are on each side, and how many of them ended in a failure."""
        lives, rows = self.dataset("lives"), []
        for name in self.about["components"]:
            own = lives.filter((pl.col("component") == name) & (pl.col("end_min") > pl.col("begin_min")))
            cells = []
            for split in (TRAIN, TEST):
                part = own.filter(pl.col("split") == split)
                cells += [count(len(part)), count(int(part["failed"].sum()))]
            failed = own.filter("failed")
            age = (failed["end_min"] - failed["begin_min"]).median()
            rows.append((name, *cells, number(None if age is None else float(age) / MINUTES_PER_DAY)))  # type: ignore[arg-type]
        headers = ("component", "lives to learn", "failed", "lives to judge", "failed", "median age then (days)")
        return Table.of(headers, rows, numeric=range(1, 6))

    def features(self) -> Table:
        """The features that are made of each window: formula, unit, reason."""
        settings = parse(FeatureSettings, self.about["features"])
        rows = [
            (row["name"], row["formula"], row["unit"], row["reason"])
            for row in catalogue(settings).iter_rows(named=True)
        ]
        made = len(columns(settings, self.about["units"]))
        caption = f"{len(rows)} features; of all sensors and spans together {made} columns. x is a sensor's value."
        return Table.of(("feature", "formula", "unit", "reason"), rows, caption=caption)

    @cached_property
    def risks(self) -> RiskTable:
        """Of the shown vehicles now."""
        return RiskTable.load(self.path(paths.EVALUATION / "shown_risks.parquet"))

    @cached_property
    def thresholds(self) -> Mapping[str, float]:
        """Probability from which there is an alert, by component."""
        measured = self.metrics("evaluate")
        return {name: float(measured[f"threshold_{name}"]) for name in self.about["components"]}

    @cached_property
    def cells(self) -> pl.DataFrame:
        """asset, component, probability within the whole horizon, and status."""
        frame = self.risks.frame
        limit = pl.col("component").cast(pl.String).replace_strict(self.thresholds, return_dtype=pl.Float64)
        horizon = frame["horizon_hours"].max()
        status = (
            pl.when(pl.col("probability") >= limit)
            .then(pl.lit("act"))
            .when(pl.col("probability") >= WATCH * limit)
            .then(pl.lit("watch"))
            .otherwise(pl.lit("fine"))
        )
        return frame.filter(pl.col("horizon_hours") == horizon).select(
            "asset", "component", "probability", status=status
        )

    def grid(self) -> dict[str, Any]:
        """Arguments of `figures.fleet.fleet_grid`."""
        facts = self.dataset("shown_facts")
        kinds = dict(facts.select("asset", "kind").iter_rows()) if "kind" in facts.columns else {}
        notes = {asset: str(kind).replace("_", " ") for asset, kind in kinds.items()}
        hours = self.risks.frame["horizon_hours"].to_numpy().max()
        return {"cells": self.cells, "notes": notes, "horizon_days": float(hours) / 24}

    def vehicle(self, asset: str | None = None) -> dict[str, Any]:
        """Arguments of `figures.fleet.vehicle`, of the featured vehicle where none is named."""
        asset = asset or self.featured
        scores = self.scores.filter(pl.col("asset") == asset)
        peaks = scores.group_by("component").agg(pl.col("probability").max()).sort("probability", descending=True)
        now = scores.filter(pl.col("day") == pl.col("day").max()).sort("probability", descending=True)
        failed = self.failures_of(asset)["component"].to_list()
        # What is likeliest to fail next, then what failed last.
        followed = list(dict.fromkeys([*now["component"].head(1), *reversed(failed), *peaks["component"]]))[:FOLLOWED]
        return {
            "signals": self.signals(asset, self.telling(asset)),
            "asset": asset,
            "units": self.telemetry.units,
            "events": self.events_of(asset),
            "scores": scores,
            "followed": followed,
            "alerts": {name: self.thresholds[name] for name in followed[:1]},
        }

    def diagnoses(self) -> Table:
        """What is said of the shown vehicles now, the likeliest first: how sure, how bad, why, and what to do."""
        rows = [
            (
                row["asset"],
                row["component"],
                percent(row["probability"], digits=0),
                percent(row["confidence"], digits=0),
                row["severity"],
                ", ".join(
                    f"{part['feature']} {number(part['contribution'], digits=2, sign=True)}"
                    for part in row["contributions"][:3]
                )
                or "age alone",
                row["action"],
            )
            for row in self.evaluation("diagnoses").iter_rows(named=True)
        ]
        nothing = [("none", *[""] * 6)]
        headers = (
            "vehicle",
            "component",
            "probability",
            "agreement",
            "severity",
            "because of (log odds)",
            "what to do",
        )
        return Table.of(headers, rows or nothing, numeric=(2, 3, 4))

    def remaining(self, *, most: int = 12) -> Table:
        """How long the shown vehicles' components have left, those with least first."""
        rows = []
        for row in self.evaluation("shown_remaining").head(most).iter_rows(named=True):
            median, low, high = (
                number(row[name] / HOURS_PER_DAY, digits=2) for name in ("median_h", "low_h", "high_h")
            )
            why = "risks day by day" if row["within_horizon"] else "age, beyond the days foretold"
            rows.append((row["asset"], row["component"], median, f"{low} … {high}", why))
        headers = ("vehicle", "component", "median days left", "80 % interval", "rests on")
        return Table.of(headers, rows, numeric=(2, 3))

    def replay(self) -> MovingView:
        """All days of the shown vehicles, in motion."""
        any_of_them = 1 - (1 - pl.col("probability")).product()
        risks = (
            self.scores.group_by("asset", "time_min")
            .agg(probability=any_of_them)
            .sort("asset", "time_min")
            .select(pl.col(name).cast(kind) for name, kind in RISKS.items())
        )
        events = self.dataset("shown_events").filter(pl.col("kind") != "error")
        end = pl.coalesce("end_min", pl.col("time_min") + UNKNOWN_STAY_MIN)
        state = pl.when(pl.col("kind") == FAILURE).then(pl.lit(FAILED)).otherwise(pl.lit(WORKSHOP))
        stays = (
            events.with_columns(DAY.alias("day"))
            .filter(pl.col("day") >= 0)
            .select("asset", begin_min="time_min", end_min=end, state=state)
            .unique(maintain_order=True)
            .select(pl.col(name).cast(kind) for name, kind in STAYS.items())
        )
        notes = self.about["notes"]
        return fleet_replay(risks, stays, days=self.days, title=notes[-1] if notes else "The shown assets")
