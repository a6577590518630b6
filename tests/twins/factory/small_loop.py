"""The factory's stages up to schedule, for real and tiny, on a folder of images.

Run as a module with a root: `python -m tests.twins.factory.small_loop ROOT`; so torch stays out of the process that
tests the report.
"""

import dataclasses
import importlib
import sys
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from tests.twins.small_loop import CONF, SilentTracker
from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.contracts import OperatingCurve
from twinloop.files import read_json, write_json
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.datasets.settings import SurfaceSettings
from twinloop.vision.synthetic.surfaces import photographs

HOSTILE = "<script>alert(1)</script>"
STAGES = ("prepare", "tune", "train", "export", "evaluate", "simulate", "schedule")
OVERRIDES = (
    "profile=smoke",
    "factory/data=folder",
    "factory.data.limit_parts=0",
    "factory.tune.trials=0",
    "factory.train.epochs=2",
    "factory.simulate.replications=6",
)


def stage(root: Path) -> Stage[FactoryConfig]:
    """A stage at `root` under profile smoke, reading images from its folder source/."""
    values = compose(CONF, (*OVERRIDES, f"factory.data.source={root / 'source'}")).values
    return Stage(
        parse(FactoryConfig, {key: values[key] for key in ("profile", "seed", "factory")}), root, SilentTracker(), 1
    )


def write_source(root: Path) -> None:
    """Rendered surfaces as a user's folder."""
    settings = SurfaceSettings(parts=60, exposures=1, size_px=48, kinds=("crack", "missing", "stain"))
    for number, photograph in enumerate(photographs(settings, seed=5)):
        pixels, mask = photograph.render()
        folder = root / "source" / photograph.part.label
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        if mask.any():
            Image.fromarray(mask).save(folder / f"{number}_mask.png")


def make_hostile(root: Path) -> None:
    """Put markup in the place of a class, a lever, a line and a file name: as if no earlier stage had cleaned it."""
    out = root / paths.EVALUATION
    for path in (root / paths.DATASET / "index.parquet", out / "predictions.parquet"):
        frame = pl.read_parquet(path)
        frame.with_columns(pl.col(pl.String).replace({"stain": HOSTILE})).write_parquet(path)
    curve = OperatingCurve.load(out / "operating_curve.parquet")
    classes = tuple(HOSTILE if name == "stain" else name for name in curve.classes)
    dataclasses.replace(curve, classes=classes).save(out / "operating_curve.parquet")
    with np.load(out / "examples.npz") as stored:
        np.savez(out / "examples.npz", **{**stored, "classes": np.array(classes)})
    levers = root / paths.SIMULATION / "sensitivity.parquet"
    pl.read_parquet(levers).with_columns(pl.col("name").replace({"buffer 1": HOSTILE})).write_parquet(levers)
    today = read_json(root / paths.SIMULATION / "today.json")
    today["line"]["name"] = HOSTILE
    write_json(root / paths.SIMULATION / "today.json", today)
    (root / paths.DATASET / "quarantine.csv").write_text(f"file,reason\n{HOSTILE}.png,{HOSTILE}\n")


def main(root: Path) -> None:
    write_source(root)
    for verb in STAGES:
        print(verb, importlib.import_module(f"twinloop.twins.factory.{verb}").run(stage(root)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
