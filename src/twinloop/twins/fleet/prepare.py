"""Prepare the telemetry: simulate or read a fleet's history, divide it by asset and time, make features of windows."""

import dataclasses
from typing import Any

import polars as pl

from twinloop.config.sources import dependency, located
from twinloop.files import atomic, write_json
from twinloop.numbers import count, counted
from twinloop.prognostics.data.layouts import read
from twinloop.prognostics.prepared import TEST, Prepared, prepare
from twinloop.simulation.fleet import FleetHistory, simulate_history
from twinloop.simulation.fleet.history import WORKSHOP
from twinloop.simulation.fleet.recorded import recorded
from twinloop.simulation.fleet.settings import StorySettings
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet prepare"
# The story's fleet is another one than that which is learnt from.
STORY_SEED = 1_000


def run(stage: Stage[FleetConfig]) -> str:
    """Write the dataset and its metrics; returns how much of what there is."""
    fleet, seed, target = stage.config.fleet, stage.config.seed, stage.root / paths.DATASET
    workshop = pl.DataFrame(schema=dict(WORKSHOP))
    if fleet.data.kind == "simulated":
        history = _history(stage.config)
        workshop = history.workshop
        story = recorded(_history(stage.config, story=fleet.story))
        prepared = prepare(recorded(history), target, fleet.features, fleet.split, shown=story, seed=seed)
    else:
        source = located(dependency(fleet.data.source), root=stage.root, main=stage.main or stage.root)
        record = read(source, fleet.data.reading)
        prepared = prepare(record, target, fleet.features, fleet.split, show=fleet.data.shown, seed=seed)
    with atomic(target / "workshop.parquet") as temporary:
        workshop.write_parquet(temporary)
    measured = _metrics(prepared)
    write_json(stage.root / paths.metrics("prepare"), measured)
    left_out = sum(prepared.about["left_out"].values())
    windows, failures = count(measured["windows"]), counted(measured["failures"], "failure")
    return (
        f"{counted(measured['assets'], 'asset')}, {count(measured['rows'])} rows → {windows} windows, {failures} of "
        f"{counted(measured['components'], 'component')}, {count(left_out)} left out"
    )


def _history(config: FleetConfig, story: StorySettings | None = None) -> FleetHistory:
    fleet, history = config.fleet.fleet, config.fleet.history
    described = fleet if story is None else dataclasses.replace(fleet, vehicles=story.vehicles, seed=fleet.seed + 1)
    return simulate_history(
        described.fleet(),
        days=history.days,
        warmup_days=history.warmup_days,
        scenario=story.scenario if story is not None else None,
        sensing=fleet.sensing,
        seed=config.seed + (0 if story is None else STORY_SEED),
    )


def _metrics(prepared: Prepared) -> dict[str, Any]:
    about, lives = prepared.about, prepared.lives()
    test = lives.filter(pl.col("split") == TEST)
    return {
        "data": about["layout"],
        "assets": about["assets"],
        "rows": about["rows"],
        "windows": about["windows"],
        "sensors": len(about["units"]),
        "components": len(about["components"]),
        "failures": int(lives["failed"].sum()),
        "test_assets": len(about["test_assets"]),
        "test_failures": int(test["failed"].sum()),
        "leaks": len(about["leaks"]),
        "left_out": sum(about["left_out"].values()),
        "dataset_sha256": about["sha256"],
    }
