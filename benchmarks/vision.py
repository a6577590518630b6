"""The detector's figures: quality on rendered and on real surfaces, its speed and memory beside the bare runtime.

`python benchmarks/vision.py --json` prints one JSON object. Quality is of the configurations as composed from conf/;
CPU seconds are of this process and its children. A figure that could not be measured is null, with its reason under
"reasons".
"""

import argparse
import dataclasses
import functools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.twins.factory.config import FactoryConfig

if TYPE_CHECKING:
    from twinloop.vision.index import ImageSet
    from twinloop.vision.training.crossvalidation import Fold

    FoldsOf = Callable[[int, Callable[[Fold], None]], Sequence[Fold]]

ROOT = Path(__file__).resolve().parents[1]
# Folds side by side: as many as the process may use cores.
WORKERS = len(os.sched_getaffinity(0))
PARTS = ("synthetic", "unlike", "magnetic_tile", "pretrained", "folder", "inference", "images")
# What is measured where nothing is named: `folder` needs pictures of one's own.
USUAL = tuple(part for part in PARTS if part != "folder")
RECIPE = ("factory/model=photographs", "factory/train=small_data", "factory/augmentation=small_data")
PHOTOGRAPHS = ("factory/data=magnetic_tile", "factory.data.val_share=0.02", *RECIPE)
PRETRAINED = {
    "pretrained": (*PHOTOGRAPHS, "factory/weights=registry"),
    # Its limits are set on good parts held out.
    "patchcore": (
        "factory/data=magnetic_tile",
        "factory.data.val_share=0.1",
        "factory/model=patchcore",
        "factory/weights=registry",
    ),
}
FOLDS = 5
# Of what may hang on the luck of the folds.
SEEDS = 3
NO_TILES = "no folder magnetic_tile: give --data DIR or TWINLOOP_DATA"


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="with magnetic_tile/ (else $TWINLOOP_DATA); for folder: of pictures")
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=USUAL, help="some parts only")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as temporary:
        folder = Path(temporary)
        if "synthetic" in options.only:
            figures |= synthetic(folder / "synthetic")
        if "unlike" in options.only:
            figures |= unlike("unlike", *trained(folder / "synthetic")[:4], folder / "synthetic")
            given = options.data or os.environ.get("TWINLOOP_DATA")
            figures |= unlike_photographs(folder / "unlike", Path(given) if given else None, reasons)
        if "magnetic_tile" in options.only:
            given = options.data or os.environ.get("TWINLOOP_DATA")
            figures |= magnetic_tile(folder / "tile", Path(given) if given else None, reasons)
        if "pretrained" in options.only:
            given = options.data or os.environ.get("TWINLOOP_DATA")
            figures |= pretrained(folder / "pretrained", Path(given) if given else None, reasons)
        if "folder" in options.only:
            from benchmarks import pictures

            figures |= pictures.figures(folder / "folder", options.data, reasons)
        if "inference" in options.only:
            from benchmarks import inference

            figures |= inference.figures(folder / "inference", reasons)
        if "images" in options.only:
            from benchmarks import many_images

            figures |= many_images.figures(folder / "images", reasons)
    print(json.dumps(figures | {"reasons": reasons}, indent=None if options.json else 2))


def configured(*overrides: str) -> FactoryConfig:
    """The factory's configuration as `twinloop conf` would write it."""
    values = compose(ROOT / "conf", overrides).values
    config: FactoryConfig = parse(FactoryConfig, {key: values[key] for key in ("profile", "seed", "factory")})
    return config


def synthetic(folder: Path) -> dict[str, float]:
    """The default detector, trained with the default settings (no search) on the default surfaces, on the CPU."""
    from twinloop.vision.training.module import assess

    detector, _, _, test, spent = trained(folder)
    found = assess(detector, test)
    return {
        "synthetic_auroc": round(found["auroc"], 4),
        "synthetic_iou": round(found["iou"], 4),
        "synthetic_cpu_s": round(spent, 1),
    }


