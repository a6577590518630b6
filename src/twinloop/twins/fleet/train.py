"""Train the predictor on training assets until the gap, and write it as graphs that hold no code.

A forest's only exchange format is ONNX, so graphs are written here, each equal to the object it came from; what the
objects say on some rows is kept, so that export can hold the whole predictor against it.
"""

import dataclasses
from typing import Any

import numpy as np
import polars as pl

from twinloop.errors import InputError
from twinloop.files import atomic, read_json, replacing, write_json
from twinloop.numbers import count, counted
from twinloop.prognostics.anomaly import export_isolation, fit_isolation
from twinloop.prognostics.inference.graphs import export_hazard
from twinloop.prognostics.models.boosting import gains
from twinloop.prognostics.models.hazard import AGE, DAY, HazardModel, fit_hazard, tree_inputs
from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.table import FeatureTable, component_age
from twinloop.prognostics.models.tuning import tuned
from twinloop.prognostics.prepared import Prepared
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet train"
# Rows on which graphs are compared with the objects they came from.
COMPARED = 256


def run(stage: Stage[FleetConfig]) -> str:
    """Write the predictor, what it said on some rows, and the stage's metrics."""
    prepared, seed = Prepared.load(stage.root / paths.DATASET), stage.config.seed
    settings, source = _settings(stage)
    table, lives = prepared.learnt()
    fitted = fit_hazard(table, lives, _threaded(settings, stage.workers), seed=seed)
    # What is written must not tell how many worked at it.
    model = dataclasses.replace(fitted, settings=settings)
    rows = np.sort(np.random.default_rng(seed).permutation(len(table))[:COMPARED])
    with replacing(stage.root / paths.PREDICTOR) as folder:
        differences = export_hazard(model, folder, *_samples(model, table, lives, rows))
        _importance(model).write_parquet(folder / "importance.parquet")
    forest = fit_isolation(table, stage.config.fleet.anomaly.isolation, seed=seed)
    with replacing(stage.root / paths.ANOMALY) as folder:
        differences |= export_isolation(forest, folder, table.selected(forest.columns)[rows])
    said = {name: model.hazards(table, lives, name, rows) for name in model.components}
    with atomic(stage.root / paths.REFERENCE) as temporary:
        np.savez_compressed(temporary, rows=rows, **said)  # type: ignore[arg-type]
    learnt = [name for name, own in model.components.items() if own.members]
    members = sorted({kind for name in learnt for kind in model.components[name].calibration})
    metrics: dict[str, Any] = {
        "train_assets": len(table.assets),
        "windows": len(table),
        "features": len(model.columns),
        "failures": sum(own.failures for own in model.components.values()),
        "components": len(model.components),
        "by_age_alone": len(model.components) - len(learnt),
        "members": ", ".join(members),
        "largest_difference": max(differences.values(), default=0.0),
        "values": source,
    }
    write_json(stage.root / paths.metrics("train"), metrics)
    alone = [name for name in model.components if name not in learnt]
    by = f", {metrics['members']}" if members else ""
    few = f"; by age alone, as too few failed: {', '.join(alone)}" if alone else ""
    return (
        f"{counted(len(learnt), 'component')} from {counted(metrics['failures'], 'failure')} of "
        f"{counted(len(table.assets), 'asset')}, {count(len(model.columns))} features{by}{few}"
    )


def _settings(stage: Stage[FleetConfig]) -> tuple[HazardSettings, str]:
    path = stage.root / paths.TUNED
    if not path.is_file():
        raise InputError(f"train: {path}: expected the tuned values, found none: run the tune stage first")
    chosen: dict[str, Any] = read_json(path)
    try:
        settings = tuned(stage.config.fleet.predictor, chosen["values"])
    except (ValueError, KeyError) as error:
        raise InputError(
            f"train: {path}: its values do not fit the configured predictor ({str(error).splitlines()[0]}): "
            "run the tune stage again"
        ) from error
    return settings, str(chosen["source"])


def _threaded(settings: HazardSettings, workers: int) -> HazardSettings:
    """Trees of a forest are drawn one by one from the seed: threads change its time alone."""
    return dataclasses.replace(settings, forest=dataclasses.replace(settings.forest, threads=workers))


def _samples(
    model: HazardModel, table: FeatureTable, lives: pl.DataFrame, rows: np.ndarray[Any, np.dtype[np.int64]]
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.float32]]]:
    """Inputs of the trees and of the network on these rows."""
    component = next(iter(model.components))
    age = component_age(table, lives, component)[rows]
    windows = Sequences.of(table.selected(model.signals), table.unit).windows(rows, model.settings.network.length)
    return tree_inputs(table, model.columns, rows, age), windows


def _importance(model: HazardModel) -> pl.DataFrame:
    """component, feature, share: of the boosted trees' whole gain."""
    names = (*model.columns, AGE, DAY)
    parts = [
        pl.DataFrame({"component": component, "feature": names, "share": gains(own.trees.booster, len(names))})
        for component, own in model.components.items()
        if own.trees is not None
    ]
    schema = {"component": pl.String, "feature": pl.String, "share": pl.Float64}
    return pl.concat([pl.DataFrame(schema=schema), *parts]).filter(pl.col("share") > 0)
