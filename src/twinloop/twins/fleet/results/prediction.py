"""How well failures are foretold, for the page on prediction: judged on assets and a time that nothing learnt from."""

from collections.abc import Mapping
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
METHODS = (ENSEMBLE, "forest", BOOSTED, "linear", NETWORK, "age", "single sensor", "never")
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

        def told(name: str) -> str:
            ends = interval(found[f"{name}_low"], found[f"{name}_high"])
            return MISSING if found[name] is None else f"{number(found[name])} ({ends})"

        rows = [
            ("PR-AUC", told("pr_auc"), "1 is perfect: every failure found, no alert false"),
            ("PR-AUC by age alone", told("pr_auc_age"), "what the calendar knows"),
            ("PR-AUC of the best single sensor", told("pr_auc_sensor"), "what a limit on one signal knows"),
            ("Brier score", told("brier"), "mean squared error of the probabilities; 0 is perfect"),
            ("calibration error", told("ece"), "what was said against what happened; 0 is perfect"),
            ("failures found", told("recall"), f"share of {count(found['test_failures'])} among the test assets"),
            (
                "found at one threshold for all",
                percent(found["recall_common"]),
                f"with as many false alarms allowed: from {percent(found['threshold_common'])} probability on",
            ),
            ("median lead time", quantity(found["lead_hours"], "h"), "from the first alert in time to the failure"),
            ("false alarms", number(found["false_alarms"]), "per vehicle and month, all components together"),
        ]
        caption = "Means over components; in brackets 95 % intervals, drawn over vehicles."
        return Table.of(("figure", "test assets", "what it says"), rows, caption=caption, numeric=(1,))

    def by_component(self) -> Table:
        """The ensemble by component, with 95 % intervals over assets."""
        areas, briers, errors = (self.of(metric) for metric in ("pr_auc", "brier", "ece"))
        found = self.evaluation("found")
        rows = []
        for name in self.about["components"]:
            own = found.filter(pl.col("component") == name)
            rows.append(
                (
                    name,
                    _with_ends(areas.get(name)),
                    _with_ends(briers.get(name)),
                    _with_ends(errors.get(name)),
                    percent(self.metrics("evaluate")[f"threshold_{name}"]),
                    f"{int(own['found'].sum())} of {len(own)}",
                    f"{int(own['found_common'].sum())} of {len(own)}",
                )
            )
        headers = (
            "component",
            "PR-AUC",
            "Brier",
            "calibration error",
            "alert from",
            "failures found",
            "at one threshold for all",
        )
        caption = (
            "In brackets 95 % intervals, drawn over vehicles. Alerts begin at the probability that costs least: a "
            "visit for every alert, a failure for each that is missed, and false alarms of all components within what "
            "is allowed."
        )
        return Table.of(headers, rows, caption=caption, numeric=range(1, 7))

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
        judged = self.evaluation("beside").filter(pl.col("component").is_not_null() & (pl.col("method") != "promise"))
        return {"judged": judged, "label": "PR-AUC (1 is perfect), 95 % intervals over vehicles"}

    def promised(self) -> Table:
        """By how much the leaky split flatters, over all components."""
        found = self.metrics("evaluate")
        sides = {"by asset and time": "honest", "by row": "leaky", "promised too much": "promise"}
        rows = [
            (
                title,
                number(found[f"pr_auc_{side}"]),
                interval(found[f"pr_auc_{side}_low"], found[f"pr_auc_{side}_high"]),
            )
            for title, side in sides.items()
        ]
        return Table.of(("split", "PR-AUC, mean over components", "95 % interval"), rows, numeric=(1, 2))

    def unseen_modes(self) -> Table:
        """Failures of each fault mode, found by trees that learnt from the mode and by trees that did not."""
        modes, rows = self.evaluation("modes"), []
        for component, mode in modes.select("component", "mode").unique(maintain_order=True).iter_rows():
            own = {
                row["training"]: row
                for row in modes.iter_rows(named=True)
                if (row["component"], row["mode"]) == (component, mode)
            }
            learnt, unseen = own["learnt"], own["unseen"]
            rows.append(
                (
                    f"{component}: {mode}" if mode else "all of these",
                    count(unseen["failures"]),
                    _share(learnt, "recall"),
                    _share(unseen, "recall"),
                    _lead(learnt),
                    _lead(unseen),
                    number(unseen["false_alarms"], digits=2),
                )
            )
        headers = (
            "fault mode",
            "failures",
            "found, mode learnt",
            "found, mode held out",
            "lead, learnt",
            "lead, held out",
            "false alarms",
        )
        caption = (
            "Both at the same false alarms of the component per vehicle and month (shown: those of the trees without "
            "the mode); in brackets 95 % intervals, drawn over vehicles."
        )
        nothing = [("none has two modes with failures enough", *[MISSING] * 6)]
        last = [len(rows) - 1] if rows else []
        return Table.of(headers, rows or nothing, caption=caption, numeric=range(1, 7), emphasis=last)

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


def _with_ends(value: Interval | None) -> str:
    return MISSING if value is None else f"{number(value.mean)} ({interval(value.low, value.high, digits=2)})"


def _share(row: Mapping[str, Any], name: str) -> str:
    low, high = (percent(row[f"{name}_{end}"], digits=0) for end in ("low", "high"))
    return f"{percent(row[name], digits=0)} ({low} … {high})"


def _lead(row: Mapping[str, Any]) -> str:
    """Median days from the first alert in time."""
    if row["lead_hours"] is None:
        return MISSING
    days, low, high = (row[f"lead_hours{end}"] / HOURS_PER_DAY for end in ("", "_low", "_high"))
    return f"{quantity(days, 'd', digits=2)} ({interval(low, high, digits=2)})"
