"""A trained module as graphs of several formats: written, compared with torch, timed, and one of them chosen.

FP32 must reproduce torch. FP16 and INT8 are measured too, so that they can be priced; they are deployed only within
the limits of whoever uses the model, and a graph whose numbers overflow is not kept. Measured time decides what is
deployed under `format: auto` alone.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from twinloop.files import sha256
from twinloop.learning.export import to_fp16, to_onnx, torch_outputs
from twinloop.learning.inference import open_graph, run_batches
from twinloop.learning.latency import hardware, measure_in_turn, speedups
from twinloop.learning.parity import (
    batch_differences,
    choose_format,
    max_difference,
    require_deployable,
    require_equal,
)
from twinloop.learning.quantise import HALF_LARGEST, largest_activation, to_int8, to_int8_tensorrt
from twinloop.learning.settings import ExportSettings
from twinloop.learning.signature import Arrays, Input, Outputs, cut, even_batches, rows
from twinloop.learning.spec import FORMATS, Spec, engine_file, graph_file
from twinloop.learning.tensorrt import EngineReport, build_engine, obstacle
from twinloop.progress import say

BATCH = 32
TENSORRT_INT8 = "int8_qdq"


@dataclass(frozen=True)
class Quality:
    """What a graph's outputs are worth to whoever knows what they mean.

    figures: its skill, by name. changes: what it changes against torch; FP32, which equals it, is not asked for them.
    broken: the limits that it breaks, one phrase each.
    """

    figures: Mapping[str, float] = field(default_factory=dict)
    changes: Mapping[str, float] = field(default_factory=dict)
    broken: tuple[str, ...] = ()


# From torch's outputs and those of a graph, which may hold values that are not finite, on all samples.
Gate = Callable[[Outputs, Outputs], Quality]
# From a format to one call of it as it is used, to be timed.
Opened = Callable[[str], Callable[[], object]]


@dataclass(frozen=True, eq=False)
class Exportable:
    """A trained module and what its export needs.

    module: takes `inputs` by position and gives `outputs`. stem: of the files' names. about: what a user of the graphs
    must know, plain values; they go into spec.json and as text into the graphs. calibration: samples that set INT8's
    ranges. samples: those on which graphs are compared with torch; further: more of them, of other lengths, on which
    only raw outputs are.
    """

    module: torch.nn.Module
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    stem: str
    about: Mapping[str, Any]
    calibration: Arrays
    samples: Arrays
    further: tuple[Arrays, ...] = ()

    @property
    def metadata(self) -> dict[str, str]:
        """`about` as text."""
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in self.about.items()}


@dataclass(frozen=True)
class Judged:
    """A graph on the samples: largest difference to torch at any batch size, and its quality.

    overflow: why its numbers cannot be trusted; empty where they can.
    """

    difference: float
    quality: Quality
    overflow: str = ""

    @property
    def breaches(self) -> tuple[str, ...]:
        """The limits it breaks, one phrase each."""
        return (self.overflow,) if self.overflow else self.quality.broken

    @property
    def verdict(self) -> str:
        """For the metrics: "within limits", or what is broken."""
        broken = ", ".join(self.breaches)
        return f"{'not kept' if self.overflow else 'not deployable'}: {broken}" if broken else "within limits"

    def metrics(self, name: str) -> dict[str, Any]:
        """Flat figures of the format `name`."""
        values = {"max_difference": self.difference, **self.quality.figures}
        verdict = {} if name == "fp32" else {name: self.verdict}
        values |= {} if name == "fp32" else self.quality.changes
        return verdict | {f"{name}_{key}": _short(value) for key, value in values.items()}


@dataclass(frozen=True)
class Deployment:
    """What an export came to.

    times: for latency.json: format → percentiles and speedup, then the hardware. engine: what became of TensorRT;
    engine_verdict: on its INT8 graph, None where it was not written.
    """

    spec: Spec
    judged: Mapping[str, Judged]
    times: Mapping[str, Any]
    engine: EngineReport
    engine_verdict: str | None

    def metrics(self) -> dict[str, Any]:
        """Flat figures for the metrics JSON; no measured time among them."""
        return {
            "format": self.spec.deployed,
            **(self.spec.parity or {}),
            "tensorrt": self.engine.status,
            "tensorrt_reason": self.engine.reason,
            "tensorrt_int8": self.engine_verdict,
        }

    @property
    def line(self) -> str:
        """For a summary line: how close FP32 is, what the others break or gain, what is deployed."""
        others = (
            f"{name.upper()} " + (", ".join(one.breaches) or f"{self.times[name]['speedup']:.2f} times as fast")
            for name, one in self.judged.items()
            if name != "fp32"
        )
        return (
            f"FP32 within {self.judged['fp32'].difference:.0e} of torch, {self.times['fp32']['p50_ms']:.1f} ms; "
            f"{', '.join(others)}; {self.spec.deployed.upper()} deployed; {self.engine.line}"
        )


def deploy(
    model: Exportable, folder: Path, settings: ExportSettings, *, gate: Gate, opened: Opened | None = None
) -> Deployment:
    """Write graphs and spec.json into `folder`, judge, time and choose.

    opened: how a format is used, which is what is timed; by default its graph on the first sample.
    Raises RunError where FP32 does not reproduce torch, or a format asked for by name breaks a limit.
    """
    judge = _Judge(model, settings, gate)
    files = {name: folder / graph_file(model.stem, name) for name in FORMATS}
    quantising: dict[str, Any] = {
        "batches": even_batches(model.calibration, BATCH),
        "metadata": model.metadata,
        "calibration": settings.calibration,
    }
    to_onnx(
        model.module,
        model.inputs,
        path=files["fp32"],
        outputs=model.outputs,
        metadata=model.metadata,
        opset=settings.opset,
    )
    judged = {"fp32": judge(files["fp32"])}
    require_equal(judged["fp32"].difference, tolerance=settings.fp32_tolerance, name="FP32")
    peak = largest_activation(files["fp32"], batches=quantising["batches"])
    to_fp16(files["fp32"], files["fp16"])
    to_int8(files["fp32"], files["int8"], **quantising)
    judged |= {"fp16": judge(files["fp16"], peak=peak), "int8": judge(files["int8"])}
    breaches = {name: one.breaches for name, one in judged.items() if name != "fp32"}
    require_deployable(breaches, settings.format)

    for name, one in judged.items():
        if one.overflow:
            files.pop(name).unlink()
    spec = _spec(model, settings, judged=judged, files=files)
    spec.save(folder)
    times = _times(model, files, settings, opened)
    kept = {name: broken for name, broken in breaches.items() if name in files}
    deployed = choose_format(kept, {name: times[name]["speedup"] for name in files}, settings)
    spec = replace(spec, deployed=deployed)
    spec.save(folder)
    engine, verdict = _engines(model, folder, settings, judge=judge, fp16=judged["fp16"], quantising=quantising)
    return Deployment(spec, judged, times, engine, verdict)


class _Judge:
    """Compares graphs with torch's outputs, which it computes once."""

    def __init__(self, model: Exportable, settings: ExportSettings, gate: Gate) -> None:
        self.settings, self.gate = settings, gate
        self.sets = [(arrays, torch_outputs(model.module, arrays)) for arrays in (model.samples, *model.further)]

    def __call__(self, path: Path, *, peak: float = 0.0) -> Judged:
        graph = open_graph(path, threads=self.settings.threads)
        answers = [run_batches(graph, arrays, batch=BATCH) for arrays, _ in self.sets]
        quality = self.gate(self.sets[0][1], answers[0])
        if not all(np.isfinite(output).all() for outputs in answers for output in outputs):
            return Judged(float("inf"), quality, overflow="outputs are not finite numbers")
        difference = 0.0
        for (arrays, reference), outputs in zip(self.sets, answers, strict=True):
            by_size = batch_differences(graph, arrays, reference, sizes=self.settings.parity_batches)
            difference = max(difference, max_difference(reference, outputs), *by_size.values())
        overflow = f"values reach {peak:.3g}, half precision ends at {HALF_LARGEST:g}" if peak > HALF_LARGEST else ""
        return Judged(difference, quality, overflow)


