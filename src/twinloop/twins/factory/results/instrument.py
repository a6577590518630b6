"""The detector as a measuring instrument on the line: repeatable, quick enough, within its promise, and watched."""

from typing import Any

import numpy as np
import polars as pl

from twinloop.learning.spec import Spec
from twinloop.numbers import MISSING, count, interval, number, percent, quantity
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import FactoryOutputs
from twinloop.vision.monitoring.reference import REFERENCE_FILE, STRANGE, STRANGE_RATE, DriftReference


class Instrument(FactoryOutputs):
    """What evaluate found out about the deployed detector as an instrument."""

    def gauge(self) -> dict[str, tuple[float, float, float]]:
        """Arguments of `figures.monitoring.gauge`: study → share of the deviation, with the ends of its interval."""
        studies = self.table(paths.EVALUATION / "gauge.parquet")
        return {row["name"]: (row["grr"], row["grr_low"], row["grr_high"]) for row in studies.iter_rows(named=True)}

    def gauge_table(self) -> Table:
        """Variance components per class and over all parts."""
        studies = self.table(paths.EVALUATION / "gauge.parquet")
        rows = [
            (
                row["name"],
                row["parts"],
                row["images"],
                number(row["part_sd"]),
                number(row["repeat_sd"]),
                percent(row["grr"]),
                MISSING if row["categories"] is None else row["categories"],
            )
            for row in studies.iter_rows(named=True)
        ]
        caption = "" if rows else "No part was photographed more than once: nothing to measure it by."
        headers = ("parts", "number", "photographs", "between parts", "between photographs", "% GRR", "categories")
        return Table.of(headers, rows, numeric=range(1, 7), caption=caption)

    def escapes(self) -> Table:
        """Escapes among shipped parts beside the limit that was asked for, and what came of it."""
        found = self.metrics("evaluate")
        upper = quantity(found["escape_ppm_upper"], "ppm")
        rows = [
            ("escapes among shipped parts, estimate", quantity(found["escape_ppm"], "ppm")),
            ("not more than, with 95 % confidence", upper),
        ]
        if found["escape_limit_ppm"] is None:
            return Table.of(("test parts, at the chosen thresholds", ""), [*rows, ("limit asked for", "none")])
        confirmed = "yes" if found["escape_limit_confirmed"] else f"no: up to {upper} cannot be ruled out"
        rows += [
            ("limit asked for", quantity(found["escape_limit_ppm"], "ppm")),
            ("kept by the choice of thresholds", f"{found['escape_limit']}: {found['escape_limit_result']}"),
            ("confirmed by the test parts", confirmed),
        ]
        return Table.of(("test parts, at the chosen thresholds", ""), rows)

    def takt(self) -> Table:
        """The deployed format's time for one image beside the time between two parts."""
        takt_s, deployed = self.metrics("evaluate")["takt_s"], self.metrics("export")["format"]
        worst_ms = self.json(paths.LATENCY)[deployed]["p99_ms"]
        rows = [(f"99 % of images are judged within ({deployed.upper()})", quantity(worst_ms, "ms"))]
        if takt_s is None:
            return Table.of(
                ("", ""), [*rows, ("time between two parts (takt)", "not known: factory.evaluate.takt_min")]
            )
        share = worst_ms / (1000 * takt_s)
        rows += [
            ("time between two parts (takt)", quantity(takt_s, "s")),
            ("share of it that judging takes", percent(share, digits=4) if share < 1e-4 else percent(share, digits=2)),
            ("photographs that could be judged per part", count(1 / share)),
        ]
        return Table.of(("", ""), rows)

    def unlike(self) -> dict[str, Any]:
        """Arguments of `figures.monitoring.unlike`: scores of good and of spoilt pictures, the limit and its rate."""
        scores = self.table(paths.EVALUATION / "unlike.parquet")
        kinds = scores["kind"].unique(maintain_order=True).to_list()
        learnt = Spec.load(self.path(paths.ONNX)).about["unlike"]
        return {
            "scores": {kind: scores.filter(pl.col("kind") == kind)["unlike"].to_list() for kind in kinds},
            "limit": learnt["limit"],
            "false_alarms": learnt["false_alarms"],
        }

    def drift(self) -> Table:
        """What the drift monitor holds later images against, and how often it may be wrong."""
        reference = DriftReference.load(self.path(paths.EVALUATION / REFERENCE_FILE))
        rows = []
        for name, values in reference.values.items():
            low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
            rows.append((name, number(middle), interval(low, high)))
        rows.append(("share stopped", percent(float(reference.stopped.mean())), ""))
        rows.append((STRANGE, f"{percent(STRANGE_RATE)} beyond {number(reference.strange_from)}", ""))
        settings = reference.settings
        caption = (
            f"{len(reference.stopped)} test parts in the line's mix; windows of {settings.window} images; at most "
            f"{number(settings.false_alarms_per_1000_windows)} false alarms in 1000 windows"
        )
        return Table.of(("statistic of an image", "median", "95 % of parts"), rows, numeric=(1, 2), caption=caption)
