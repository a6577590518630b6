"""The detector: its training, what it gets wrong, where it looks, how it is deployed."""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from twinloop.contracts import OperatingCurve
from twinloop.numbers import MISSING, Interval, interval, number, percent, probability, quantity
from twinloop.reporting.figures.model import Point
from twinloop.reporting.figures.ranking import Ranked, ranked
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import CURRENCY, FactoryOutputs
from twinloop.vision.index import GOOD, class_names, read_index

FORMATS = ("fp32", "fp16", "int8")
# Medians that differ by less tell nothing.
NOISE = 1.05
CURVE_FILE = "operating_curve.parquet"
# What a detector calls a defect where it names none.
UNNAMED = "defect"


class Training(FactoryOutputs):
    """What train and evaluate left about the detector's skill."""

    def curves(self) -> dict[str, Any]:
        """Arguments of `figures.training.learning_curves`; a detector fitted in one pass has scores and no losses."""
        epochs = self.table(paths.EPOCHS)

        def measured(columns: dict[str, str]) -> dict[str, list[float]]:
            known = {name: epochs[column] for name, column in columns.items() if column in epochs.columns}
            return {
                name: values.cast(pl.Float64).fill_null(np.nan).to_list()
                for name, values in known.items()
                if values.null_count() < len(values)
            }

        return {
            "epochs": epochs["epoch"].to_list(),
            "losses": measured({"training": "train_loss", "validation": "val_loss"}),
            "scores": measured({"AP": "val_ap", "AUROC": "val_auroc", "IoU": "val_iou"}),
            "kept": int(self.metrics("train")["best_epoch"]),
        }

    def summary(self) -> Table:
        """Test figures of the deployed graph, with intervals where they were drawn."""
        found = self.metrics("evaluate")
        rows = [
            ("AUROC", number(found["auroc"]), _ends(found, "auroc"), "a defective part scores above a good one"),
            ("average precision (AP)", number(found["ap"]), _ends(found, "ap"), "precision over all recalls"),
            ("F1", number(found["f1"]), "", "at the threshold that was best on the validation split"),
            ("defect type right", percent(found["type_accuracy"]), "", "among defective parts; – where none is named"),
            ("pixel AUROC", number(found["pixel_auroc"]), "", "a defective pixel is hotter than a good one"),
            ("AUPRO", number(found["aupro"]), "", "share of each defect that is hot, up to 30 % false positives"),
            ("pixel IoU", number(found["iou"]), "", "overlap of heat map and true mask, all pixels"),
        ]
        return Table.of(("figure", "test split", "95 % interval", "what it says"), rows, numeric=(1, 2))

    @cached_property
    def predictions(self) -> pl.DataFrame:
        """One row per test image."""
        return self.table(paths.EVALUATION / "predictions.parquet")

    def ranking(self) -> Ranked:
        """ROC and precision-recall curves on the test split."""
        found = self.predictions
        return ranked(found["label"].to_list(), found["score"].to_numpy(), found["group"].to_list())

    def confusion(self) -> dict[str, Any]:
        """Arguments of `figures.model.confusion`: a part that is not accepted counts as the type the detector names.

        Where it names none, all defects are one class.
        """
        true, decided = self.predictions.select(
            pl.col("label"),
            pl.when(pl.col("decision") == "accept").then(pl.lit(GOOD)).otherwise(pl.col("defect_type")).alias("said"),
        ).get_columns()
        if self.metrics("evaluate")["type_accuracy"] is not None:
            classes = class_names(read_index(self.path(paths.DATASET)))
            return {"true": true.to_list(), "decided": decided.to_list(), "classes": classes}
        return {
            "true": [name if name == GOOD else UNNAMED for name in true],
            "decided": decided.to_list(),
            "classes": (GOOD, UNNAMED),
        }

    def by_class(self) -> Table:
        """Per defect class: test parts, escapes after all looks, and how much of each defect the heat map covers."""
        found, curve = self.metrics("evaluate"), OperatingCurve.load(self.path(paths.EVALUATION / CURVE_FILE))
        rows = [
            (name, parts, percent(None if recall is None else 1 - recall), number(found.get(f"aupro_{name}")))
            for name, parts in zip(curve.classes[1:], curve.counts[1:].tolist(), strict=True)
            for recall in [found.get(f"recall_{name}")]
        ]
        headers = ("defect class", "test parts", "escape at the chosen thresholds", "AUPRO beside the good parts")
        return Table.of(headers, rows, numeric=(1, 2, 3))

    def recalls(self) -> dict[str, tuple[int, int]]:
        """Class → (right at the first look, all): a good part is not rejected, a defective one not accepted."""
        right = self.predictions.with_columns(
            right=pl.when(pl.col("label") == GOOD)
            .then(pl.col("decision") != "reject")
            .otherwise(pl.col("decision") != "accept")
        )
        counted = (
            right.group_by("label")
            .agg(pl.col("right").sum(), pl.len().alias("all"))
            .sort(pl.col("label") != GOOD, "label")
        )
        return {row["label"]: (int(row["right"]), int(row["all"])) for row in counted.iter_rows(named=True)}