def _spec(
    model: Exportable, settings: ExportSettings, *, judged: Mapping[str, Judged], files: Mapping[str, Path]
) -> Spec:
    parity: dict[str, Any] = {}
    for name, one in judged.items():
        parity |= one.metrics(name)
    parity |= {f"{name}_kib": path.stat().st_size // 1024 for name, path in files.items()}
    parity |= {"parity_samples": rows(model.samples), "parity_batches": ", ".join(map(str, settings.parity_batches))}
    return Spec(
        deployed="fp32" if settings.format == "auto" else settings.format,
        files={name: path.name for name, path in files.items()},
        sha256={name: sha256(path) for name, path in files.items()},
        about=model.about,
        opset=settings.opset,
        inputs={one.name: one.described for one in model.inputs},
        outputs=model.outputs,
        parity=parity,
    )


def _times(
    model: Exportable, files: Mapping[str, Path], settings: ExportSettings, opened: Opened | None
) -> dict[str, Any]:
    first = cut(model.samples, 0, 1)

    def graph(name: str) -> Callable[[], object]:
        session = open_graph(files[name], threads=settings.threads)
        return lambda: session(first)

    times = measure_in_turn(
        {name: (opened or graph)(name) for name in files},
        runs=settings.latency_runs,
        warmup=settings.latency_warmup,
        threads=settings.threads,
    )
    gains = speedups(times, reference="fp32")
    return {name: one.record() | {"speedup": gains[name]} for name, one in times.items()} | {"hardware": hardware()}


def _engines(
    model: Exportable,
    folder: Path,
    settings: ExportSettings,
    *,
    judge: _Judge,
    fp16: Judged,
    quantising: Mapping[str, Any],
) -> tuple[EngineReport, str | None]:
    """The engines, or why there are none; and the verdict on TensorRT's INT8 graph, None where it was not written."""
    # TensorRT takes half precision from the same file; its INT8 is symmetric and so another graph than the CPU's.
    graphs = {"fp16": folder / graph_file(model.stem, "fp16"), "int8": folder / graph_file(model.stem, TENSORRT_INT8)}
    engines = {name: folder / engine_file(model.stem, name) for name in graphs}
    for stale in (graphs["int8"], *engines.values()):
        stale.unlink(missing_ok=True)
    if settings.tensorrt == "none":
        return EngineReport("skipped", "not asked for"), None
    reason = obstacle()
    if reason is not None and settings.tensorrt == "engine":
        return EngineReport("skipped", reason), None
    to_int8_tensorrt(folder / graph_file(model.stem, "fp32"), graphs["int8"], **quantising)
    judged = {"fp16": fp16, "int8": judge(graphs["int8"])}
    verdict = judged["int8"].verdict
    if reason is not None:
        return EngineReport("skipped", f"{reason}; graphs written"), verdict
    built = []
    for name, one in judged.items():
        if one.breaches:
            say(f"           no TensorRT engine in {name.upper()}: {', '.join(one.breaches)}")
            continue
        say(f"           building a TensorRT engine in {name.upper()}")
        report = build_engine(graphs[name], engines[name], inputs=model.inputs)
        built.append(f"{name.upper()}: {report.reason}")
    if not built:
        return EngineReport("skipped", "neither FP16 nor INT8 is within its limits"), verdict
    return EngineReport("built", "; ".join(built)), verdict


def _short(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
