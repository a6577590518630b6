"""Export the trained detector as ONNX (FP32, FP16, INT8), checked against torch on real validation images.

FP32 must reproduce torch or the stage fails. FP16 and INT8 are measured too, so that they can be priced; they are
deployed only within their limits, and a graph whose numbers overflow is not kept. Measured time goes to latency.json
and nowhere else; it decides what is deployed under `format: auto` alone.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twinloop import __version__
from twinloop.files import sha256, write_json
from twinloop.learning.export import (
    HALF_LARGEST,
    largest_activation,
    to_fp16,
    to_int8,
    to_int8_tensorrt,
    to_onnx,
    torch_outputs,
)
from twinloop.learning.inference import Floats, open_graph, run_batches
from twinloop.learning.latency import hardware, measure_in_turn, speedups
from twinloop.learning.parity import (
    LOST,
    ScoreParity,
    auroc,
    average_precision,
    batch_differences,
    choose_format,
    max_difference,
    require_deployable,
    require_equal,
    score_parity,
)
from twinloop.learning.settings import ExportSettings
from twinloop.learning.tensorrt import EngineReport, build_engine, obstacle
from twinloop.progress import say
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.index import ImageSet, load_images
from twinloop.vision.inference.backends import SPEC_FILE
from twinloop.vision.inference.predict import DeployedDetector, to_input
from twinloop.vision.models.saving import WEIGHTS_FILE, load_detector
from twinloop.vision.scores import anomaly_score

EXAMPLE = "python -m twinloop factory export"
OUTPUTS = ("logits", "heat")
FILES = {"fp32": "detector_fp32.onnx", "fp16": "detector_fp16.onnx", "int8": "detector_int8.onnx"}
# TensorRT takes half precision from the same file; its INT8 is symmetric and so another graph than the CPU's.
TENSORRT_FILES = {"fp16": FILES["fp16"], "int8": "detector_int8_qdq.onnx"}
BATCH = 32


@dataclass(frozen=True, eq=False)
class Seen:
    """Validation images as graphs take them, which of them are defective, and what torch says of them."""

    images: Floats
    defective: NDArray[np.bool_]
    reference: list[Floats]


@dataclass(frozen=True)
class Judged:
    """A graph on the validation images: largest difference to torch at any batch size, skill, what it changes.

    overflow: why its numbers cannot be trusted; empty where they can.
    """

    difference: float
    auroc: float
    ap: float
    parity: ScoreParity
    overflow: str = ""

    def breaches(self, settings: ExportSettings) -> list[str]:
        """The limits it breaks, one phrase each."""
        return [self.overflow] if self.overflow else self.parity.breaches(settings)

    def verdict(self, settings: ExportSettings) -> str:
        """For the metrics: "within limits", or what is broken."""
        broken = ", ".join(self.breaches(settings))
        return f"{'not kept' if self.overflow else 'not deployable'}: {broken}" if broken else "within limits"


def run(stage: Stage[FactoryConfig]) -> str:
    """Write graphs, spec.json, latency.json and the stage's metrics; returns the summary line."""
    settings, folder = stage.config.factory.export, stage.root / paths.ONNX
    model = load_detector(stage.root / paths.DETECTOR)
    shape = {"size": model.size, "channels": model.channels}
    training = load_images(stage.root / paths.DATASET, "train", **shape)
    validation = load_images(stage.root / paths.DATASET, "val", **shape)
    random = np.random.default_rng(np.random.SeedSequence(stage.config.seed))
    calibrating = to_input(_some(training, settings.calibration_images, random)[0])
    pixels, labels = _some(validation, settings.parity_images, random)
    seen = Seen(to_input(pixels), labels > 0, torch_outputs(model, to_input(pixels)))
    described = {
        "classes": list(model.classes),
        **shape,
        "names_defects": model.names_defects,
        "weights_sha256": sha256(stage.root / paths.DETECTOR / WEIGHTS_FILE),
        "twinloop": __version__,
    }
    metadata = {key: value if isinstance(value, str) else json.dumps(value) for key, value in described.items()}
    quantising: dict[str, Any] = {
        "batches": np.array_split(calibrating, -(-len(calibrating) // BATCH)),
        "metadata": metadata,
        "calibration": settings.calibration,
    }

    fp32 = folder / FILES["fp32"]
    example = torch.from_numpy(seen.images[:2])
    to_onnx(model, example, path=fp32, outputs=OUTPUTS, metadata=metadata, opset=settings.opset)
    judged = {"fp32": _judge(fp32, seen, settings)}
    require_equal(judged["fp32"].difference, tolerance=settings.fp32_tolerance, name="FP32")
    peak = largest_activation(fp32, batches=quantising["batches"])
    to_fp16(fp32, folder / FILES["fp16"])
    to_int8(fp32, folder / FILES["int8"], **quantising)
    judged["fp16"] = _judge(folder / FILES["fp16"], seen, settings, peak=peak)
    judged["int8"] = _judge(folder / FILES["int8"], seen, settings)
    breaches = {name: judged[name].breaches(settings) for name in ("fp16", "int8")}
    require_deployable(breaches, settings.format)

    files = _keep(folder, judged)
    figures: dict[str, Any] = {}
    for name, found in judged.items():
        figures |= _figures(name, found, settings)
    figures |= {f"{name}_kib": path.stat().st_size // 1024 for name, path in files.items()}
    figures |= {"parity_images": len(pixels), "parity_batches": ", ".join(map(str, settings.parity_batches))}
    spec = {
        **described,
        "deployed": "fp32" if settings.format == "auto" else settings.format,
        "files": {name: path.name for name, path in files.items()},
        "sha256": {name: sha256(path) for name, path in files.items()},
        "opset": settings.opset,
        "outputs": list(OUTPUTS),
        "parity": figures,
    }
    write_json(folder / SPEC_FILE, spec)
    times = _latency(folder, pixels[0], files, settings)
    kept = {name: broken for name, broken in breaches.items() if name in files}
    deployed = choose_format(kept, {name: times[name]["speedup"] for name in files}, settings)
    write_json(folder / SPEC_FILE, spec | {"deployed": deployed})
    engine, verdict = _tensorrt(folder, seen, settings, fp16=judged["fp16"], quantising=quantising)
    tensorrt = {"tensorrt": engine.status, "tensorrt_reason": engine.reason, "tensorrt_int8": verdict}
    write_json(stage.root / paths.metrics("export"), {"format": deployed, **figures, **tensorrt})
    write_json(stage.root / paths.LATENCY, times)
    others = (
        f"{name.upper()} " + (", ".join(broken) or f"{times[name]['speedup']:.2f} times as fast")
        for name, broken in breaches.items()
    )
    return (
        f"FP32 within {judged['fp32'].difference:.0e} of torch, {times['fp32']['p50_ms']:.1f} ms; {', '.join(others)}; "
        f"{deployed.upper()} deployed; {engine.line}"
    )


def _some(images: ImageSet, wanted: int, random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    places = np.sort(random.permutation(len(images))[:wanted])
    return images.images[places], images.labels[places]


def _judge(path: Path, seen: Seen, settings: ExportSettings, *, peak: float = 0.0) -> Judged:
    graph = open_graph(path, threads=settings.threads)
    outputs = run_batches(graph, seen.images, batch=BATCH)
    if not all(np.isfinite(output).all() for output in outputs):
        return Judged(float("inf"), float("nan"), float("nan"), LOST, overflow="outputs are not finite numbers")
    scores = anomaly_score(outputs[0])
    differences = batch_differences(graph, seen.images, seen.reference, sizes=settings.parity_batches)
    return Judged(
        difference=max(max_difference(seen.reference, outputs), *differences.values()),
        auroc=auroc(scores, seen.defective),
        ap=average_precision(scores, seen.defective),
        parity=score_parity(anomaly_score(seen.reference[0]), scores, positive=seen.defective),
        overflow=f"values reach {peak:.3g}, half precision ends at {HALF_LARGEST:g}" if peak > HALF_LARGEST else "",
    )


def _keep(folder: Path, judged: Mapping[str, Judged]) -> dict[str, Path]:
    files = {name: folder / file for name, file in FILES.items()}
    for name, found in judged.items():
        if found.overflow:
            files.pop(name).unlink()
    return files


def _figures(name: str, found: Judged, settings: ExportSettings) -> dict[str, Any]:
    values = {"max_difference": found.difference, "auroc": found.auroc, "ap": found.ap}
    told = {}
    if name != "fp32":
        told = {name: found.verdict(settings)}
        values |= vars(found.parity)
    return told | {f"{name}_{key}": _short(value) for key, value in values.items()}


def _latency(folder: Path, image: NDArray[np.uint8], files: Iterable[str], settings: ExportSettings) -> dict[str, Any]:
    detectors = {name: DeployedDetector(folder, graph_format=name, threads=settings.threads) for name in files}
    times = measure_in_turn(
        {name: lambda detector=detector: detector.predict(image) for name, detector in detectors.items()},  # type: ignore[misc]
        runs=settings.latency_runs,
        warmup=settings.latency_warmup,
        threads=settings.threads,
    )
    gains = speedups(times, reference="fp32")
    return {name: found.record() | {"speedup": gains[name]} for name, found in times.items()} | {"hardware": hardware()}


def _tensorrt(
    folder: Path, seen: Seen, settings: ExportSettings, *, fp16: Judged, quantising: Mapping[str, Any]
) -> tuple[EngineReport, str | None]:
    """The engines, or why there are none; and the verdict on TensorRT's INT8 graph, None where it was not written."""
    graph = folder / TENSORRT_FILES["int8"]
    engines = {name: folder / f"detector_{name}.engine" for name in TENSORRT_FILES}
    for stale in (graph, *engines.values()):
        stale.unlink(missing_ok=True)
    if settings.tensorrt == "none":
        return EngineReport("skipped", "factory.export.tensorrt is none"), None
    reason = obstacle()
    if reason is not None and settings.tensorrt == "engine":
        return EngineReport("skipped", reason), None
    to_int8_tensorrt(folder / FILES["fp32"], graph, **quantising)
    judged = {"fp16": fp16, "int8": _judge(graph, seen, settings)}
    verdict = judged["int8"].verdict(settings)
    if reason is not None:
        return EngineReport("skipped", f"{reason}; graphs written"), verdict
    built = []
    for name, found in judged.items():
        if broken := found.breaches(settings):
            say(f"           no TensorRT engine in {name.upper()}: {', '.join(broken)}")
            continue
        say(f"           building a TensorRT engine in {name.upper()}")
        report = build_engine(folder / TENSORRT_FILES[name], engines[name], sample_shape=seen.images.shape[1:])
        built.append(f"{name.upper()}: {report.reason}")
    if not built:
        return EngineReport("skipped", "neither FP16 nor INT8 is within its limits"), verdict
    return EngineReport("built", "; ".join(built)), verdict


def _short(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