class Deployment(FactoryOutputs):
    """The exported graphs, their latency, calibration and operating point."""

    def formats(self) -> Table:
        """Each exported format: size, skill, what it changes against torch, speed; the deployed one stands out."""
        export, times = self.metrics("export"), self.json(paths.LATENCY)
        rows = [
            (
                name.upper() + (" (deployed)" if export["format"] == name else ""),
                quantity(export.get(f"{name}_kib"), "KiB"),
                number(export[f"{name}_auroc"]),
                number(export[f"{name}_ap"]),
                _against_torch(name, export),
                quantity(times.get(name, {}).get("p50_ms"), "ms"),
                quantity(times.get(name, {}).get("p95_ms"), "ms"),
                _speed(times.get(name)),
            )
            for name in FORMATS
        ]
        engine = f"{export['tensorrt']}: {export['tensorrt_reason']}"
        rows.append(("TensorRT", MISSING, MISSING, MISSING, engine, MISSING, MISSING, MISSING))
        headers = ("format", "file", "AUROC", "AP", "against torch", "median", "95 % within", "speed")
        machine, threads = times["hardware"], times["fp32"]["threads"]
        caption = (
            f"AUROC and AP on {export['parity_images']} validation images, compared at "
            f"{export['parity_batches']} images per call. One image, image in to finding out, on {machine['cpu']}: "
            f"{threads} of {machine['cores']} cores, ONNX Runtime {machine['onnxruntime']}."
        )
        chosen = [place for place, name in enumerate(FORMATS) if export["format"] == name]
        return Table.of(headers, rows, caption=caption, numeric=(1, 2, 3, 5, 6, 7), emphasis=chosen)

    def graphs(self) -> Table:
        """What identifies the exported files: their digests and the opset."""
        spec = self.json(paths.ONNX / "spec.json")
        rows = [(spec["files"][name], f"opset {spec['opset']}", digest) for name, digest in spec["sha256"].items()]
        return Table.of(("file", "ONNX", "sha256"), rows)

    def latency(self) -> dict[str, dict[str, float]]:
        """Format → percentiles in milliseconds."""
        times, deployed = self.json(paths.LATENCY), self.metrics("export")["format"]
        shown = [name for name in FORMATS if name in times]
        return {name.upper() + (" (deployed)" if name == deployed else ""): times[name] for name in shown}

    def reliability(self) -> dict[str, Any]:
        """Arguments of `figures.ranking.reliability`."""
        found = self.table(paths.EVALUATION / "reliability.csv").filter(pl.col("scores") == "calibrated")
        return {
            "predicted": found["probability"].to_numpy(),
            "observed": found["observed"].to_numpy(),
            "counts": found["count"].to_numpy().astype(float),
            "ece": self.metrics("evaluate")["ece"],
        }

    def calibration(self) -> Table:
        """How far stated and observed shares of defects lie apart, before and after calibration."""
        found = self.metrics("evaluate")
        rows = [
            ("expected calibration error before", percent(found["ece_uncalibrated"])),
            ("expected calibration error after", percent(found["ece"])),
            ("Brier score (0 is perfect)", number(found["brier"])),
            ("moved to the line's share of defects", percent(found["line_defect_rate"])),
        ]
        return Table.of(("", "test split"), rows, numeric=(1,))

    def curve(self) -> OperatingCurve:
        """The operating curve of the deployed graph."""
        return OperatingCurve.load(self.path(paths.EVALUATION / CURVE_FILE))

    def points(self) -> tuple[Point, Point]:
        """Today's operating point and the chosen one, after all looks."""
        found, curve = self.metrics("evaluate"), self.curve()
        today = curve.at(found["threshold_today"])
        draws = range(1, curve.draws + 1)
        escapes = np.quantile([today.escape_rate(draw=draw) for draw in draws], [0.025, 0.975])
        rejects = np.quantile([today.false_reject_rate(draw=draw) for draw in draws], [0.025, 0.975])
        return (
            Point(
                f"today {probability(found['threshold_today'])}",
                Interval(found["escape_rate_today"], *map(float, escapes)),
                Interval(found["false_reject_rate_today"], *map(float, rejects)),
            ),
            Point(
                f"chosen {thresholds(found['threshold'], found['reject_from'])}",
                estimate(found, "escape_rate"),
                estimate(found, "false_reject_rate"),
            ),
        )

    def thresholds(self) -> Table:
        """Today's operating point beside the chosen one: what each gets wrong and costs."""
        found = self.metrics("evaluate")
        rows = [
            (
                "thresholds (probability of a defect)",
                probability(found["threshold_today"]),
                thresholds(found["threshold"], found["reject_from"]),
                "",
            )
        ]
        rows += [
            (
                title,
                percent(found[f"{key}_today"], digits=2),
                percent(found[key], digits=2),
                _ends(found, key, scale=100, unit="%"),
            )
            for title, key in (
                ("defective parts that escape", "escape_rate"),
                ("good parts rejected", "false_reject_rate"),
                ("parts looked at twice", "reinspect_rate"),
            )
        ]
        cost = "expected_cost_per_part"
        rows.append(
            (
                "expected cost of errors per part",
                quantity(found[f"{cost}_today"], CURRENCY),
                quantity(found[cost], CURRENCY),
                _ends(found, cost, unit=CURRENCY),
            )
        )
        return Table.of(("", "today", "chosen", "95 % interval (chosen)"), rows, numeric=(1, 2, 3))


def _against_torch(name: str, export: dict[str, Any]) -> str:
    if name == "fp32":
        return f"outputs within {export['fp32_max_difference']:.0e}"
    verdict = str(export[name])
    if verdict.startswith("not kept"):
        return verdict
    correlation, changed = export[f"{name}_rank_correlation"], percent(export[f"{name}_changed_decisions"])
    told = f"rank correlation {number(correlation, digits=4)}, {changed} of decisions changed"
    return told if verdict == "within limits" else f"{told}; {verdict}"


def _speed(times: dict[str, float] | None) -> str:
    if times is None:
        return MISSING
    speed = times["speedup"]
    return f"{number(speed)} ×" + (": slower here" if speed < 1 / NOISE else "")


def thresholds(accept_below: float, reject_from: float) -> str:
    """One threshold, or the band between two in which a part is looked at again."""
    if accept_below == reject_from:
        return probability(accept_below)
    return f"{probability(accept_below)} … {probability(reject_from)}"


def _ends(found: dict[str, Any], key: str, *, scale: float = 1.0, unit: str = "") -> str:
    known = estimate(found, key)
    return interval(scale * known.low, scale * known.high, unit) if known.known else MISSING