def unlike_photographs(folder: Path, data: Path | None, reasons: dict[str, str]) -> dict[str, Any]:
    """The same of photographs: PaDiM on the registry's weights learns good tiles, and other good ones are spoilt."""
    from twinloop.twins.factory.weights import with_weights
    from twinloop.vision.datasets.build import build
    from twinloop.vision.index import SPLITS, load_images
    from twinloop.vision.models.published import PUBLISHED, is_at_hand
    from twinloop.vision.training.fitting import train_detector
    from twinloop.vision.training.loading import subset

    encoder, published = next(iter(PUBLISHED.items()))
    if data is None or not (data / "magnetic_tile").is_dir() or not is_at_hand(encoder):
        reasons["unlike_photographs"] = NO_TILES if is_at_hand(encoder) else f"no {published.weights.package}"
        return {"unlike_photographs_caught_mean": None}
    config = configured("factory/data=magnetic_tile", "factory/model=padim", "factory/weights=registry")
    factory = config.factory
    build(factory.data, data / "magnetic_tile", folder, seed=config.seed, workers=WORKERS)
    train, validation, test = (
        subset(images, images.labels == 0)
        for split in SPLITS
        for images in [load_images(folder, split, size=factory.model.size_px, channels=factory.model.channels)]
    )
    fitted = train_detector(
        with_weights(factory.model, folder.parent / "state"),
        factory.train,
        factory.augmentation,
        images=train,
        validation=validation,
        seed=config.seed,
    )
    return unlike("unlike_photographs", fitted.detector, train, validation, test, folder)


def unlike(name: str, detector: Any, train: Any, validation: Any, test: Any, folder: Path) -> dict[str, Any]:
    """Share of pictures spoilt in twelve ways that the detector refuses to judge, and of good test pictures.

    The limit of its unlike score is set on good validation images at the default share of false alarms.
    """
    from twinloop.files import sha256
    from twinloop.learning.export import to_onnx
    from twinloop.learning.spec import Spec, graph_file
    from twinloop.vision.evaluation.unlikeness import refused_shares, unlike_table
    from twinloop.vision.graph import OUTPUTS, STEM, image_input
    from twinloop.vision.inference.predict import DeployedDetector
    from twinloop.vision.models.unlike import WatchedDetector
    from twinloop.vision.scores import score_limit

    watched, shape = WatchedDetector(detector), {"size": detector.size, "channels": detector.channels}
    watched.learn(train.images)
    rate = configured().factory.export.unlike_false_alarms
    held_out = watched.scores(validation.images[validation.labels == 0])
    about = {"limit": score_limit(held_out, false_alarms=rate), "false_alarms": rate, "held_out": len(held_out)}
    graph = folder / "exported" / graph_file(STEM, "fp32")
    graph.parent.mkdir()
    to_onnx(watched, (image_input(**shape),), path=graph, outputs=OUTPUTS, metadata={})
    spec = {"classes": detector.classes, **shape, "unlike": about | {"shapes": (1.0, 1.0)}}
    Spec("fp32", {"fp32": graph.name}, {"fp32": sha256(graph)}, spec, outputs=OUTPUTS).save(graph.parent)
    shares = refused_shares(unlike_table(DeployedDetector(graph.parent), test, seed=configured().seed))
    good, caught = shares.pop("good"), {kind: round(share, 4) for kind, share in shares.items() if share is not None}
    return {
        f"{name}_caught_mean": round(sum(caught.values()) / len(caught), 4),
        f"{name}_caught": caught,
        f"{name}_false_alarms": None if good is None else round(good, 4),
        f"{name}_false_alarms_asked": rate,
    }


@functools.cache
def trained(folder: Path) -> tuple[Any, Any, Any, Any, float]:
    """The default detector, the images of train, val and test, and the CPU seconds that training took."""
    from twinloop.vision.datasets.build import build
    from twinloop.vision.index import load_images
    from twinloop.vision.training.fitting import train_detector

    config = configured()
    factory = config.factory
    build(factory.data, ROOT / factory.data.source, folder, seed=config.seed, workers=WORKERS)
    train, validation, test = (
        load_images(folder, split, size=factory.model.size_px, channels=factory.model.channels)
        for split in ("train", "val", "test")
    )
    started = cpu_seconds()
    fitted = train_detector(
        factory.model,
        dataclasses.replace(factory.train, accelerator="cpu"),
        factory.augmentation,
        images=train,
        validation=validation,
        seed=config.seed,
    )
    return fitted.detector, train, validation, test, cpu_seconds() - started


def magnetic_tile(folder: Path, data: Path | None, reasons: dict[str, str]) -> dict[str, float | None]:
    """The photograph recipe without pretrained weights, cross-validated by part on real photographs."""
    if data is None or not (data / "magnetic_tile").is_dir():
        reasons["magnetic_tile"] = NO_TILES
        return {"magnetic_tile_auroc_mean": None, "magnetic_tile_auroc_half_width": None}
    return cross_validated("magnetic_tile", PHOTOGRAPHS, data / "magnetic_tile", folder)


