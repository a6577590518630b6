"""How well failures are foretold, for the page on prediction: judged on assets and a time that nothing learnt from."""

from functools import cached_property
from typing import Any

import polars as pl

from twinloop.contracts import AlertCurve
from twinloop.numbers import MISSING, Interval, count, interval, number, percent, quantity
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.twins.fleet import paths, plan
from twinloop.twins.fleet.results.base import MINUTES_PER_DAY, FleetOutputs

ENSEMBLE, NETWORK, BOOSTED = "ensemble", "network", "boosted"
# The order in which methods are shown.
METHODS = (ENSEMBLE, "forest", BOOSTED, NETWORK, "age", "single sensor", "never")
HOURS_PER_DAY = 24
TOP = 5


class Prediction(FleetOutputs):
    """What evaluate left about the predictor's skill."""

    @cached_property
    def judged(self) -> pl.DataFrame:
        """component, method, metric, mean, low, high."""
        return self.evaluation("judged")

    def of(self, metric: str, method: str = ENSEMBLE) -> dict[str, Interval]:
        """Component → a metric of a method, with its interval."""
        rows = self.judged.filter((pl.col("metric") == metric) & (pl.col("method") == method))
        return {row["component"]: estimate(row, "mean", "low", "high") for row in rows.iter_rows(named=True)}

    def summary(self) -> Table:
        """What was measured, over all components."""
        found = self.metrics("evaluate")
        rows = [
            ("PR-AUC", number(found["pr_auc"]), "1 is perfect: every failure found, no alert false"),
            ("PR-AUC by age alone", number(found["pr_auc_age"]), "what the calendar knows"),
            ("PR-AUC of the best single sensor", number(found["pr_auc_sensor"]), "what a limit on one signal knows"),
            ("Brier score", number(found["brier"]), "mean squared error of the probabilities; 0 is perfect"),
            ("calibration error", percent(found["ece"]), "what was said against what happened"),
            ("alert from", percent(found["threshold"]), "probability of failure, the same for all components"),
            ("failures found", percent(found["recall"]), f"of {count(found['test_failures'])} among the test assets"),
            ("median lead time", quantity(found["lead_hours"], "h"), "from the first alert in time to the failure"),
            ("false alarms", number(found["false_alarms"]), "per vehicle and month, all components together"),
        ]
        return Table.of(("figure", "test assets", "what it says"), rows, numeric=(1,))

    def by_component(self) -> Table:
        """The ensemble by component, with 95 % intervals over assets."""
        areas, briers, errors = (self.of(metric) for metric in ("pr_auc", "brier", "ece"))
        found = self.evaluation("found")
        rows = []
        for name in self.about["components"]:
            own = found.filter(pl.col("component") == name)
            area = areas.get(name)
            rows.append(
                (
                    name,
                    number(area.mean) if area else MISSING,
                    interval(area.low, area.high, digits=2) if area else MISSING,
                    number(briers[name].mean) if name in briers else MISSING,
                    percent(errors[name].mean) if name in errors else MISSING,
                    f"{int(own['found'].sum())} of {len(own)}",
                )
            )
        headers = ("component", "PR-AUC", "95 % interval", "Brier", "calibration error", "failures found")
        return Table.of(headers, rows, numeric=range(1, 6))

    def precision_recall(self) -> dict[str, Any]:
        """Arguments of `figures.foretelling.precision_recall`."""
        curves = self.evaluation("precision_recall")
        rates = dict(curves.select("component", "rate").unique().iter_rows())
        return {"curves": curves, "areas": self.of("pr_auc"), "rates": rates}

    def calibration(self) -> dict[str, Any]:
        """Arguments of `figures.foretelling.calibration`."""
        return {"bins": self.evaluation("calibration"), "errors": self.of("ece")}

    def alerts(self) -> dict[str, AlertCurve]:
        """Argument of `figures.foretelling.alert_curves`: component → curve."""
        self.path(paths.ALERTS)
        return plan.load_curves(self.root / paths.ALERTS)

    def found(self) -> pl.DataFrame:
        """Argument of `figures.foretelling.failures_found`."""
        return self.evaluation("found").select(
            "asset",
            "component",
            "found",
            day=pl.col("failed_min") / MINUTES_PER_DAY,
            lead_days=pl.col("lead_hours") / HOURS_PER_DAY,
        )

    def methods(self, metric: str = "pr_auc") -> dict[str, Any]:
        """Arguments of `figures.foretelling.methods`."""
        labels = {
            "pr_auc": ("PR-AUC (1 is perfect)", "Which method tells failures from the rest?"),
            "brier": ("Brier score (0 is perfect)", "Whose probabilities are closest?"),
            "ece": ("calibration error (0 is perfect)", "Whose probabilities can be believed?"),
        }
        label, title = labels[metric]
        return {
            "judged": self.judged.filter(pl.col("metric") == metric),
            "label": label,
            "title": title,
            "names": METHODS,
        }

    def sequence_model(self) -> Table:
        """Where the sequence model is better or worse than the boosted trees, component by component."""
        network, trees = self.of("pr_auc", NETWORK), self.of("pr_auc", BOOSTED)
        rows = []
        for name in self.about["components"]:
            if name not in network or name not in trees:
                rows.append((name, MISSING, MISSING, "not compared: too few failures to learn it"))
                continue
            own, other = network[name], trees[name]
            verdict = "worse" if own.mean < other.mean else "better"
            sure = own.high < other.low or own.low > other.high
            rows.append(
                (
                    name,
                    f"{number(own.mean, digits=2)} ({interval(own.low, own.high, digits=2)})",
                    f"{number(other.mean, digits=2)} ({interval(other.low, other.high, digits=2)})",
                    verdict if sure else f"{verdict}, not sure: the intervals overlap",
                )
            )
        headers = ("component", "sequence model, PR-AUC", "boosted trees, PR-AUC", "the sequence model is")
        worse = [place for place, row in enumerate(rows) if row[3].startswith("worse")]
        return Table.of(headers, rows, caption=self.where_worse(), emphasis=worse)

    def where_worse(self) -> str:
        """In a sentence: for which components the sequence model ranks worse than the boosted trees."""
        network, trees = self.of("pr_auc", NETWORK), self.of("pr_auc", BOOSTED)
        both = [name for name in network if name in trees]
        worse = [name for name in both if network[name].mean < trees[name].mean]
        if not both:
            return "The sequence model was not compared: no component had failures enough to learn it."
        if not worse:
            return "The sequence model is worse than the boosted trees for no component."
        return (
            f"The sequence model is worse than the boosted trees for {', '.join(worse)} ({len(worse)} of {len(both)})."
        )

    def splits(self) -> dict[str, Any]:
        """Arguments of `figures.foretelling.splits`."""
        beside = self.evaluation("beside").unpivot(
            ["honest", "leaky"], index="component", variable_name="method", value_name="mean"
        )
        known = beside.drop_nulls("mean").with_columns(low=pl.col("mean"), high=pl.col("mean"))
        return {"judged": known, "label": "PR-AUC (1 is perfect)"}

    def importance(self) -> Table:
        """What the boosted trees look at most, by component."""
        found = self.table(paths.PREDICTOR / "importance.parquet")
        rows = []
        for (component,), own in found.group_by("component", maintain_order=True):
            top = own.sort("share", "feature", descending=[True, False]).head(TOP)
            told = ", ".join(
                f"{name} {percent(share, digits=0)}" for name, share in top.select("feature", "share").rows()
            )
            rows.append((component, told))
        sensors = self.json(paths.EVALUATION / "sensors.json")
        shown = [(name, told, sensors.get(str(name)) or MISSING) for name, told in rows]
        headers = ("component", f"the {TOP} features with most gain", "best single sensor")
        return Table.of(headers, shown or [("none", "every component is judged by its age alone", MISSING)])
