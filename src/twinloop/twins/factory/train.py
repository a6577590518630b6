"""Train the detector with the tuned values; a run that was killed goes on where it stopped."""

import dataclasses
from typing import Any

import polars as pl

from twinloop.errors import InputError
from twinloop.files import atomic, fingerprint, read_json, sha256, write_json
from twinloop.learning.fit import STATE_FORMAT, Fitted, discard, fit
from twinloop.numbers import count
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.index import INDEX_FILE, load_images
from twinloop.vision.models.detector import parameters, save_detector
from twinloop.vision.models.settings import ModelSettings, SearchSpace, tuned
from twinloop.vision.training.module import FIGURES, MONITOR, DetectorTraining, assess
from twinloop.vision.training.settings import TrainSettings

EXAMPLE = "python -m twinloop factory train"


def run(stage: Stage[FactoryConfig]) -> str:
    """Write the detector, the table of epochs and the validation metrics."""
    model, train, chosen = _settings(stage)
    dataset, seed = stage.root / paths.DATASET, stage.config.seed
    images = load_images(dataset, "train", size=model.size_px, channels=model.channels)
    validation = load_images(dataset, "val", size=model.size_px, channels=model.channels)
    module = DetectorTraining(model, train, train=images, validation=validation, seed=seed)
    matters = {
        "format": STATE_FORMAT,
        "model": dataclasses.asdict(model),
        "train": dataclasses.asdict(train),
        "seed": seed,
        "data": sha256(dataset / INDEX_FILE),
    }
    state = stage.state / f"factory-train-{fingerprint(matters)[:16]}"
    fitted = fit(
        module,
        train,
        monitor=MONITOR,
        seed=seed,
        state=state,
        show="val_ap",
        on_epoch=lambda epoch, figures: stage.tracker.log(figures, step=epoch),
    )
    assessed = assess(module.detector, validation)
    figures: dict[str, float | str | None] = {f"val_{name}": value for name, value in assessed.items()}
    figures |= {
        "parameters": parameters(module.detector),
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch + 1,
        "encoder": model.encoder,
        "values": chosen["source"],
        "train_images": len(images),
    }
    save_detector(stage.root / paths.DETECTOR, module.detector)
    _write_epochs(stage, fitted)
    write_json(stage.root / paths.metrics("train"), figures)
    discard(state)
    iou = f", IoU {assessed['iou']:.2f}" if "iou" in assessed else ""
    return (
        f"epoch {fitted.best_epoch + 1}/{len(fitted.history)} kept, val AP {assessed['ap']:.3f}, "
        f"AUROC {assessed['auroc']:.3f}{iou}, {count(parameters(module.detector))} parameters"
    )


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


def _write_epochs(stage: Stage[FactoryConfig], fitted: Fitted) -> None:
    rows = [
        {"epoch": place + 1} | {name: figures.get(name) for name in FIGURES}
        for place, figures in enumerate(fitted.history)
    ]
    schema = {"epoch": pl.Int64} | dict.fromkeys(FIGURES, pl.Float64)
    with atomic(stage.root / paths.EPOCHS) as temporary:
        pl.DataFrame(rows, schema=schema).write_csv(temporary, float_precision=6)
