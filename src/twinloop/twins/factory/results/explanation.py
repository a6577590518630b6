"""Where the detector looks, by every method, and whether that is worth more than a guess."""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.numbers import MISSING, interval, number, percent
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import FactoryOutputs
from twinloop.vision.evaluation.verdicts import BASELINES, BETTER, BLOB, MEASURES, RANDOM, verdicts

TITLES = {
    "heat": "heat map",
    "attention": "attention of the head",
    "rollout": "attention rollout",
    "gradcam": "GradCAM",
    BLOB: "blob in the middle",
    RANDOM: "random map",
}
SHOWN = 6


class Explanation(FactoryOutputs):
    """Where the detector looks, held against the true masks and against maps that know nothing."""

    @cached_property
    def examples(self) -> dict[str, NDArray[Any]]:
        """Test images per class, from the lowest score to the highest, with their maps."""
        return self.arrays(paths.EVALUATION / "examples.npz")

    @cached_property
    def scores(self) -> pl.DataFrame:
        """One row per map, score and baseline."""
        return self.table(paths.EVALUATION / "explanations.parquet")

    def heat(self) -> dict[str, Any]:
        """Arguments of `figures.model.gallery`: the heat map, a probability per pixel."""
        found = self.examples
        return {
            "images": found["images"],
            "masks": found["masks"],
            "titles": self._titles(),
            "heat": found["map_heat"],
            "label": "heat map: probability of a defect (0 … 1)",
        }

    def side_by_side(self) -> dict[str, Any]:
        """Arguments of `figures.explanations.side_by_side`: up to six defective images, evenly spread."""
        found, titles = self.examples, self._titles()
        defective = np.flatnonzero(found["labels"] > 0)
        chosen = defective[np.linspace(0, len(defective) - 1, min(SHOWN, len(defective))).round().astype(int)]
        maps = {title: found[f"map_{name}"][chosen] for name, title in TITLES.items() if f"map_{name}" in found}
        return {
            "images": found["images"][chosen],
            "masks": found["masks"][chosen],
            "maps": maps,
            "titles": [titles[place] for place in chosen],
        }

    def scored(self) -> dict[str, Any]:
        """Arguments of `figures.explanations.explanation_scores`."""
        return {"scores": self.scores, "names": self._names(), "baselines": BASELINES}

    def curves(self) -> dict[str, Any]:
        """Arguments of `figures.explanations.perturbation_curves`."""
        table = self.table(paths.EVALUATION / "explanation_curves.parquet")
        return {"curves": table, "names": self._names(), "baselines": BASELINES}

    def verdicts(self) -> Table:
        """Every method against the blob and the random map, and whether it explains anything."""
        found, worth = self.metrics("evaluate"), verdicts(self.scores)
        rows, emphasis = [], []
        for name, title in self._names().items():
            cells = [self._cell(name, measure) for measure in MEASURES]
            rows.append((title, *cells, worth.get(name, MISSING)))
            if worth.get(name) == BETTER:
                emphasis.append(len(rows) - 1)
        caption = f"{found['explanation_images']} defective test images of {found['explanation_parts']} parts"
        if found["explanations_left_out"]:
            caption += f"; this kind of detector has no {found['explanations_left_out']}"
        headers = (
            "map",
            "hottest pixel on the defect",
            "heat on the defect",
            "deletion area",
            "insertion area",
            "verdict",
        )
        return Table.of(headers, rows, numeric=(1, 2, 3, 4), emphasis=emphasis, caption=caption)

    def gains(self) -> Table:
        """How much better than each baseline every method is, with the interval of the paired difference."""
        rows = []
        for row in self.scores.filter(~pl.col("method").is_in(BASELINES)).iter_rows(named=True):
            surely = "yes" if row["difference_low"] > 0 else "no"
            gain = number(row["difference"], sign=True)
            ends = interval(row["difference_low"], row["difference_high"], sign=True)
            rows.append((TITLES[row["method"]], row["measure"], TITLES[row["baseline"]], gain, ends, surely))
        headers = ("map", "score", "against", "better by", "95 % interval", "surely better")
        return Table.of(headers, rows, numeric=(3, 4))

    def localisation(self) -> Table:
        """Heat maps against masks over all test images, beside a map that knows nothing."""
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

    def _cell(self, method: str, measure: str) -> str:
        rows = self.scores.filter((pl.col("method") == method) & (pl.col("measure") == measure))
        if rows.is_empty():
            return MISSING
        value = float(rows["value"][0])
        return percent(value) if measure in ("pointing", "energy") else number(value)

    def _names(self) -> dict[str, str]:
        return {name: TITLES[name] for name in self.scores["method"].unique(maintain_order=True)}

    def _titles(self) -> list[str]:
        found = self.examples
        return [
            f"{found['classes'][label]}: p = {probability:.2f}, {decision}"
            for label, probability, decision in zip(
                found["labels"], found["probability"], found["decision"], strict=True
            )
        ]
