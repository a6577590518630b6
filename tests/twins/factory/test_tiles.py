"""Strips forty times as long as wide go through the loop in tiles, and come out as whole strips, masks or none."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.twins.small_loop import CONF, SilentTracker
from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.files import read_json
from twinloop.learning.spec import Spec
from twinloop.twins.factory import evaluate, export, paths, prepare, train, tune
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.datasets.needs import Input
from twinloop.vision.inference.predict import DeployedDetector

STRIPS, LENGTH, WIDTH, ACROSS = 24, 1280, 32, 6
OVERRIDES = (
    "profile=smoke",
    "factory/data=auto",
    "factory/model=auto",
    "factory.data.limit_parts=0",
    "factory.model.size_px=0",
    "factory.model.channels=0",
    "factory.model.symmetries=none",
    "factory.tune.trials=0",
    # One epoch orders four validation strips right by chance, so the best epoch says nothing.
    "factory.train.keep=last",
    "factory.train.epochs=5",
)


def strip(number: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(number)
    image, mask = rng.normal(90, 6, (WIDTH, LENGTH)), np.zeros((WIDTH, LENGTH), bool)
    if number % 2:
        top, left = rng.integers(0, WIDTH - ACROSS), rng.integers(0, LENGTH - ACROSS)
        mask[top : top + ACROSS, left : left + ACROSS] = True
        image[mask] += 120
    return image.clip(0, 255).astype(np.uint8), mask


def stage(root: Path, *overrides: str) -> Stage[FactoryConfig]:
    values = compose(CONF, (*OVERRIDES, *overrides, f"factory.data.source={root / 'source'}")).values
    config: FactoryConfig = parse(FactoryConfig, {key: values[key] for key in ("profile", "seed", "factory")})
    return Stage(config, root, SilentTracker(), 1)


@pytest.fixture(scope="module")
def looped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("strips")
    for kind in ("images", "masks"):
        (root / "source" / kind).mkdir(parents=True)
    for number in range(STRIPS):
        image, mask = strip(number)
        Image.fromarray(image).save(root / "source" / "images" / f"strip_{number}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(root / "source" / "masks" / f"strip_{number}.png")
    for each in (prepare, tune, train, export, evaluate):
        each.run(stage(root))
    return root


def test_the_data_decide_that_strips_are_cut_and_say_why(looped: Path) -> None:
    needed = Input.load(looped / paths.DATASET)
    assert (needed.tile_px, needed.size_px) == (WIDTH, WIDTH)
    assert "40.0:1 long" in needed.reasons[0]
    assert needed.reasons[0] in (looped / paths.DATASET / "card.md").read_text().replace("\\", "")
    index = pl.read_parquet(looped / paths.DATASET / "index.parquet")
    assert index["source"].n_unique() == STRIPS
    assert set(index["width"]) == set(index["height"]) == {WIDTH}
    # All tiles of a strip stay on one side of the split.
    assert index.group_by("source").agg(pl.col("split").n_unique())["split"].to_list() == [1] * STRIPS


def test_figures_count_strips_and_pixels_count_tiles(looped: Path) -> None:
    index = pl.read_parquet(looped / paths.DATASET / "index.parquet")
    measured = read_json(looped / paths.metrics("evaluate"))
    assert measured["test_images"] == index.filter(pl.col("split") == "test")["source"].n_unique()
    assert measured["auroc"] == 1.0
    assert measured["pixel_auroc"] > 0.9


def test_the_detector_carries_its_tiles_and_judges_a_strip_whole(looped: Path) -> None:
    assert Spec.load(looped / paths.ONNX).about["tile_px"] == WIDTH
    detector = DeployedDetector(looped / paths.ONNX, operating_point=looped / paths.OPERATING_POINT)
    (good, _), (bad, mask) = strip(1000), strip(1001)
    first, second = detector.predict_batch([good, bad])
    assert second.score > first.score
    assert second.size == (WIDTH, LENGTH)
    hottest = int(second.heat.max(axis=0).argmax()) * LENGTH / second.heat.shape[1]
    assert hottest == pytest.approx(np.flatnonzero(mask.any(axis=0)).mean(), abs=WIDTH)


@pytest.mark.parametrize(
    ("overrides", "defective"),
    [
        (("factory/model=auto",), True),
        (("factory/model=patchcore", "factory.model.bank_patches=200"), True),
        (("factory/model=padim", "factory.model.gaussian_dims=20"), False),
    ],
    ids=["auto", "patchcore", "good strips alone"],
)
def test_strips_of_which_only_the_kind_is_known_are_cut_and_told_apart(
    tmp_path: Path, overrides: tuple[str, ...], defective: bool
) -> None:
    for number in range(STRIPS if defective else 3 * STRIPS):
        image, mask = strip(number)
        kind = "good" if not mask.any() else "pit"
        if kind == "good" or defective:
            (tmp_path / "source" / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(tmp_path / "source" / kind / f"strip_{number}.png")
    own = ("factory/data=folder", *overrides, "factory.model.size_px=0", "factory.model.channels=0")
    for each in (prepare, tune, train, export, evaluate):
        each.run(stage(tmp_path, *own))
    assert Input.load(tmp_path / paths.DATASET).tile_px == WIDTH
    index = pl.read_parquet(tmp_path / paths.DATASET / "index.parquet")
    assert set(index["width"]) == set(index["height"]) == {WIDTH}
    measured = read_json(tmp_path / paths.metrics("evaluate"))
    # Strips are counted, and of the tiles of a defective one the one that shows it speaks for all.
    assert measured["test_images"] == index.filter(pl.col("split") == "test")["source"].n_unique()
    if defective:
        assert measured["auroc"] == 1.0
    else:
        assert measured["rendered_defects"] == "val, test"
        # On one tile of every second strip; a strip is defective if any of its tiles is.
        labels = pl.read_parquet(tmp_path / paths.EVALUATION / "predictions.parquet")["label"].to_list()
        assert 0 < labels.count("defect") <= len(labels) / 2 + 1
