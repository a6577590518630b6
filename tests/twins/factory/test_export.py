import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.twins.factory.exported import CLASSES, SIZE, stage
from twinloop.errors import InputError
from twinloop.files import read_json, sha256
from twinloop.learning.export import torch_outputs
from twinloop.learning.inference import Graph, open_graph
from twinloop.learning.parity import max_difference
from twinloop.twins.factory import export, paths
from twinloop.vision.index import load_images
from twinloop.vision.inference.predict import OnnxDetector, to_input
from twinloop.vision.models.detector import load_detector


def test_both_formats_a_description_and_latencies_are_written(exported_root: Path) -> None:
    spec = read_json(exported_root / paths.ONNX / "spec.json")
    assert sorted(path.name for path in (exported_root / paths.ONNX).iterdir()) == [
        "detector_fp32.onnx",
        "detector_int8.onnx",
        "spec.json",
    ]
    assert (spec["classes"], spec["size"], spec["channels"]) == (list(CLASSES), SIZE, 1)
    assert spec["deployed"] == "fp32"
    for name, file in spec["files"].items():
        assert spec["sha256"][name] == sha256(exported_root / paths.ONNX / file)
    latency = read_json(exported_root / paths.LATENCY)
    assert latency["int8_pays"] == (latency["int8"]["p50_ms"] < latency["fp32"]["p50_ms"])
    assert latency["fp32"]["quantised_ms"] >= latency["fp32"]["p50_ms"] > 0


def test_the_graph_says_what_torch_says_on_images_it_was_not_exported_with(exported_root: Path) -> None:
    model = load_detector(exported_root / paths.DETECTOR)
    images = to_input(load_images(exported_root / paths.DATASET, "test", size=SIZE, channels=1).images[:5])
    graph = open_graph(exported_root / paths.ONNX / "detector_fp32.onnx")
    assert max_difference(torch_outputs(model, images), graph(images)) < 1e-4


def test_the_graph_carries_its_classes_and_the_digest_of_its_weights(exported_root: Path) -> None:
    graph = open_graph(exported_root / paths.ONNX / "detector_int8.onnx")
    assert isinstance(graph, Graph)
    assert graph.metadata["classes"] == '["good", "dent", "spot"]'
    assert graph.metadata["weights_sha256"] == sha256(exported_root / paths.DETECTOR / "weights.safetensors")


def test_the_summary_and_the_metrics_say_what_became_of_tensorrt(exported_root: Path) -> None:
    metrics = read_json(exported_root / paths.metrics("export"))
    reason = "factory.export.tensorrt is false"
    assert (metrics["tensorrt"], metrics["tensorrt_reason"]) == ("skipped", reason)
    assert f"TensorRT skipped ({reason})" in (exported_root / "summary").read_text()


def test_metrics_hold_no_measured_time(exported_root: Path) -> None:
    assert not [name for name in read_json(exported_root / paths.metrics("export")) if name.endswith("_ms")]
    assert "p50_ms" not in (exported_root / paths.ONNX / "spec.json").read_text()


def test_the_same_inputs_give_the_same_graphs_wherever_they_lie_and_another_choice_deploys_the_other(
    exported_root: Path, tmp_path: Path
) -> None:
    for part in (paths.DATASET, paths.DETECTOR):
        shutil.copytree(exported_root / part, tmp_path / part)
    generous = {"int8_auroc_drop": 1.0, "int8_rank_correlation": 0.0, "int8_changed_decisions": 1.0}
    summary = export.run(stage(tmp_path, export={"format": "auto", **generous}))
    for file in ("detector_fp32.onnx", "detector_int8.onnx"):
        assert (tmp_path / paths.ONNX / file).read_bytes() == (exported_root / paths.ONNX / file).read_bytes()
    assert "INT8 deployed" in summary
    assert OnnxDetector(tmp_path / paths.ONNX).format == "int8"


def test_without_a_trained_detector_the_stage_stops(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        export.run(stage(tmp_path))


def test_a_single_image_is_judged_as_in_a_batch(exported_root: Path) -> None:
    detector = OnnxDetector(exported_root / paths.ONNX)
    images = load_images(exported_root / paths.DATASET, "test", size=SIZE, channels=1).images
    logits, heat = detector.raw(images)
    alone = [detector.raw(images[place : place + 1]) for place in range(4)]
    assert np.concatenate([outputs[0] for outputs in alone]) == pytest.approx(logits[:4], abs=1e-5)
    assert np.concatenate([outputs[1] for outputs in alone]) == pytest.approx(heat[:4], abs=1e-5)
