"""Good images alone, a defect or two of each kind, a single one, no masks: each way ends in an operating point."""

import importlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.twins.factory.small_loop import CONF, SilentTracker
from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
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
def test_it_ends_in_an_operating_point_and_says_how(
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


def test_defects_alone_are_refused_with_what_helps(tmp_path: Path) -> None:
    write_source(tmp_path, good=0, kinds=[*KINDS * 4])
    with pytest.raises(InputError, match="expected good parts.*name what is good"):
        run(tmp_path)
