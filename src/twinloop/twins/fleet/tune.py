"""Search the space of the hazard's trees on a share of the training assets; what it finds feeds train."""

import dataclasses
from typing import Any

import numpy as np

from twinloop.files import atomic, write_json
from twinloop.learning.study import Search, search
from twinloop.learning.trials import chosen_record, study_line, study_metrics, trials_frame
from twinloop.prognostics.models.tuning import SEARCHED
from twinloop.prognostics.objectives import OBJECTIVES
from twinloop.prognostics.prepared import Prepared
from twinloop.prognostics.trial import PRELOAD, HazardTrial
from twinloop.twins.configuration import from_environment
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet tune"
DATABASE = "fleet-tune.db"
# How far and by whom it is searched does not change what a trial is worth; all else does.
NO_MATTER = ("trials", "storage", "space")


def run(stage: Stage[FleetConfig]) -> str:
    """Write best.json, trials.parquet and the metrics of the study."""
    settings = stage.config.fleet.tune
    study = _search(stage) if settings.trials and settings.space else None
    write_json(stage.root / paths.TUNED, chosen_record(study))
    with atomic(stage.root / paths.TRIALS) as temporary:
        trials_frame(study, settings.space, objectives=OBJECTIVES).write_parquet(temporary)
    write_json(stage.root / paths.metrics("tune"), study_metrics(study, objectives=OBJECTIVES))
    return study_line(study, trials=settings.trials) if study else "no trials: the configured values are used"


def _search(stage: Stage[FleetConfig]) -> Search:
    fleet, seed = stage.config.fleet, stage.config.seed
    prepared = Prepared.load(stage.root / paths.DATASET)
    table, lives = prepared.learnt()
    kept = max(4, round(fleet.tune.share * len(table.assets)))
    some = np.random.default_rng(seed).permutation(len(table.assets))[:kept]
    trial = HazardTrial(table.of_units(some), lives, fleet.predictor, seed)
    configured = {
        f"{section}.{field.name}": getattr(getattr(fleet.predictor, section), field.name)
        for section in SEARCHED
        for field in dataclasses.fields(getattr(fleet.predictor, section))
    }
    plain = {key: value for key, value in dataclasses.asdict(fleet.tune).items() if key not in NO_MATTER}
    inputs: dict[str, Any] = {
        "predictor": dataclasses.asdict(fleet.predictor),
        "study": plain,
        "data": prepared.about["sha256"],
    }
    return search(
        trial,
        fleet.tune.space,
        objectives=OBJECTIVES,
        settings=dataclasses.replace(fleet.tune, storage=from_environment("fleet.tune.storage", fleet.tune.storage)),
        name="fleet",
        inputs=inputs,
        seed=seed,
        database=stage.state / DATABASE,
        workers=stage.workers,
        start=configured,
        preload=PRELOAD,
        on_trial=lambda tried: stage.tracker.child(
            f"trial {tried.number}", params=tried.values, metrics={"epochs": float(tried.steps), **tried.scores}
        ),
    )
