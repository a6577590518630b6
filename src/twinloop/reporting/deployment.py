"""Exported graphs and their latency, for the page on deployment of any twin (see `learning.deployment`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from twinloop.learning.spec import FORMATS, Spec
from twinloop.numbers import MISSING, number, quantity
from twinloop.reporting.results import Outputs
from twinloop.reporting.tables import Table

# Medians that differ by less tell nothing.
NOISE = 1.05


class DeploymentOutputs(Outputs):
    """What an export stage left.

    A twin says where its files are, which figures are its model's skill (name → title), what it is compared on and
    what one timed call is; `changes` puts into words what a format of fewer bits changes.
    """

    graphs_folder: ClassVar[Path]
    latency_file: ClassVar[Path]
    export_file: ClassVar[Path]
    skill: ClassVar[Mapping[str, str]]
    samples: ClassVar[str]
    one_call: ClassVar[str]

    def changes(self, graph_format: str, export: Mapping[str, Any]) -> str:
        """What this format changes against torch, in words."""
        raise NotImplementedError

    def formats(self) -> Table:
        """Each exported format: size, skill, what it changes against torch, speed; the deployed one stands out."""
        export, times = self.json(self.export_file), self.json(self.latency_file)
        rows = [
            (
                _title(name, export["format"]),
                quantity(export.get(f"{name}_kib"), "KiB"),
                *(number(export[f"{name}_{figure}"]) for figure in self.skill),
                self._against_torch(name, export),
                quantity(times.get(name, {}).get("p50_ms"), "ms"),
                quantity(times.get(name, {}).get("p95_ms"), "ms"),
                _speed(times.get(name)),
            )
            for name in FORMATS
        ]
        engine = f"{export['tensorrt']}: {export['tensorrt_reason']}"
        rows.append(("TensorRT", MISSING, *(MISSING for _ in self.skill), engine, MISSING, MISSING, MISSING))
        headers = ("format", "file", *self.skill.values(), "against torch", "median", "95 % within", "speed")
        machine, threads = times["hardware"], times["fp32"]["threads"]
        caption = (
            f"{' and '.join(self.skill.values())} on {export['parity_samples']} {self.samples}, compared at "
            f"{export['parity_batches']} per call. {self.one_call}, on {machine['cpu']}: "
            f"{threads} of {machine['cores']} cores, ONNX Runtime {machine['onnxruntime']}."
        )
        chosen = [place for place, name in enumerate(FORMATS) if export["format"] == name]
        words = 2 + len(self.skill)
        numeric = [place for place in range(1, len(headers)) if place != words]
        return Table.of(headers, rows, caption=caption, numeric=numeric, emphasis=chosen)

    def graphs(self) -> Table:
        """What identifies the exported files: their digests and the opset."""
        spec = Spec.load(self.path(self.graphs_folder))
        rows = [(spec.files[name], f"opset {spec.opset}", digest) for name, digest in spec.sha256.items()]
        return Table.of(("file", "ONNX", "sha256"), rows)

    def latency(self) -> dict[str, dict[str, float]]:
        """Format → percentiles in milliseconds."""
        times, deployed = self.json(self.latency_file), self.json(self.export_file)["format"]
        return {_title(name, deployed): times[name] for name in FORMATS if name in times}

    def _against_torch(self, name: str, export: Mapping[str, Any]) -> str:
        if name == "fp32":
            return f"outputs within {export['fp32_max_difference']:.0e}"
        verdict = str(export[name])
        if verdict.startswith("not kept"):
            return verdict
        changed = self.changes(name, export)
        return changed if verdict == "within limits" else f"{changed}; {verdict}"


def _title(name: str, deployed: str) -> str:
    return name.upper() + (" (deployed)" if name == deployed else "")


def _speed(times: Mapping[str, float] | None) -> str:
    if times is None:
        return MISSING
    speed = times["speedup"]
    return f"{number(speed)} ×" + (": slower here" if speed < 1 / NOISE else "")
