"""The detector: its training, what it gets wrong, where it looks, how it is deployed."""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.numbers import MISSING, Estimate, interval, number, percent, probability, quantity
from twinloop.reporting.figures.model import Point
from twinloop.reporting.figures.ranking import Ranked, ranked
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import CURRENCY, FactoryOutputs
from twinloop.vision.index import GOOD, class_names, read_index

FORMATS = ("fp32", "int8")


class Training(FactoryOutputs):
    """What train and evaluate left about the detector's skill."""

    def curves(self) -> dict[str, Any]:
        """Arguments of `figures.training.learning_curves`."""
        epochs = self.table(paths.EPOCHS)
        scores = {"AP": "val_ap", "AUROC": "val_auroc", "IoU": "val_iou"}
        return {
            "epochs": epochs["epoch"].to_list(),
            "losses": {"training": epochs["train_loss"].to_list(), "validation": epochs["val_loss"].to_list()},
            "scores": {name: epochs[column].to_list() for name, column in scores.items() if column in epochs.columns},
            "kept": int(self.metrics("train")["best_epoch"]),
        }

    def summary(self) -> Table:
        """Test figures of the deployed graph, with intervals where they were drawn."""
        found = self.metrics("evaluate")
        rows = [
            ("AUROC", number(found["auroc"]), _ends(found, "auroc"), "a defective part scores above a good one"),
            ("average precision (AP)", number(found["ap"]), _ends(found, "ap"), "precision over all recalls"),
            ("F1", number(found["f1"]), "", "at the threshold that was best on the validation split"),
            ("defect type right", percent(found["type_accuracy"]), "", "among defective parts"),
            ("pixel AUROC", number(found["pixel_auroc"]), "", "a defective pixel is hotter than a good one"),
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
        """Arguments of `figures.model.confusion`: a part that is not accepted counts as the type the detector names."""
        said = self.predictions.select(
            pl.when(pl.col("decision") == "accept").then(pl.lit(GOOD)).otherwise(pl.col("defect_type"))
        ).to_series()
        classes = class_names(read_index(self.path(paths.DATASET)))
        return {"true": self.predictions["label"].to_list(), "decided": said.to_list(), "classes": classes}

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


class Explanation(FactoryOutputs):
    """Where the detector looks, held against the true masks."""

    @cached_property
    def examples(self) -> dict[str, NDArray[Any]]:
        """Test images per class, from the lowest score to the highest, with their maps."""
        return self.arrays(paths.EVALUATION / "examples.npz")

    def heat(self) -> dict[str, Any]:
        """Arguments of `figures.model.gallery`: the heat map, a probability per pixel."""
        return {**self._shown(), "heat": self.examples["heat"], "label": "heat map: probability of a defect (0 … 1)"}

    def attention(self) -> dict[str, Any]:
        """Arguments of `figures.model.gallery`: where the class was read from, each map relative to its peak."""
        maps = self.examples["attention"]
        relative = maps / np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-12)
        return {**self._shown(), "heat": relative, "label": "attention relative to its peak (0 … 1)"}

    def localisation(self) -> Table:
        """Heat maps against masks, beside a map that knows nothing."""
        found = self.metrics("evaluate")
        rows = [
            (title, percent(found.get(key)), percent(found.get(f"{key}_centre_blob")))
            for title, key in (
                ("hottest pixel lies on the defect", "pointing"),
                ("share of the heat that lies on the defect", "heat_energy"),
                ("overlap with the mask (IoU)", "heat_iou"),
            )
        ]
        return Table.of(("defective test images", "detector", "a blob in the middle"), rows, numeric=(1, 2))

    def _shown(self) -> dict[str, Any]:
        found = self.examples
        titles = [
            f"{found['classes'][label]}: p = {probability:.2f}, {decision}"
            for label, probability, decision in zip(
                found["labels"], found["probability"], found["decision"], strict=True
            )
        ]
        return {"images": found["images"], "masks": found["masks"], "titles": titles}


class Deployment(FactoryOutputs):
    """The exported graphs, their latency, calibration and operating point."""

    def formats(self) -> Table:
        """Each exported format: size, difference to torch, latency; the deployed one stands out."""
        export, times = self.metrics("export"), self.json(paths.LATENCY)
        differences = {
            "fp32": f"outputs within {export['fp32_max_difference']:.0e}",
            "int8": f"rank correlation {number(export['int8_rank_correlation'])}, "
            f"{percent(export['int8_changed_decisions'])} of decisions changed",
        }
        rows = [
            (
                name.upper() + (" (deployed)" if export["format"] == name else ""),
                quantity(export[f"{name}_kib"], "KiB"),
                differences[name],
                quantity(times[name]["p50_ms"], "ms"),
                quantity(times[name]["p95_ms"], "ms"),
            )
            for name in FORMATS
        ]
        chosen = [place for place, name in enumerate(FORMATS) if export["format"] == name]
        headers = ("format", "file", "against torch", "median latency", "95 % within")
        rows.append(("TensorRT", MISSING, f"{export['tensorrt']}: {export['tensorrt_reason']}", MISSING, MISSING))
        return Table.of(headers, rows, numeric=(1, 3, 4), emphasis=chosen)

    def latency(self) -> dict[str, dict[str, float]]:
        """Format → percentiles in milliseconds."""
        times, deployed = self.json(paths.LATENCY), self.metrics("export")["format"]
        return {name.upper() + (" (deployed)" if name == deployed else ""): times[name] for name in FORMATS}

    def reliability(self) -> dict[str, Any]:
        """Arguments of `figures.ranking.reliability`."""
        found = self.table(paths.EVALUATION / "reliability.csv").filter(pl.col("scores") == "calibrated")
        return {
            "predicted": found["probability"].to_numpy(),
            "observed": found["observed"].to_numpy(),
            "counts": found["count"].to_numpy().astype(float),
            "ece": self.metrics("evaluate")["ece"],
        }

    def curve(self) -> OperatingCurve:
        """The operating curve of the deployed graph."""
        return OperatingCurve.load(self.path(paths.EVALUATION / "operating_curve.parquet"))

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
                Estimate(found["escape_rate_today"], *map(float, escapes)),
                Estimate(found["false_reject_rate_today"], *map(float, rejects)),
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


def thresholds(accept_below: float, reject_from: float) -> str:
    """One threshold, or the band between two in which a part is looked at again."""
    if accept_below == reject_from:
        return probability(accept_below)
    return f"{probability(accept_below)} … {probability(reject_from)}"


def _ends(found: dict[str, Any], key: str, *, scale: float = 1.0, unit: str = "") -> str:
    known = estimate(found, key)
    return interval(scale * known.low, scale * known.high, unit) if known.known else MISSING
