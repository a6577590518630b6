import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.twins.factory.exported import CLASSES, SIZE, stage
from twinloop.errors import InputError, RunError
from twinloop.files import read_json, sha256
from twinloop.learning import tensorrt
from twinloop.learning.export import torch_outputs
from twinloop.learning.inference import Graph, open_graph
from twinloop.learning.parity import max_difference
from twinloop.learning.quantise import shifted_zero_points
from twinloop.learning.spec import FORMATS, Spec, graph_file
from twinloop.twins.factory import export, paths
from twinloop.vision.index import load_images
from twinloop.vision.inference.predict import DeployedDetector, to_input
from twinloop.vision.models.base import SurfaceDetector
from twinloop.vision.models.one_class import OneClassDetector
from twinloop.vision.models.registry import new_detector
from twinloop.vision.models.saving import load_detector, save_detector
from twinloop.vision.models.settings import ModelSettings


def test_every_format_a_description_and_latencies_are_written(exported_root: Path) -> None:
    spec = Spec.load(exported_root / paths.ONNX)
    assert sorted(path.name for path in (exported_root / paths.ONNX).iterdir()) == [
        "detector_fp16.onnx",
        "detector_fp32.onnx",
        "detector_int8.onnx",
        "spec.json",
        "unlike.safetensors",
    ]
    learnt = spec.about["unlike"]
    assert (learnt["false_alarms"], learnt["held_out"], learnt["shapes"]) == (0.01, 24, [1, 1])
    assert 0.5 < learnt["limit"] < 5
    assert (spec.about["classes"], spec.about["size"], spec.about["channels"]) == (list(CLASSES), SIZE, 1)
    assert (spec.deployed, spec.about["names_defects"], spec.opset) == ("fp32", True, 20)
    for name, file in spec.files.items():
        assert spec.sha256[name] == sha256(exported_root / paths.ONNX / file)
    latency = read_json(exported_root / paths.LATENCY)
    assert list(latency) == ["fp32", "fp16", "int8", "hardware"]
    assert latency["fp32"]["speedup"] == 1
    assert latency["int8"]["speedup"] == pytest.approx(latency["fp32"]["p50_ms"] / latency["int8"]["p50_ms"], abs=1e-3)
    assert latency["fp32"]["quantised_ms"] >= latency["fp32"]["p50_ms"] > 0


def test_every_formats_skill_and_difference_to_torch_are_figures(exported_root: Path) -> None:
    metrics = read_json(exported_root / paths.metrics("export"))
    assert metrics["parity_batches"] == "1, 2, 7, 32"
    assert metrics["fp32_max_difference"] < 1e-4 < metrics["fp16_max_difference"] < metrics["int8_max_difference"]
    for name in ("fp32", "fp16", "int8"):
        assert 0 <= metrics[f"{name}_auroc"] <= 1
        assert 0 <= metrics[f"{name}_ap"] <= 1
    for name in ("fp16", "int8"):
        assert metrics[f"{name}_auroc_drop"] == pytest.approx(
            metrics["fp32_auroc"] - metrics[f"{name}_auroc"], abs=1e-5
        )
        assert metrics[name].startswith(("within limits", "not deployable: "))


def test_the_graph_says_what_torch_says_on_images_it_was_not_exported_with(exported_root: Path) -> None:
    model = load_detector(exported_root / paths.DETECTOR)
    pixels = load_images(exported_root / paths.DATASET, "test", size=SIZE, channels=1).images[:5]
    images = {"image": to_input(pixels)}
    graph = open_graph(exported_root / paths.ONNX / "detector_fp32.onnx")
    assert max_difference(torch_outputs(model, images), graph(images)[:2]) < 1e-4


def test_the_graph_carries_its_classes_and_the_digest_of_its_weights(exported_root: Path) -> None:
    graph = open_graph(exported_root / paths.ONNX / "detector_int8.onnx")
    assert isinstance(graph, Graph)
    assert graph.metadata["classes"] == '["good", "dent", "spot"]'
    assert graph.metadata["weights_sha256"] == sha256(exported_root / paths.DETECTOR / "weights.safetensors")


def test_the_summary_and_the_metrics_say_what_became_of_tensorrt(exported_root: Path) -> None:
    metrics = read_json(exported_root / paths.metrics("export"))
    reason = "not asked for"
    assert (metrics["tensorrt"], metrics["tensorrt_reason"]) == ("skipped", reason)
    assert f"TensorRT skipped ({reason})" in (exported_root / "summary").read_text()


def test_metrics_hold_no_measured_time(exported_root: Path) -> None:
    assert not [name for name in read_json(exported_root / paths.metrics("export")) if name.endswith("_ms")]
    assert "p50_ms" not in (exported_root / paths.ONNX / "spec.json").read_text()


GENEROUS = {"auroc_drop": 1.0, "rank_correlation": 0.0, "changed_decisions": 1.0}


def copied(exported_root: Path, root: Path) -> Path:
    for part in (paths.DATASET, paths.DETECTOR):
        shutil.copytree(exported_root / part, root / part)
    return root


def test_the_same_inputs_give_the_same_graphs_wherever_they_lie_and_another_choice_deploys_the_other(
    exported_root: Path, tmp_path: Path
) -> None:
    root = copied(exported_root, tmp_path)
    summary = export.run(stage(root, export={"format": "int8", **GENEROUS}))
    for file in (graph_file("detector", name) for name in FORMATS):
        assert (root / paths.ONNX / file).read_bytes() == (exported_root / paths.ONNX / file).read_bytes()
    assert "INT8 deployed" in summary
    assert DeployedDetector(root / paths.ONNX).format == "int8"


