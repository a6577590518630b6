"""Search how documents are cut and found, on questions about documents that nothing else learns from."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

from twinloop.dialogue.datasets import stored
from twinloop.dialogue.models.bert import BertShape
from twinloop.files import atomic, fingerprint, write_json
from twinloop.learning.study import Search, search
from twinloop.learning.trials import chosen_record, study_line, study_metrics, trials_frame
from twinloop.twins.configuration import from_environment
from twinloop.twins.person import paths
from twinloop.twins.person.config import TRAINED, PersonConfig
from twinloop.twins.person.data.known import Known, shape_of
from twinloop.twins.person.learning.objectives import OBJECTIVES
from twinloop.twins.person.learning.trial import PRELOAD, RetrievalTrial
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop person tune"
DATABASE = "person-tune.db"
# How far and by whom it is searched does not change what a trial is worth; all else does.
NO_MATTER = ("trials", "storage", "space")


def run(stage: Stage[PersonConfig]) -> str:
    """Write best.json, trials.parquet and the metrics of the study."""
    person = stage.config.person
    known = Known.load(stage.root / paths.DATASET, person.data.documents)
    answerable = any(one.evidence for one in known.asked("val"))
    study = _search(stage, known) if person.tune.trials and person.tune.space and answerable else None
    write_json(stage.root / paths.TUNED, chosen_record(study))
    with atomic(stage.root / paths.TRIALS) as temporary:
        trials_frame(study, person.tune.space, objectives=OBJECTIVES).write_parquet(temporary)
    write_json(stage.root / paths.metrics("tune"), study_metrics(study, objectives=OBJECTIVES))
    if study is not None:
        return study_line(study, trials=person.tune.trials)
    why = "no trials" if answerable else "no question about a document is held out for it"
    return f"{why}: the configured values are used"


def _search(stage: Stage[PersonConfig], known: Known) -> Search:
    person, seed = stage.config.person, stage.config.seed
    asked = tuple(one for one in known.asked("val") if one.evidence)
    inputs: dict[str, Any] = {
        "index": dataclasses.asdict(person.index),
        "answers": dataclasses.asdict(person.answers),
        "providers": dataclasses.asdict(person.providers),
        "study": {key: value for key, value in dataclasses.asdict(person.tune).items() if key not in NO_MATTER},
        "data": stored.digest(stage.root / paths.DATASET),
        "encoder": dataclasses.asdict(person.train.encoder) if _trained(stage) else None,
    }
    learnt, shape = stage.state / f"person-tune-{fingerprint(inputs)[:16]}", None
    if _trained(stage):
        shape = _quickly_learnt(stage, known, learnt)
    trial = RetrievalTrial(known.read.all, asked, person.providers, learnt, shape, person.index, person.answers)
    sections = dataclasses.asdict(person.index)
    found = search(
        trial,
        person.tune.space,
        objectives=OBJECTIVES,
        settings=dataclasses.replace(person.tune, storage=from_environment("person.tune.storage", person.tune.storage)),
        name="person",
        inputs=inputs,
        seed=seed,
        database=stage.state / DATABASE,
        workers=stage.workers,
        start={f"{name}.{key}": value for name, values in sections.items() for key, value in values.items()},
        preload=PRELOAD,
        on_trial=lambda tried: stage.tracker.child(
            f"trial {tried.number}", params=tried.values, metrics={"epochs": float(tried.steps), **tried.scores}
        ),
    )
    shutil.rmtree(learnt, ignore_errors=True)
    return found


def _trained(stage: Stage[PersonConfig]) -> bool:
    return stage.config.person.providers.encoder.name == TRAINED


def _quickly_learnt(stage: Stage[PersonConfig], known: Known, folder: Path) -> BertShape:
    """Where the encoder that is learnt here finds, one of the training documents: the train stage learns it anew."""
    # Only then is torch needed.
    from twinloop.twins.person.learning.encoder import learn

    person, seed = stage.config.person, stage.config.seed
    sides = known.asked("train"), known.asked("val")
    learn(known, sides, folder, person.train.encoder, index=person.index, seed=seed)
    return shape_of(folder)
