"""Prepare the images: read or render surfaces, quarantine what is broken, split by part, write index and data card."""

import polars as pl

from twinloop.config.sources import dependency, located
from twinloop.files import write_json
from twinloop.numbers import count
from twinloop.progress import say
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.twin import TWIN
from twinloop.twins.stage import Stage
from twinloop.vision.datasets.build import Prepared, build
from twinloop.vision.index import GOOD, SPLITS, class_names

EXAMPLE = "python -m twinloop factory prepare"


def run(stage: Stage[FactoryConfig]) -> str:
    """Build the dataset and its metrics; returns how many surfaces of how many defect classes there are."""
    settings = stage.config.factory.data
    source = located(dependency(settings.source), root=stage.root, main=stage.main or stage.root)
    prepared = build(
        settings,
        source,
        stage.root / paths.DATASET,
        seed=stage.config.seed,
        workers=stage.workers,
        named=TWIN.in_params,
    )
    write_json(stage.root / paths.metrics("prepare"), figures(prepared, data=prepared.layout))
    defects = len(class_names(prepared.index)) - 1
    if prepared.folds is not None:
        say(f"           {prepared.folds.reason}")
    return (
        f"{count(len(prepared.index))} surfaces, {defects} defect class{'es' if defects != 1 else ''}, "
        f"{count(len(prepared.quarantine))} quarantined"
    )


def figures(prepared: Prepared, *, data: str) -> dict[str, float | int | str]:
    """The stage's metrics: counts of images, parts and classes, per split, and the digest of all content."""
    index = prepared.index
    metrics: dict[str, float | int | str] = {
        "images": len(index),
        "parts": index["group"].n_unique(),
        "defective_share": int((index["label"] != GOOD).sum()) / len(index),
        "classes": len(class_names(index)),
        "quarantined": len(prepared.quarantine),
        "with_mask": int(index["mask"].count()),
        "data": data,
        "dataset_sha256": prepared.digest,
    }
    if prepared.warning:
        metrics["warning"] = prepared.warning
    if prepared.folds is not None:
        metrics["few_defects"] = prepared.folds.reason
    for split in SPLITS:
        rows = index.filter(pl.col("split") == split)
        metrics[f"{split}_images"] = len(rows)
        metrics[f"{split}_parts"] = rows["group"].n_unique()
        metrics[f"{split}_defective"] = int((rows["label"] != GOOD).sum())
    return metrics