def test_auto_deploys_what_the_measured_latencies_say(exported_root: Path, tmp_path: Path) -> None:
    root = copied(exported_root, tmp_path)
    export.run(stage(root, export={"format": "auto", "least_speedup": 1.0, **GENEROUS}))
    latency = read_json(root / paths.LATENCY)
    gains = {name: latency[name]["speedup"] for name in ("fp16", "int8") if latency[name]["speedup"] >= 1}
    expected = max(gains, key=lambda name: gains[name], default="fp32")
    assert read_json(root / paths.metrics("export"))["format"] == expected
    assert DeployedDetector(root / paths.ONNX).format == expected


def test_the_graphs_for_tensorrt_are_written_for_another_machine_where_asked_for(
    exported_root: Path, tmp_path: Path
) -> None:
    root = copied(exported_root, tmp_path)
    graph = root / paths.ONNX / "detector_int8_qdq.onnx"
    summary = export.run(stage(root, export={"tensorrt": "files"}))
    metrics = read_json(root / paths.metrics("export"))
    assert shifted_zero_points(graph) == []
    assert metrics["tensorrt_int8"].startswith(("within limits", "not deployable: "))
    if tensorrt.obstacle() is not None:
        assert "; graphs written)" in summary
    assert "int8_qdq" not in Spec.load(root / paths.ONNX).files
    export.run(stage(root))
    assert not graph.exists()


SHRUNK = {"size_px": SIZE, "width": 8, "decoder_width": 8}
KINDS: dict[str, dict[str, Any]] = {
    "ensemble": {**SHRUNK, "members": 2},
    "swin": {
        **SHRUNK,
        "encoder": "swin_tiny_patch4_window7_224",
        "width": 8,
        "depths": (1, 1),
        "heads": (1, 2),
    },
    "vit": {**SHRUNK, "encoder": "vit_tiny_patch16_224", "width": 16, "depths": (2,), "heads": (2,), "patch_px": 8},
    "patchcore": {**SHRUNK, "kind": "patchcore", "bank_patches": 40, "bank_neighbours": 3},
    "padim": {**SHRUNK, "kind": "padim", "gaussian_dims": 10},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_detector_passes_the_gate_in_one_graph_and_names_defects_where_it_can(
    kind: str, exported_root: Path, tmp_path: Path
) -> None:
    root = copied(exported_root, tmp_path)
    save_detector(root / paths.DETECTOR, detector(root, ModelSettings(**KINDS[kind])))
    export.run(stage(root))
    spec, metrics = Spec.load(root / paths.ONNX), read_json(root / paths.metrics("export"))
    assert metrics["fp32_max_difference"] <= 2e-4
    assert spec.about["names_defects"] == (kind not in ("patchcore", "padim"))
    assert set(spec.files) == {"fp32", "fp16", "int8"}


def test_a_detector_whose_distances_overflow_half_precision_is_not_exported_in_it(
    exported_root: Path, tmp_path: Path
) -> None:
    root = copied(exported_root, tmp_path)
    save_detector(root / paths.DETECTOR, detector(root, ModelSettings(**KINDS["patchcore"]), gain=3e3))
    loose = {"fp32_tolerance": 0.01}  # untrained features lie close together, which magnifies rounding
    summary = export.run(stage(root, export=loose))
    spec, metrics = Spec.load(root / paths.ONNX), read_json(root / paths.metrics("export"))
    assert not (root / paths.ONNX / "detector_fp16.onnx").exists()
    assert set(spec.files) == set(spec.sha256) == {"fp32", "int8"}
    assert re.fullmatch(r"not kept: values reach .*, half precision ends at 65504", metrics["fp16"])
    assert "half precision ends at 65504" in summary
    assert "fp16" not in read_json(root / paths.LATENCY)
    with pytest.raises(RunError, match="export: FP16: values reach .*set ExportSettings.format=fp32"):
        export.run(stage(root, export={"format": "fp16", **loose}))


def detector(root: Path, settings: ModelSettings, *, gain: float = 1.0) -> SurfaceDetector:
    """A detector of any kind, its encoder's output multiplied by `gain`; those that need no weights are fitted."""
    model = new_detector(settings, classes=CLASSES, size=SIZE, channels=1, seed=1).eval()
    if isinstance(model, OneClassDetector):
        with torch.no_grad():
            for module in model.encoder.modules():
                if isinstance(module, torch.nn.BatchNorm2d) and gain != 1:
                    module.weight *= gain
                    break
        images = load_images(root / paths.DATASET, "train", size=SIZE, channels=1)
        good = torch.from_numpy(to_input(images.images[images.labels == 0]))
        model.fit([good[:14]], held_out=[good[14:]], seed=0)
    return model


def test_without_a_trained_detector_the_stage_stops(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        export.run(stage(tmp_path))


def test_a_single_image_is_judged_as_in_a_batch(exported_root: Path) -> None:
    detector = DeployedDetector(exported_root / paths.ONNX)
    images = load_images(exported_root / paths.DATASET, "test", size=SIZE, channels=1).images
    logits, heat, _ = detector.raw(images)
    alone = [detector.raw(images[place : place + 1]) for place in range(4)]
    assert np.concatenate([outputs[0] for outputs in alone]) == pytest.approx(logits[:4], abs=1e-5)
    assert np.concatenate([outputs[1] for outputs in alone]) == pytest.approx(heat[:4], abs=1e-5)
