"""Search the configured model's space on a share of the training parts; what it finds feeds train."""

import dataclasses
from typing import Any

import polars as pl

from twinloop.files import atomic, sha256, write_json
from twinloop.learning.study import Search, Tried, search
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.index import INDEX_FILE, load_images
from twinloop.vision.training.objective import PRELOAD, DetectorObjective, part_share

EXAMPLE = "python -m twinloop factory tune"
DATABASE = "factory-tune.db"


def run(stage: Stage[FactoryConfig]) -> str:
    """Write best.json, trials.parquet and the metrics of the study."""
    settings, space = stage.config.factory.tune, stage.config.factory.model.space.dimensions
    if settings.trials == 0 or not space:
        write_json(stage.root / paths.TUNED, {"source": "configured", "values": {}, "trial": None, "value": None})
        _write_trials(stage, ())
        figures: dict[str, Any] = {
            "tune_val_ap": None,
            "source": "configured",
            "trials": 0,
            "pruned": 0,
            "best_trial": None,
        }
        write_json(stage.root / paths.metrics("tune"), figures)
        return "no trials: the configured values are used"
    found = _search(stage)
    best = found.best
    write_json(
        stage.root / paths.TUNED,
        {"source": "tuned", "values": best.values, "trial": best.number, "value": best.value},
    )
    _write_trials(stage, found.trials)
    figures = {
        "tune_val_ap": best.value,
        "source": "tuned",
        "trials": len(found.trials),
        "pruned": found.pruned,
        "best_trial": best.number,
    }
    write_json(stage.root / paths.metrics("tune"), figures)
    return f"{len(found.trials)}/{settings.trials} trials, best AP {best.value:.3f} ({found.pruned} pruned)"


def _search(stage: Stage[FactoryConfig]) -> Search:
    factory, seed = stage.config.factory, stage.config.seed
    dataset, size, channels = stage.root / paths.DATASET, factory.model.size_px, factory.model.channels
    objective = DetectorObjective(
        model=factory.model,
        train=factory.train,
        study=factory.tune,
        images=part_share(load_images(dataset, "train", size=size, channels=channels), factory.tune.share, seed=seed),
        validation=load_images(dataset, "val", size=size, channels=channels),
        seed=seed,
    )
    configured = {
        f"{section}.{field.name}": getattr(settings, field.name)
        for section, settings in (("model", factory.model), ("train", factory.train))
        for field in dataclasses.fields(settings)
    }
    # How far and by whom it is searched does not change what a trial is worth; all else does.
    study = {key: value for key, value in dataclasses.asdict(factory.tune).items() if key not in ("trials", "storage")}
    inputs = {
        "model": {key: value for key, value in dataclasses.asdict(factory.model).items() if key != "space"},
        "train": dataclasses.asdict(factory.train),
        "study": study,
        "data": sha256(dataset / INDEX_FILE),
    }
    return search(
        objective,
        factory.model.space.dimensions,
        settings=factory.tune,
        name="factory",
        inputs=inputs,
        seed=seed,
        database=stage.state / DATABASE,
        workers=stage.workers,
        start=configured,
        score="AP",
        preload=PRELOAD,
        on_trial=lambda trial: _track(stage, trial),
    )


def _track(stage: Stage[FactoryConfig], trial: Tried) -> None:
    metrics = {"epochs": float(trial.steps)} | ({} if trial.value is None else {"val_ap": trial.value})
    stage.tracker.child(f"trial {trial.number}", params=trial.values, metrics=metrics)


def _write_trials(stage: Stage[FactoryConfig], trials: tuple[Tried, ...]) -> None:
    space = stage.config.factory.model.space.dimensions
    kinds: dict[str, Any] = {"int": pl.Int64, "float": pl.Float64}
    schema = {"trial": pl.Int64, "val_ap": pl.Float64, "epochs": pl.Int64, "reason": pl.String}
    columns = {
        name: kinds.get(dimension.kind) or (pl.Series(dimension.choices, strict=True).dtype)
        for name, dimension in space.items()
    }
    rows = [
        {"trial": trial.number, "val_ap": trial.value, "epochs": trial.steps, "reason": trial.reason} | trial.values
        for trial in trials
    ]
    with atomic(stage.root / paths.TRIALS) as temporary:
        pl.DataFrame(rows, schema=schema | columns).write_parquet(temporary)
