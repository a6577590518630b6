"""Export the trained detector as ONNX (FP32 and INT8), checked against torch on real validation images.

FP32 must reproduce torch or the stage fails. INT8 is always written and measured, so that it can be priced; it is
deployed only within its limits. Measured time goes to latency.json and nowhere else.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from twinloop import __version__
from twinloop.files import sha256, write_json
from twinloop.learning.export import to_fp16, to_int8, to_onnx, torch_outputs
from twinloop.learning.inference import Floats, open_graph, run_batches
from twinloop.learning.latency import measure
from twinloop.learning.parity import choose_format, max_difference, require_equal, score_parity
from twinloop.learning.settings import ExportSettings
from twinloop.learning.tensorrt import EngineReport, build_engine, obstacle
from twinloop.progress import say
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.index import load_images
from twinloop.vision.inference.predict import SPEC_FILE, OnnxDetector, to_input
from twinloop.vision.models.detector import WEIGHTS_FILE, load_detector
from twinloop.vision.scores import anomaly_score

EXAMPLE = "python -m twinloop factory export"
OUTPUTS = ("logits", "heat")
FILES = {"fp32": "detector_fp32.onnx", "int8": "detector_int8.onnx"}
BATCH = 32


def run(stage: Stage[FactoryConfig]) -> str:
    """Write graphs, spec.json, latency.json and the stage's metrics; returns the summary line."""
    settings, folder = stage.config.factory.export, stage.root / paths.ONNX
    model = load_detector(stage.root / paths.DETECTOR)
    shape = {"size": model.size, "channels": model.channels}
    training = load_images(stage.root / paths.DATASET, "train", **shape)
    validation = load_images(stage.root / paths.DATASET, "val", **shape)
    random = np.random.default_rng(np.random.SeedSequence(stage.config.seed))
    calibrating = to_input(training.images[_some(len(training), settings.calibration_images, random)])
    judged = _some(len(validation), settings.parity_images, random)
    images, defective = to_input(validation.images[judged]), validation.labels[judged] > 0
    digest = sha256(stage.root / paths.DETECTOR / WEIGHTS_FILE)
    described = {"classes": list(model.classes), **shape, "weights_sha256": digest, "twinloop": __version__}
    metadata = {key: value if isinstance(value, str) else json.dumps(value) for key, value in described.items()}
    fp32, int8 = folder / FILES["fp32"], folder / FILES["int8"]

    to_onnx(model, torch.from_numpy(images[:2]), path=fp32, outputs=OUTPUTS, metadata=metadata, opset=settings.opset)
    reference = torch_outputs(model, images)
    difference = max_difference(reference, _outputs(fp32, images, settings))
    require_equal(difference, tolerance=settings.fp32_tolerance, name="FP32")

    to_int8(fp32, int8, batches=np.array_split(calibrating, -(-len(calibrating) // BATCH)), metadata=metadata)
    quantised = score_parity(
        anomaly_score(reference[0]), anomaly_score(_outputs(int8, images, settings)[0]), positive=defective
    )
    deployed, verdict = choose_format(quantised, settings)

    figures = {
        "format": deployed,
        "fp32_max_difference": _short(difference),
        "int8_auroc_drop": None if np.isnan(quantised.auroc_drop) else _short(quantised.auroc_drop),
        "int8_rank_correlation": _short(quantised.rank_correlation),
        "int8_changed_decisions": _short(quantised.changed_decisions),
        "int8": verdict,
        "fp32_kib": fp32.stat().st_size // 1024,
        "int8_kib": int8.stat().st_size // 1024,
        "parity_images": len(images),
    }
    spec = {
        **described,
        "deployed": deployed,
        "files": FILES,
        "sha256": {name: sha256(folder / file) for name, file in FILES.items()},
        "opset": settings.opset,
        "outputs": list(OUTPUTS),
        "parity": figures,
    }
    write_json(folder / SPEC_FILE, spec)
    engine = _engine(fp32, reference, images, settings)
    write_json(
        stage.root / paths.metrics("export"), {**figures, "tensorrt": engine.status, "tensorrt_reason": engine.reason}
    )
    times = _latency(folder, validation.images[judged[0]], settings)
    write_json(stage.root / paths.LATENCY, times)
    return (
        f"FP32 within {difference:.0e} of torch, INT8 {verdict}, {deployed.upper()} deployed; "
        f"p50 {times['fp32']['p50_ms']:.1f} ms FP32, {times['int8']['p50_ms']:.1f} ms INT8; {engine.line}"
    )


def _some(count: int, wanted: int, random: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.sort(random.permutation(count)[:wanted])


def _outputs(path: Path, images: Floats, settings: ExportSettings) -> list[Floats]:
    return run_batches(open_graph(path, threads=settings.threads), images, batch=BATCH)


def _engine(fp32: Path, reference: list[Floats], images: Floats, settings: ExportSettings) -> EngineReport:
    graph, engine = fp32.with_name("detector_fp16.onnx"), fp32.with_name("detector_fp16.engine")
    graph.unlink(missing_ok=True)
    if not settings.tensorrt:
        engine.unlink(missing_ok=True)
        return EngineReport("skipped", "factory.export.tensorrt is false")
    if obstacle() is None:
        say("           building a TensorRT engine")
        to_fp16(fp32, graph)
        difference = max_difference(reference, _outputs(graph, images, settings))
        require_equal(difference, tolerance=settings.fp16_tolerance, name="FP16")
    return build_engine(graph, engine, sample_shape=images.shape[1:])


def _latency(folder: Path, image: np.ndarray[Any, np.dtype[np.uint8]], settings: ExportSettings) -> dict[str, Any]:
    times: dict[str, Any] = {}
    for name in FILES:
        detector = OnnxDetector(folder, graph_format=name, threads=settings.threads)
        latency = measure(
            lambda detector=detector: detector.predict(image),  # type: ignore[misc]
            runs=settings.latency_runs,
            warmup=settings.latency_warmup,
            threads=settings.threads,
        )
        times[name] = latency.record()
    return {**times, "int8_pays": times["int8"]["p50_ms"] < times["fp32"]["p50_ms"]}


def _short(value: float) -> float:
    return float(f"{value:.6g}")
