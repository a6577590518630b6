import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from tests.twins.factory.exported import CLASSES, SCORED, SIZE, stage
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError, RunError
from twinloop.files import read_json, write_json
from twinloop.twins.factory import evaluate, paths
from twinloop.vision.index import INDEX_FILE
from twinloop.vision.inference.predict import DeployedDetector
from twinloop.vision.monitoring.reference import DriftReference
from twinloop.vision.synthetic.spoilt import SPOILT


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
    detector = DeployedDetector(root / paths.ONNX, operating_point=root / paths.EVALUATION / "operating_point.json")
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
        assert {"map_heat", "map_attention", "map_gradcam"} <= set(stored)
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


def copied(root: Path, folder: Path) -> Path:
    shutil.copytree(root, folder / "root")
    return folder / "root"


def test_explanations_are_scored_beside_a_blob_and_chance_and_judged(root: Path) -> None:
    metrics = read_json(root / paths.metrics("evaluate"))
    table = pl.read_parquet(root / paths.EVALUATION / "explanations.parquet")
    methods = ["heat", "attention", "gradcam", "centre_blob", "random"]
    assert table["method"].unique(maintain_order=True).to_list() == methods
    for method in methods:
        assert 0 <= metrics[f"explanation_{method}_deletion"] <= 1
    for method in methods[:3]:
        assert "blob in the middle" in metrics[f"explanation_{method}"]
    assert metrics["explanation_images"] == 8
    assert metrics["explanations_left_out"] is None


def test_good_pictures_and_spoilt_ones_are_held_against_the_limit(root: Path) -> None:
    found = pl.read_parquet(root / paths.EVALUATION / "unlike.parquet")
    limit = read_json(root / paths.ONNX / "spec.json")["about"]["unlike"]["limit"]
    assert found["kind"].unique(maintain_order=True).to_list() == ["good", *SPOILT]
    assert (found["refused"] == (found["unlike"] > limit)).all()
    metrics = read_json(root / paths.metrics("evaluate"))
    good = found.filter(pl.col("kind") == "good")["refused"]
    # A limit from 24 pictures is a rough one.
    assert metrics["unlike_false_alarms"] == good.mean() <= 0.25
    assert metrics["unlike_caught"] >= 0.9
    for kind in ("black", "white", "a third of the light", "stretched 10:1"):
        assert found.filter(pl.col("kind") == kind)["refused"].all()


def test_the_drift_reference_belongs_to_the_deployed_graph(root: Path) -> None:
    reference = DriftReference.load(root / paths.EVALUATION / "drift_reference.json")
    assert reference.model == read_json(root / paths.EVALUATION / "operating_point.json")["model"]
    assert (reference.size, reference.channels) == (SIZE, 1)


def test_a_one_class_detector_is_given_its_heat_map_alone_and_it_is_said(root: Path, tmp_path: Path) -> None:
    clone = copied(root, tmp_path)
    described = read_json(clone / paths.DETECTOR / "model.json")
    write_json(clone / paths.DETECTOR / "model.json", {**described, "kind": "padim"})
    spec = read_json(clone / paths.ONNX / "spec.json")
    write_json(clone / paths.ONNX / "spec.json", spec | {"about": spec["about"] | {"names_defects": False}})
    evaluate.run(stage(clone))
    metrics = read_json(clone / paths.metrics("evaluate"))
    assert metrics["explanations_left_out"] == "attention, network"
    assert metrics["type_accuracy"] is None
    table = pl.read_parquet(clone / paths.EVALUATION / "explanations.parquet")
    assert table["method"].unique(maintain_order=True).to_list() == ["heat", "centre_blob", "random"]
    assert set(pl.read_parquet(clone / paths.EVALUATION / "predictions.parquet")["defect_type"]) == {"defect"}


def test_a_detector_trained_since_the_export_is_not_explained(root: Path, tmp_path: Path) -> None:
    clone = copied(root, tmp_path)
    spec = read_json(clone / paths.ONNX / "spec.json")
    write_json(clone / paths.ONNX / "spec.json", spec | {"about": spec["about"] | {"weights_sha256": "0" * 64}})
    with pytest.raises(InputError, match="not the detector that was exported: run the export stage again"):
        evaluate.run(stage(clone))


def test_without_network_explanations_neither_torch_nor_the_trained_detector_is_needed(
    root: Path, tmp_path: Path
) -> None:
    clone = copied(root, tmp_path)
    shutil.rmtree(clone / paths.DETECTOR)
    with pytest.raises(InputError, match="run the train stage first"):
        evaluate.run(stage(clone))
    code = (
        "import sys, types\n"
        "from pathlib import Path\n"
        "from twinloop.twins.factory import evaluate\n"
        "from twinloop.twins.stage import Stage\n"
        "from twinloop.vision.evaluation.settings import EvaluateSettings, ExplanationSettings\n"
        "scored = ExplanationSettings(methods=('heat',), images=4, steps=2)\n"
        "sections = types.SimpleNamespace(evaluate=EvaluateSettings(draws=5, explanations=scored))\n"
        "config = types.SimpleNamespace(seed=3, factory=sections)\n"
        f"evaluate.run(Stage(config, Path({str(clone)!r}), None, 1))\n"
        "print([name for name in ('torch', 'timm', 'captum') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_a_validation_split_without_good_images_is_refused_and_earlier_results_stay(root: Path, tmp_path: Path) -> None:
    clone = copied(root, tmp_path)
    index = clone / paths.DATASET / INDEX_FILE
    pl.read_parquet(index).filter((pl.col("split") != "val") | (pl.col("label") != "good")).write_parquet(index)
    kept = (clone / paths.EVALUATION / "operating_point.json").read_bytes()
    with pytest.raises(InputError, match="good and defective images, found 0 good and 24 defective: add good"):
        evaluate.run(stage(clone))
    assert (clone / paths.EVALUATION / "operating_point.json").read_bytes() == kept


def test_an_unmet_limit_is_told_and_stops_only_where_that_is_configured(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone = copied(root, tmp_path)
    limited = {"max_escapes_ppm": 5.0, "draws": 40, "explanations": dataclasses.replace(SCORED, methods=("heat",))}
    evaluate.run(stage(clone, evaluate=limited))
    metrics = read_json(clone / paths.metrics("evaluate"))
    assert metrics["escape_limit"] in ("more parts needed", "cannot be met")
    assert metrics["escape_limit_result"] in capsys.readouterr().err
    before = json.dumps(metrics)
    with pytest.raises(RunError, match="no thresholds keep escapes under 5.00 ppm"):
        evaluate.run(stage(clone, evaluate={**limited, "unmet_limit": "stop"}))
    assert json.dumps(read_json(clone / paths.metrics("evaluate"))) == before
