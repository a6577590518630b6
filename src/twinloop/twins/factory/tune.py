"""Search the configured model's space on a share of the training parts; what it finds feeds train.

One objective, AP, repeats itself exactly. With latency beside it the result is a Pareto front, of which one trial is
taken by a rule: the best AP within `latency_budget_ms`, or the front's knee where no budget is given.
"""

import dataclasses
from typing import Any

from twinloop.files import atomic, sha256, write_json
from twinloop.learning.objectives import Objective
from twinloop.learning.study import Search, Tried, search
from twinloop.learning.trials import chosen_record, study_line, study_metrics, trials_frame
from twinloop.twins.configuration import from_environment
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.weights import with_weights
from twinloop.twins.stage import Stage
from twinloop.vision.index import INDEX_FILE, load_images
from twinloop.vision.models.fitted import fitted
from twinloop.vision.training.objectives import OBJECTIVES, objectives
from twinloop.vision.training.trial import PRELOAD, DetectorTrial, part_share

EXAMPLE = "python -m twinloop factory tune"
DATABASE = "factory-tune.db"
# How far, by whom and by which rule it is searched does not change what a trial is worth; all else does.
NO_MATTER = ("trials", "storage", "latency_budget_ms")


def run(stage: Stage[FactoryConfig]) -> str:
    """Write best.json, trials.parquet and the metrics of the study."""
    settings, space = stage.config.factory.tune, stage.config.factory.model.dimensions
    study = _search(stage, objectives(settings)) if settings.trials and space else None
    write_json(stage.root / paths.TUNED, chosen_record(study))
    with atomic(stage.root / paths.TRIALS) as temporary:
        trials_frame(study, space, objectives=OBJECTIVES).write_parquet(temporary)
    write_json(stage.root / paths.metrics("tune"), study_metrics(study, objectives=OBJECTIVES))
    if study is None:
        return "no trials: the configured values are used"
    for trial in study.front if len(study.objectives) > 1 else ():
        stage.tracker.child(_name(trial), params={}, metrics={}, tags={"pareto": "true"})
    return study_line(study, trials=settings.trials)


def _search(stage: Stage[FactoryConfig], asked: tuple[Objective, ...]) -> Search:
    factory, seed = stage.config.factory, stage.config.seed
    dataset = stage.root / paths.DATASET
    model, _ = fitted(factory.model, dataset)
    size, channels = model.size_px, model.channels
    trial = DetectorTrial(
        model=with_weights(model, stage.state),
        train=factory.train,
        augmentation=factory.augmentation,
        study=factory.tune,
        images=part_share(
            load_images(dataset, "train", size=size, channels=channels, cache=stage.cache),
            factory.tune.share,
            seed=seed,
        ),
        validation=load_images(dataset, "val", size=size, channels=channels, cache=stage.cache),
        seed=seed,
    )
    configured = {
        f"{section}.{field.name}": getattr(settings, field.name)
        for section, settings in (("model", model), ("train", factory.train))
        for field in dataclasses.fields(settings)
    }
    inputs = {
        "model": _plain(model, without=("space",)),
        "train": _plain(factory.train),
        "augmentation": _plain(factory.augmentation),
        "study": _plain(factory.tune, without=NO_MATTER),
        "data": sha256(dataset / INDEX_FILE),
    }
    return search(
        trial,
        factory.model.dimensions,
        objectives=asked,
        settings=dataclasses.replace(
            factory.tune, storage=from_environment("factory.tune.storage", factory.tune.storage)
        ),
        name="factory",
        inputs=inputs,
        seed=seed,
        database=stage.state / DATABASE,
        workers=stage.workers,
        start=configured,
        preload=PRELOAD,
        on_trial=lambda tried: stage.tracker.child(
            _name(tried), params=tried.values, metrics={"epochs": float(tried.steps), **tried.scores}
        ),
    )


def _name(trial: Tried) -> str:
    return f"trial {trial.number}"


def _plain(settings: Any, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(settings).items() if key not in without}
