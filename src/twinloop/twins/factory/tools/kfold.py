"""Cross-validate the configured training by part: figures per fold, mean and interval.

Every part of the prepared data is tested once, by a detector new to it. It uses params.yaml as it is: values of
the tune stage saw some of the parts, so they are left out.
"""

import argparse
import contextlib
import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from twinloop.errors import InputError

if TYPE_CHECKING:
    from twinloop.numbers import Interval
    from twinloop.tracking.stage_run import StageRun
    from twinloop.vision.training.crossvalidation import Fold

EXAMPLE = "python -m twinloop kfold --folds 5 --json"
STAGE = "kfold"
TITLES = {
    "auroc": "AUROC",
    "ap": "AP",
    "iou": "IoU",
    "part_auroc": "part AUROC",
    "part_ap": "part AP",
    "weighted_auroc": "AUROC weighted by part",
    "weighted_ap": "AP weighted by part",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("--folds", type=int, default=5, help="number of folds, 2 or more (default 5)")
    parser.add_argument(
        "--average-exposures", action="store_true", help="also judge a part by the mean score of its exposures"
    )
    parser.add_argument("--workers", type=int, default=0, help="folds side by side (default: as many as cores)")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Print a line per fold and the means with their 95 % intervals."""
    if options.folds < 2:
        raise InputError(f"kfold: --folds {options.folds}: expected 2 or more")
    import joblib

    from twinloop.config import parse
    from twinloop.config.compose import read_params
    from twinloop.twins import configuration, registry
    from twinloop.twins.factory import paths
    from twinloop.twins.factory.config import FactoryConfig
    from twinloop.twins.factory.twin import TWIN
    from twinloop.twins.factory.weights import with_weights
    from twinloop.twins.stage import STATE
    from twinloop.vision.index import SPLITS, load_images, read_index

    configuration.check(root)
    params = read_params(root)
    config = parse(FactoryConfig, {key: params[key] for key in (*registry.SHARED, TWIN.name)})
    factory, dataset = config.factory, root / paths.DATASET
    present = set(read_index(dataset)["split"])

    from twinloop.vision.models.fitted import fitted
    from twinloop.vision.training.crossvalidation import cross_validate, joined

    model, _ = fitted(factory.model, dataset)
    size, channels = model.size_px, model.channels
    images = joined(load_images(dataset, split, size=size, channels=channels) for split in SPLITS if split in present)
    with _tracked(root, params, folds=options.folds) as tracker:

        def report(fold: "Fold") -> None:
            tracker.child(f"fold {fold.number + 1}", params={"test_parts": fold.test_parts}, metrics=fold.figures)
            if not options.json:
                print(_fold_line(fold, options.folds), flush=True)

        validated = cross_validate(
            with_weights(model, configuration.main_root(root) / STATE),
            factory.train,
            factory.augmentation,
            images=images,
            folds=options.folds,
            val_share=factory.data.val_share,
            seed=config.seed,
            average_exposures=options.average_exposures,
            workers=options.workers if options.workers > 0 else joblib.cpu_count(),
            state=configuration.main_root(root) / STATE,
            on_fold=report,
        )
        tracker.log({f"kfold_{name}": mean.mean for name, mean in validated.means.items()}, step=0)
    if options.json:
        folds = [asdict(fold) for fold in validated.folds]
        print(
            json.dumps(
                {
                    "folds": folds,
                    "means": {name: _plain(mean, validated.counted(name)) for name, mean in validated.means.items()},
                }
            )
        )
    else:
        print(
            f"mean of {options.folds} folds: {', '.join(_mean(name, mean) for name, mean in validated.means.items())}"
        )
    return 0


def _fold_line(fold: "Fold", folds: int) -> str:
    figures = "  ".join(f"{TITLES[name]} {value:.3f}" for name, value in fold.figures.items())
    tested = f"{fold.test_images} images of {fold.test_parts} parts"
    return f"fold {fold.number + 1}/{folds}  {figures or 'no figures'}  ({tested}, epoch {fold.best_epoch + 1} kept)"


def _mean(name: str, mean: "Interval") -> str:
    return f"{TITLES[name]} {mean.mean:.3f} ± {mean.half_width:.3f}"


def _plain(mean: "Interval", folds: int) -> dict[str, float | int | None]:
    known = math.isfinite(mean.half_width)
    return {"mean": mean.mean, "half_width": mean.half_width if known else None, "folds": folds}


@contextlib.contextmanager
def _tracked(root: Path, params: dict[str, object], *, folds: int) -> "Iterator[StageRun]":
    """A run below the row of the execution that these parameters belong to; a finished row stays finished."""
    from twinloop.tracking import execution, store
    from twinloop.tracking.stage_run import stage_run, store_faults
    from twinloop.twins import configuration, registry
    from twinloop.twins.factory.twin import TWIN

    opened = store.open_store(os.environ.get("MLFLOW_TRACKING_URI"), configuration.main_root(root))
    section = {key: params[key] for key in (*registry.SHARED, TWIN.name)}
    key, revision = execution.execution_key(section, root), execution.git_revision(root)
    tags = {"profile": str(params["profile"]), "git_revision": revision, execution.COMMIT: revision}
    row = execution.find_or_create(opened, twin=TWIN.name, key=key, tags=tags)
    before = opened.client.get_run(row.run_id).info.status
    with stage_run(
        opened, twin=TWIN.name, stage=STAGE, execution_key=key, params={"folds": folds}, tags=tags
    ) as tracker:
        yield tracker
        tracker.finish()
    if before == "FINISHED":
        with contextlib.suppress(*store_faults()):
            opened.client.set_terminated(row.run_id, before)