def pretrained(folder: Path, data: Path | None, reasons: dict[str, str]) -> dict[str, float | None]:
    """The same photographs with the registry's weights: the photograph recipe, and PatchCore from good images alone.

    Beside ours, anomalib's PatchCore. Folds and luck are drawn three times over.
    """
    from benchmarks import patchcore_peer
    from twinloop.vision.models.published import PUBLISHED, is_at_hand

    peer = "magnetic_tile_anomalib_patchcore"
    figures: dict[str, float | None] = {f"magnetic_tile_{name}_auroc_mean": None for name in PRETRAINED}
    figures[f"{peer}_auroc_mean"] = None
    encoder, published = next(iter(PUBLISHED.items()))
    if data is None or not (data / "magnetic_tile").is_dir():
        reasons["pretrained"] = NO_TILES
    elif not is_at_hand(encoder):
        reasons["pretrained"] = f"package {published.weights.package} is not installed"
    else:
        source = data / "magnetic_tile"
        for name, overrides in PRETRAINED.items():
            figures |= cross_validated(f"magnetic_tile_{name}", overrides, source, folder / name, seeds=SEEDS)
        overrides = PRETRAINED["patchcore"]
        figures |= patchcore_peer.figures(peer, overrides, source, folder / "peer", seeds=SEEDS, reasons=reasons)
    return figures


def cross_validated(
    name: str, overrides: Sequence[str], source: Path, folder: Path, *, seeds: int = 1
) -> dict[str, float | None]:
    """Cross-validation by part: mean of every figure and half of its 95 % interval, and the CPU minutes per seed.

    seeds: how often the folds are drawn anew; the interval is then corrected as for one drawing (Bouckaert and Frank,
    2004). The headline is of single images; `_part` is of the mean score over all photographs of a part, `_weighted` of
    single images that share the weight of their part.
    """
    from twinloop.twins.factory.weights import with_weights
    from twinloop.vision.training.crossvalidation import cross_validate

    config = configured(*overrides)
    factory = config.factory
    images = photographs(config, source, folder)

    def folds_of(seed: int, on_fold: "Callable[[Fold], None]") -> Sequence["Fold"]:
        return cross_validate(
            with_weights(factory.model, folder.parent / "state"),
            dataclasses.replace(factory.train, accelerator="cpu"),
            factory.augmentation,
            images=images,
            folds=FOLDS,
            val_share=factory.data.val_share,
            seed=seed,
            average_exposures=True,
            workers=WORKERS,
            on_fold=on_fold,
        ).folds

    return repeated(name, folds_of, seed=config.seed, seeds=seeds)


def photographs(config: FactoryConfig, source: Path, folder: Path) -> "ImageSet":
    """All images of the dataset that `config` makes of `source` in `folder`."""
    from twinloop.vision.datasets.build import build
    from twinloop.vision.index import SPLITS, load_images
    from twinloop.vision.training.crossvalidation import joined

    model = config.factory.model
    build(config.factory.data, source, folder, seed=config.seed, workers=WORKERS)
    return joined(load_images(folder, split, size=model.size_px, channels=model.channels) for split in SPLITS)


def repeated(name: str, folds_of: "FoldsOf", *, seed: int, seeds: int) -> dict[str, float | None]:
    """The figures of the folds that `folds_of` finds for each of `seeds` seeds from `seed` on, as `cross_validated`.

    folds_of: given a seed and what is to be told of each fold.
    """
    from twinloop.vision.training.crossvalidation import means

    started = cpu_seconds()
    folds: list[Fold] = []
    for drawing in range(seed, seed + seeds):
        folds += folds_of(drawing, lambda fold: print(name, fold, file=sys.stderr, flush=True))
        print(name, drawing, f"{(cpu_seconds() - started) / 60:.1f} CPU min so far", file=sys.stderr, flush=True)
    figures: dict[str, float | None] = {}
    for figure, mean in means(folds).items():
        figures[f"{name}_{figure}_mean"] = round(mean.mean, 4)
        figures[f"{name}_{figure}_half_width"] = round(mean.half_width, 4)
    return figures | {f"{name}_cpu_min": round((cpu_seconds() - started) / 60 / seeds, 1)}


def cpu_seconds() -> float:
    """CPU time of this process and of its children, finished or not."""
    own = os.times()
    living = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return own.user + own.system + own.children_user + own.children_system + sum(c.user + c.system for c in living)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
