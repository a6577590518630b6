"""Search the configured model's space on a share of the training parts; what it finds feeds train.

One objective, AP, repeats itself exactly. With latency beside it the result is a Pareto front, of which one trial is
taken by a rule: the best AP within `latency_budget_ms`, or the front's knee where no budget is given.
"""

import dataclasses
from functools import partial
from typing import Any

import polars as pl

from twinloop.errors import RunError
from twinloop.files import atomic, sha256, write_json
from twinloop.learning.pareto import best_within, knee
from twinloop.learning.settings import StudySettings
from twinloop.learning.study import Search, Tried, search
from twinloop.twins.configuration import from_environment
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.index import INDEX_FILE, load_images
from twinloop.vision.training.objective import PRELOAD, DetectorObjective, part_share

EXAMPLE = "python -m twinloop factory tune"
DATABASE = "factory-tune.db"
# How far, by whom and by which rule it is searched does not change what a trial is worth; all else does.
NO_MATTER = ("trials", "storage", "latency_budget_ms")


def run(stage: Stage[FactoryConfig]) -> str:
    """Write best.json, trials.parquet and the metrics of the study."""
    settings, space = stage.config.factory.tune, stage.config.factory.model.space.dimensions
    if settings.trials == 0 or not space:
        write_json(stage.root / paths.TUNED, {"source": "configured", "values": {}, "trial": None, "value": None})
        _write_trials(stage, None)
        _write_figures(stage, None)
        return "no trials: the configured values are used"
    found = _search(stage)
    best = found.best
    write_json(
        stage.root / paths.TUNED,
        {"source": "tuned", "values": best.values, "trial": best.number, "value": best.value},
    )
    _write_trials(stage, found)
    _write_figures(stage, found)
    told = f"{len(found.trials)}/{settings.trials} trials"
    if not best.costs:
        return f"{told}, best AP {best.value:.3f} ({found.pruned} pruned)"
    for trial in found.front:
        stage.tracker.child(_name(trial), params={}, metrics={}, tags={"pareto": "true"})
    return f"{told}, {len(found.front)} on the front; {_rule(settings)}: AP {best.value:.3f} at {best.costs[0]:.2f} ms"


def _search(stage: Stage[FactoryConfig]) -> Search:
    factory, seed = stage.config.factory, stage.config.seed
    dataset, size, channels = stage.root / paths.DATASET, factory.model.size_px, factory.model.channels
    objective = DetectorObjective(
        model=factory.model,
        train=factory.train,
        augmentation=factory.augmentation,
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
    study = {key: value for key, value in dataclasses.asdict(factory.tune).items() if key not in NO_MATTER}
    inputs = {
        "model": {key: value for key, value in dataclasses.asdict(factory.model).items() if key != "space"},
        "train": dataclasses.asdict(factory.train),
        "augmentation": dataclasses.asdict(factory.augmentation),
        "study": study,
        "data": sha256(dataset / INDEX_FILE),
    }
    return search(
        objective,
        factory.model.space.dimensions,
        settings=dataclasses.replace(
            factory.tune, storage=from_environment("factory.tune.storage", factory.tune.storage)
        ),
        name="factory",
        inputs=inputs,
        seed=seed,
        database=stage.state / DATABASE,
        workers=stage.workers,
        start=configured,
        score="AP",
        costs=len(factory.tune.objectives) - 1,
        choose=partial(choose, factory.tune),
        preload=PRELOAD,
        on_trial=lambda trial: _track(stage, trial),
    )


def choose(settings: StudySettings, front: tuple[Tried, ...]) -> Tried:
    """The trial of a front that is used. Raises RunError where none keeps within the latency budget."""
    scores = [trial.value or 0.0 for trial in front]
    if len(settings.objectives) == 1:
        return front[scores.index(max(scores))]
    latencies = [trial.costs[0] for trial in front]
    budget = settings.latency_budget_ms
    if budget is None:
        return front[knee(scores, latencies)]
    place = best_within(scores, latencies, budget)
    if place is None:
        raise RunError(
            f"tune: no trial keeps within latency_budget_ms = {budget:g}, the fastest takes {min(latencies):.2f} ms: "
            "raise the budget (the trials are kept), or let the space reach smaller models"
        )
    return front[place]


def _rule(settings: StudySettings) -> str:
    if len(settings.objectives) == 1:
        return "best AP"
    budget = settings.latency_budget_ms
    return "the front's knee" if budget is None else f"best AP within {budget:g} ms"


def _name(trial: Tried) -> str:
    return f"trial {trial.number}"


def _track(stage: Stage[FactoryConfig], trial: Tried) -> None:
    metrics = {"epochs": float(trial.steps)} | ({} if trial.value is None else {"val_ap": trial.value})
    metrics |= {"latency_ms": trial.costs[0]} if trial.costs else {}
    stage.tracker.child(_name(trial), params=trial.values, metrics=metrics)


def _write_figures(stage: Stage[FactoryConfig], found: Search | None) -> None:
    figures: dict[str, Any] = {
        "tune_val_ap": None,
        "tune_latency_ms": None,
        "source": "configured",
        "rule": None,
        "trials": 0,
        "pruned": 0,
        "front": None,
        "best_trial": None,
    }
    if found is not None:
        figures |= {
            "tune_val_ap": found.best.value,
            "source": "tuned",
            "rule": _rule(stage.config.factory.tune),
            "trials": len(found.trials),
            "pruned": found.pruned,
            "best_trial": found.best.number,
        }
        if found.best.costs:
            figures |= {"tune_latency_ms": found.best.costs[0], "front": len(found.front)}
    write_json(stage.root / paths.metrics("tune"), figures)


def _write_trials(stage: Stage[FactoryConfig], found: Search | None) -> None:
    """latency_ms and pareto are null where latency was no objective."""
    space = stage.config.factory.model.space.dimensions
    kinds: dict[str, Any] = {"int": pl.Int64, "float": pl.Float64}
    schema = {
        "trial": pl.Int64,
        "val_ap": pl.Float64,
        "latency_ms": pl.Float64,
        "pareto": pl.Boolean,
        "epochs": pl.Int64,
        "reason": pl.String,
    }
    columns = {
        name: kinds.get(dimension.kind) or (pl.Series(dimension.choices, strict=True).dtype)
        for name, dimension in space.items()
    }
    trials, front = (found.trials, found.front) if found is not None else ((), ())
    rows = [
        {
            "trial": trial.number,
            "val_ap": trial.value,
            "latency_ms": trial.costs[0] if trial.costs else None,
            "pareto": trial in front if trial.costs else None,
            "epochs": trial.steps,
            "reason": trial.reason,
        }
        | trial.values
        for trial in trials
    ]
    with atomic(stage.root / paths.TRIALS) as temporary:
        pl.DataFrame(rows, schema=schema | columns).write_parquet(temporary)
