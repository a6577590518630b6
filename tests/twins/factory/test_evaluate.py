import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from tests.twins.factory.exported import CLASSES, SIZE, stage
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.files import read_json
from twinloop.twins.factory import evaluate, paths
from twinloop.vision.inference.predict import OnnxDetector


@pytest.fixture(scope="module")
def root(exported_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("factory") / "root"
    shutil.copytree(exported_root, folder)
    (folder / "summary").write_text(evaluate.run(stage(folder)))
    return folder


def test_each_format_has_its_curve_and_the_deployed_one_is_named_plainly(root: Path) -> None:
    spec, out = read_json(root / paths.ONNX / "spec.json"), root / paths.EVALUATION
    deployed, fp32, int8 = (
        OperatingCurve.load(out / f"operating_curve{name}.parquet") for name in ("", "_fp32", "_int8")
    )
    assert deployed.model == fp32.model == spec["sha256"]["fp32"]
    assert int8.model == spec["sha256"]["int8"]
    assert deployed.classes == CLASSES
    assert deployed.counts.tolist() == [12, 6, 6]
    assert deployed.draws == 20


def test_the_operating_point_is_the_curves(root: Path) -> None:
    point = read_json(root / paths.EVALUATION / "operating_point.json")
    curve = OperatingCurve.load(root / paths.EVALUATION / "operating_curve.parquet")
    assert (point["accept_below"], point["reject_from"]) == (curve.accept_below, curve.reject_from)
    assert point["today"] == {"accept_below": 0.5, "reject_from": 0.5}
    assert point["model"] == curve.model
    detector = OnnxDetector(root / paths.ONNX, operating_point=root / paths.EVALUATION / "operating_point.json")
    assert detector.predict(np.zeros((SIZE, SIZE), np.uint8)).decision is not None


def test_the_metrics_can_be_recomputed_from_the_predictions(root: Path) -> None:
    metrics = read_json(root / paths.metrics("evaluate"))
    table = pl.read_parquet(root / paths.EVALUATION / "predictions.parquet")
    assert metrics["auroc"] == pytest.approx(roc_auc_score(table["label"] != "good", table["score"]))
    assert metrics["test_images"] == len(table) == 48
    assert list(metrics)[:3] == ["auroc", "ap", "ece"]
    assert all(value is None or isinstance(value, int | float | str) for value in metrics.values())
    assert f"AUROC {metrics['auroc']:.3f}" in (root / "summary").read_text()


def test_examples_open_without_pickle(root: Path) -> None:
    with np.load(root / paths.EVALUATION / "examples.npz", allow_pickle=False) as stored:
        assert stored["classes"].tolist() == list(CLASSES)
        assert {len(stored[name]) for name in stored if name != "classes"} == {12}


def test_the_same_inputs_give_the_same_bytes(root: Path) -> None:
    files = sorted((root / paths.EVALUATION).iterdir())
    before = {path.name: path.read_bytes() for path in files}
    evaluate.run(stage(root))
    assert {path.name: path.read_bytes() for path in files} == before
    assert sorted((root / paths.EVALUATION).iterdir()) == files


def test_without_an_export_the_stage_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run the export stage first"):
        evaluate.run(stage(tmp_path))
