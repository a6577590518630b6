"""The detector: its training, what it gets wrong, where it looks, how it is deployed."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import polars as pl

from twinloop.contracts import OperatingCurve
from twinloop.numbers import MISSING, Interval, interval, number, percent, probability, quantity
from twinloop.reporting.deployment import DeploymentOutputs
from twinloop.reporting.figures.model import Point
from twinloop.reporting.figures.ranking import Ranked, ranked
from twinloop.reporting.levers import thresholds
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import CURRENCY, FactoryOutputs
from twinloop.vision.index import GOOD, class_names, read_index

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

    @property
    def pooled(self) -> str:
        """What rates are measured on where test holds too few defects; "" where it is the test split."""
        found = self.metrics("evaluate")
        if "pooled_good_parts" not in found:
            return ""
        return (
            f"all {found['pooled_defective_parts']} defective and {found['pooled_good_parts']} good parts, each judged "
            "by a detector that learnt from others"
        )

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
        if self.pooled:
            why = "the test split holds too few defects; of it are the pixels alone"
            rows.append(("measured on", self.pooled, "", why))
        columns = ("figure", "out of fold" if self.pooled else "test split", "95 % interval", "what it says")
        return Table.of(columns, rows, numeric=(1, 2))

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


class Deployment(DeploymentOutputs, FactoryOutputs):
    """The exported graphs, their latency, calibration and operating point."""

    graphs_folder = paths.ONNX
    latency_file = paths.LATENCY
    export_file = paths.metrics("export")
    skill: ClassVar[Mapping[str, str]] = {"auroc": "AUROC", "ap": "AP"}
    samples = "validation images"
    one_call = "One image, image in to finding out"

    def changes(self, graph_format: str, export: Mapping[str, Any]) -> str:
        correlation = number(export[f"{graph_format}_rank_correlation"], digits=4)
        changed = percent(export[f"{graph_format}_changed_decisions"])
        return f"rank correlation {correlation}, {changed} of decisions changed"

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


def _ends(found: dict[str, Any], key: str, *, scale: float = 1.0, unit: str = "") -> str:
    known = estimate(found, key)
    return interval(scale * known.low, scale * known.high, unit) if known.known else MISSING
