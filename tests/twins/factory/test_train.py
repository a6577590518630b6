import dataclasses
from pathlib import Path

import polars as pl
import pytest

from tests.twins.factory.trained import Notebook, prepared, stage
from twinloop.errors import InputError
from twinloop.files import read_json, write_json
from twinloop.twins.factory import paths, train
from twinloop.twins.stage import STATE
from twinloop.vision.index import INDEX_FILE, load_images
from twinloop.vision.models.saving import load_detector
from twinloop.vision.models.settings import SearchSpace
from twinloop.vision.training.module import assess


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Notebook]:
    root = prepared(tmp_path_factory.mktemp("trained"))
    one = stage(root)
    line = train.run(one)
    assert isinstance(one.tracker, Notebook)
    return root, line, one.tracker


def test_the_metrics_are_those_of_the_saved_detector(trained: tuple[Path, str, Notebook]) -> None:
    root, line, _ = trained
    metrics = read_json(root / paths.metrics("train"))
    detector = load_detector(root / paths.DETECTOR)
    assert detector.classes == ("good", "dent", "spot")
    found = assess(detector, load_images(root / paths.DATASET, "val", size=32, channels=1))
    assert {name: metrics[f"val_{name}"] for name in found} == pytest.approx(found)
    assert next(iter(metrics)) == "val_auroc"
    assert metrics["parameters"] == read_json(root / paths.DETECTOR / "model.json")["parameters"]
    assert f"val AP {metrics['val_ap']:.3f}" in line
    assert not [name for name in metrics if name.endswith(("_s", "_ms"))]


def test_the_epochs_are_a_table_and_live_figures(trained: tuple[Path, str, Notebook]) -> None:
    root, _, tracker = trained
    epochs = pl.read_csv(root / paths.EPOCHS)
    columns = ["epoch", "train_loss", "val_loss", "val_auroc", "val_ap", "val_iou", "val_score"]
    assert epochs.columns == columns
    assert epochs["epoch"].to_list() == list(range(1, 9))
    assert [step for step, _ in tracker.logged] == list(range(8))
    assert [figures["val_ap"] for _, figures in tracker.logged] == pytest.approx(epochs["val_ap"].to_list(), abs=1e-6)
    metrics = read_json(root / paths.metrics("train"))
    best = epochs.sort("val_score", descending=True, maintain_order=True)["epoch"][0]
    assert (metrics["best_epoch"], metrics["epochs"], metrics["values"]) == (best, 8, "configured")


def test_no_state_is_left_behind(trained: tuple[Path, str, Notebook]) -> None:
    assert not list((trained[0] / STATE).iterdir())


def test_the_same_parameters_give_the_same_bytes(trained: tuple[Path, str, Notebook], tmp_path: Path) -> None:
    prepared(tmp_path)
    train.run(stage(tmp_path, workers=2))
    for path in (paths.DETECTOR / "weights.safetensors", paths.EPOCHS, paths.metrics("train")):
        assert (tmp_path / path).read_bytes() == (trained[0] / path).read_bytes()


def test_tuned_values_are_used_and_said(tmp_path: Path) -> None:
    prepared(tmp_path)
    write_json(tmp_path / paths.TUNED, {"source": "tuned", "values": {"model.decoder_width": 16}, "trial": 1})
    train.run(stage(tmp_path, fit={"epochs": 1}))
    assert read_json(tmp_path / paths.DETECTOR / "model.json")["settings"]["decoder_width"] == 16
    assert read_json(tmp_path / paths.metrics("train"))["values"] == "tuned"


def test_an_averaged_run_and_a_profile_are_what_the_settings_ask_for(
    trained: tuple[Path, str, Notebook], tmp_path: Path
) -> None:
    prepared(tmp_path)
    one = stage(tmp_path, fit={"ema": 0.9, "profiler": "simple"})
    train.run(one)
    weights = paths.DETECTOR / "weights.safetensors"
    assert (tmp_path / weights).read_bytes() != (trained[0] / weights).read_bytes()
    assert [path.name for path in (tmp_path / ".twinloop/profile").iterdir()] == ["fit-simple.txt"]
    assert isinstance(one.tracker, Notebook)
    assert ["run_training_epoch" in profile for profile in one.tracker.artifacts] == [True]


def test_a_detector_of_good_images_alone_says_so(tmp_path: Path) -> None:
    prepared(tmp_path)
    one = stage(tmp_path)
    model = dataclasses.replace(one.config.factory.model, kind="padim", space=SearchSpace())
    one.config.factory.model = model
    line = train.run(one)
    metrics = read_json(tmp_path / paths.metrics("train"))
    assert line.startswith(f"one pass over the good images, val AP {metrics['val_ap']:.3f}, AUROC ")
    assert (metrics["kind"], metrics["epochs"], metrics["best_epoch"]) == ("padim", 1, 1)
    assert pl.read_csv(tmp_path / paths.EPOCHS)["val_ap"].len() == 1
    assert not load_detector(tmp_path / paths.DETECTOR).names_defects


def test_figures_that_a_validation_without_defects_cannot_give_are_empty(tmp_path: Path) -> None:
    prepared(tmp_path)
    index = tmp_path / paths.DATASET / INDEX_FILE
    frame = pl.read_parquet(index)
    frame.filter((pl.col("split") != "val") | (pl.col("label") == "good")).write_parquet(index)
    one = stage(tmp_path)
    one.config.factory.model = dataclasses.replace(one.config.factory.model, kind="padim", space=SearchSpace())
    assert ", no defect to validate on, " in train.run(one)
    metrics = read_json(tmp_path / paths.metrics("train"))
    assert (metrics["val_auroc"], metrics["val_ap"], metrics["val_f1"]) == (None, None, None)


@pytest.mark.parametrize("values", [{"model.decoder_width": 1}, {"model.depth": 1}])
def test_tuned_values_that_do_not_fit_are_refused(tmp_path: Path, values: dict[str, int]) -> None:
    prepared(tmp_path)
    write_json(tmp_path / paths.TUNED, {"source": "tuned", "values": values})
    with pytest.raises(InputError, match="do not fit the configured model"):
        train.run(stage(tmp_path))


def test_a_missing_tune_stage_is_named(tmp_path: Path) -> None:
    prepared(tmp_path)
    (tmp_path / paths.TUNED).unlink()
    with pytest.raises(InputError, match="run the tune stage first"):
        train.run(stage(tmp_path))
