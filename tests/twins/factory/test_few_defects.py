"""Good images alone, a defect or two of each kind, a single one, no masks: each way ends in an operating point.

Where the test split would hold a handful of defects, every part is tested in folds, and all that is shown says so.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.twins.small_loop import CONF, SilentTracker
from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.results.images import Images
from twinloop.twins.factory.results.model import Training
from twinloop.twins.stage import Stage

KINDS = ("crack", "dent", "pit", "scratch", "stain")
SMALL = (
    "profile=smoke",
    "factory/data=folder",
    "factory.data.limit_parts=0",
    "factory.tune.trials=0",
    "factory.train.epochs=2",
    "factory.model.encoder=resnet10t",
    "factory.model.width=8",
    "factory.model.size_px=32",
    "factory.evaluate.explanations.methods=[heat]",
    "factory.export.tensorrt=none",
)
FOLDS = ("factory.data.folds=-1",)
ONE_CLASS = ("factory/model=padim", "factory.model.gaussian_dims=10")


def write_source(root: Path, *, good: int, kinds: Sequence[str], masks: bool = True) -> None:
    """Grey noise, and per entry of `kinds` one picture with a bright square, as a user's folder of classes."""
    random = np.random.default_rng(0)
    for number, kind in enumerate([*["good"] * good, *kinds]):
        pixels, mask = random.normal(120, 10, (48, 48)), np.zeros((48, 48), np.uint8)
        if kind != "good":
            row, column = random.integers(4, 32, 2)
            mask[row : row + 10, column : column + 10] = 255
            pixels[mask > 0] += 90
        folder = root / "source" / kind
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / f"{number}.png")
        if masks and mask.any():
            Image.fromarray(mask).save(folder / f"{number}_mask.png")


def run(root: Path, *overrides: str) -> dict[str, str]:
    """The lines of the stages up to evaluate."""
    values = compose(CONF, (*SMALL, *overrides, f"factory.data.source={root / 'source'}")).values
    config: FactoryConfig = parse(FactoryConfig, {key: values[key] for key in ("profile", "seed", "factory")})
    stage = Stage(config, root, SilentTracker(), 1)
    return {
        verb: importlib.import_module(f"twinloop.twins.factory.{verb}").run(stage)
        for verb in ("prepare", "tune", "train", "export", "evaluate")
    }


@pytest.mark.parametrize(
    ("kinds", "masks", "overrides", "rendered"),
    [
        ([], True, ONE_CLASS, "val, test"),
        ([*KINDS, *KINDS], True, (), "val"),
        (["crack"], True, (), "val, test"),
        (["crack"] * 12, False, (), None),
    ],
    ids=["good alone", "ten of five kinds", "one", "no masks"],
)
def test_one_division_ends_in_an_operating_point_and_says_how(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kinds: list[str],
    masks: bool,
    overrides: tuple[str, ...],
    rendered: str | None,
) -> None:
    write_source(tmp_path, good=40, kinds=kinds, masks=masks)
    lines = run(tmp_path, *overrides)
    measured = read_json(tmp_path / paths.metrics("evaluate"))
    assert measured.get("rendered_defects") == rendered
    assert 0 <= measured["auroc_low"] <= measured["auroc"] <= measured["auroc_high"] <= 1
    assert OperatingCurve.load(tmp_path / paths.EVALUATION / "operating_curve.parquet").classes[0] == "good"
    assert "test AUROC" in lines["evaluate"]
    told = capsys.readouterr().err
    assert ("rendered ones stand in" in told) == (rendered is not None)
    assert "larger share" not in told


@pytest.mark.parametrize(
    ("kinds", "overrides"),
    [([*KINDS, *KINDS], ()), ([*KINDS, *KINDS], ONE_CLASS), (["crack"], ONE_CLASS)],
    ids=["ten of five kinds", "the same by good parts alone", "one"],
)
def test_few_defects_are_each_tested_once_and_every_page_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kinds: list[str], overrides: tuple[str, ...]
) -> None:
    write_source(tmp_path, good=40, kinds=kinds)
    lines = run(tmp_path, *overrides, *FOLDS)
    measured = read_json(tmp_path / paths.metrics("evaluate"))
    curve = OperatingCurve.load(tmp_path / paths.EVALUATION / "operating_curve.parquet")
    assert lines["evaluate"].startswith("out-of-fold AUROC")
    # Every defective part counts, not the few of the test split, and the intervals are as wide as so few make them.
    assert curve.counts.tolist() == [40, *(kinds.count(kind) for kind in sorted(set(kinds)))]
    assert measured["test_images"] == 40 + len(kinds)
    assert measured["auroc_high"] - measured["auroc_low"] > 0.95 / len(kinds)
    assert measured["escape_rate_high"] - measured["escape_rate_low"] > 0.1
    predicted = pl.read_parquet(tmp_path / paths.EVALUATION / "predictions.parquet")
    assert predicted["image"].n_unique() == 40 + len(kinds)
    # So few choose no threshold: the good parts do.
    assert (predicted.filter(pl.col("label") == "good")["decision"] == "reject").mean() <= 0.01
    told = capsys.readouterr().err
    assert told.count("too few to measure by, so every part is tested once") == 2  # by prepare and by train
    assert f"measured on all {len(kinds)} defective and 40 good parts" in told
    assert "too few to measure by" in (tmp_path / paths.DATASET / "card.md").read_text()
    assert "few defects" in [row[0] for row in Images(tmp_path).summary().rows]
    figures = {row[0]: row[1] for row in Training(tmp_path).summary().rows}
    assert f"all {len(kinds)} defective and 40 good parts" in figures["measured on"]


def test_what_learns_from_the_only_defect_is_not_tested_on_it_and_says_what_can_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_source(tmp_path, good=40, kinds=["crack"])
    lines = run(tmp_path, *FOLDS)
    told = capsys.readouterr().err
    assert "factory.model.kind=patchcore, padim or simulated learn from good parts" in told
    assert "rendered ones stand in" in told
    assert "test AUROC" in lines["evaluate"]
    assert "folds_left_out" in read_json(tmp_path / paths.metrics("train"))
    assert ("measured on", "rendered defects on half of") in [
        (row[0], row[1][:27]) for row in Training(tmp_path).summary().rows
    ]


def test_defects_alone_are_refused_with_what_helps(tmp_path: Path) -> None:
    write_source(tmp_path, good=0, kinds=[*KINDS * 4])
    with pytest.raises(InputError, match="expected good parts.*name what is good"):
        run(tmp_path)
