"""Train the detector with the tuned values; a run that was killed goes on where it stopped."""

import dataclasses
from typing import Any

import polars as pl

from twinloop.errors import InputError
from twinloop.files import atomic, fingerprint, read_json, sha256, write_json
from twinloop.learning.fit import STATE_FORMAT, discard
from twinloop.numbers import count
from twinloop.progress import say
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.twin import TWIN
from twinloop.twins.factory.weights import with_weights
from twinloop.twins.stage import Stage
from twinloop.vision import out_of_fold as out_of_fold_file
from twinloop.vision.datasets.folds import Folds
from twinloop.vision.index import INDEX_FILE, SPLITS, load_images, read_index
from twinloop.vision.models.base import parameters
from twinloop.vision.models.fitted import fitted
from twinloop.vision.models.saving import save_detector
from twinloop.vision.models.settings import ONE_CLASS, ModelSettings, SearchSpace
from twinloop.vision.training.crossvalidation import joined, out_of_fold
from twinloop.vision.training.fitting import Trained, train_detector
from twinloop.vision.training.module import FIGURES, assess
from twinloop.vision.training.settings import TrainSettings
from twinloop.vision.training.tuning import tuned

EXAMPLE = "python -m twinloop factory train"
# Beside the state: measured times are no output.
PROFILE = "profile"
ALONE = "ModelSettings.kind=patchcore, padim or simulated"
# Figures that stand in the metrics whatever the data, empty where it cannot give them.
ALWAYS = ("auroc", "ap", "f1", "iou", "pixel_auroc")


def run(stage: Stage[FactoryConfig]) -> str:
    """Write the detector, the table of epochs and the validation metrics."""
    configured, train, chosen = _settings(stage)
    augmentation = stage.config.factory.augmentation
    dataset, seed = stage.root / paths.DATASET, stage.config.seed
    model, needed = fitted(configured, dataset)
    if remark := needed.too_small(model.size_px):
        say(f"           {TWIN.in_params(remark)}")
    images = load_images(dataset, "train", size=model.size_px, channels=model.channels, cache=stage.cache)
    validation = load_images(dataset, "val", size=model.size_px, channels=model.channels, cache=stage.cache)
    matters = {
        "format": STATE_FORMAT,
        "model": dataclasses.asdict(model),
        "train": dataclasses.asdict(train),
        "augmentation": dataclasses.asdict(augmentation),
        "seed": seed,
        "data": sha256(dataset / INDEX_FILE),
    }
    state = stage.state / f"factory-train-{fingerprint(matters)[:16]}"
    trained = train_detector(
        with_weights(model, stage.state),
        train,
        augmentation,
        images=images,
        validation=validation,
        seed=seed,
        state=state,
        profile=stage.state.parent / PROFILE,
        show="val_ap",
        on_epoch=lambda epoch, figures: stage.tracker.log(figures, step=epoch),
    )
    detector, epochs, kept = trained.detector, len(trained.history), trained.best_epoch + 1
    assessed = assess(detector, validation)
    figures: dict[str, float | str | None] = dict.fromkeys(f"val_{name}" for name in ALWAYS)
    figures |= {f"val_{name}": value for name, value in assessed.items()}
    figures |= {
        "parameters": parameters(detector),
        "epochs": epochs,
        "best_epoch": kept,
        "kind": model.kind,
        "encoder": model.encoder,
        "values": chosen["source"],
        "train_images": len(images),
        "size_px": model.size_px,
        "channels": model.channels,
        "tile_px": needed.tile_px,
        "defect_px": needed.shown_at(model.size_px),
    }
    save_detector(stage.root / paths.DETECTOR, detector)
    figures |= _tested_in_folds(stage, model, train)
    _write_epochs(stage, trained)
    write_json(stage.root / paths.metrics("train"), figures)
    discard(state)
    if train.profiler != "none":
        for file in sorted((stage.state.parent / PROFILE).glob("*.txt")):
            stage.tracker.artifact(file)
    how = f"epoch {kept}/{epochs} kept"
    if model.kind in ONE_CLASS or model.frozen:
        how = "one pass over the good images" if model.kind in ONE_CLASS else "units on frozen features"
    names = {"ap": "val AP", "auroc": "AUROC", "iou": "IoU"}
    shown = "".join(f", {text} {assessed[name]:.3f}" for name, text in names.items() if name in assessed)
    return f"{how}{shown or ', no defect to validate on'}, {count(parameters(detector))} parameters"


def _tested_in_folds(stage: Stage[FactoryConfig], model: ModelSettings, train: TrainSettings) -> dict[str, str]:
    """Where test holds few defects, write what detectors of the same recipe say of the parts that they did not see."""
    dataset, folder = stage.root / paths.DATASET, stage.root / paths.DETECTOR
    folds = Folds.load(dataset)
    if folds is None:
        return {}
    present = set(read_index(dataset)["split"])
    images = joined(
        load_images(dataset, split, size=model.size_px, channels=model.channels, cache=stage.cache)
        for split in SPLITS
        if split in present
    )
    names = [images.classes[label] for label in images.labels]
    try:
        if folds.defective == 1 and model.kind == "supervised":
            raise InputError(
                f"what learns from a single defect cannot be tested on it: {ALONE} learn from good parts and can"
            )
        logits = out_of_fold(
            with_weights(model, stage.state),
            train,
            stage.config.factory.augmentation,
            images=images,
            splits=folds.splits(names, images.groups, seed=stage.config.seed),
            seed=stage.config.seed,
            workers=stage.workers,
            state=stage.state,
        )
    except InputError as error:
        reason = TWIN.in_params(str(error))
        say(f"           few defects, and not tested in folds: {reason}")
        return {"folds_left_out": reason}
    out_of_fold_file.save(folder, images.names, logits)
    say(f"           {folds.reason}")
    return {"few_defects": folds.reason}


def _settings(stage: Stage[FactoryConfig]) -> tuple[ModelSettings, TrainSettings, dict[str, Any]]:
    path = stage.root / paths.TUNED
    if not path.is_file():
        raise InputError(f"train: {path}: expected the tuned values, found none: run the tune stage first")
    chosen: dict[str, Any] = read_json(path)
    factory = stage.config.factory
    try:
        model, train = tuned(factory.model, factory.train, values=chosen["values"])
    except (ValueError, KeyError) as error:
        raise InputError(
            f"train: {path}: its values do not fit the configured model ({str(error).splitlines()[0]}): "
            "run the tune stage again"
        ) from error
    # The space was searched; it is no part of what is trained now.
    return dataclasses.replace(model, space=SearchSpace()), train, chosen


def _write_epochs(stage: Stage[FactoryConfig], trained: Trained) -> None:
    rows = [
        {"epoch": place + 1} | {name: figures.get(name) for name in FIGURES}
        for place, figures in enumerate(trained.history)
    ]
    schema = {"epoch": pl.Int64} | dict.fromkeys(FIGURES, pl.Float64)
    with atomic(stage.root / paths.EPOCHS) as temporary:
        pl.DataFrame(rows, schema=schema).write_csv(temporary, float_precision=6)
