"""The job shop's orders, for the page on scheduling: the plan, the methods, what breakdowns leave of both.

Files are in minutes; people read hours.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import polars as pl

from twinloop.contracts import Plan
from twinloop.numbers import MISSING, Interval, interval, number, percent, quantity
from twinloop.reporting.figures.planning import Hedge
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.scheduling.critical import critical_path
from twinloop.scheduling.execution.downtime import realised_plan
from twinloop.scheduling.files.shop_json import read_shop
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import JobShop
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import FactoryOutputs

MINUTES_PER_HOUR = 60
TARDINESS, MAKESPAN = "weighted tardiness (hours × weight)", "end of the last order (hours)"
PARTS = {
    "work": "work",
    "set-up": "set-up",
    "transport": "transport",
    "release": "before the first order came",
    "material": "waiting for material",
    "frozen": "decided earlier",
    "closed": "closed: no shift, break, maintenance",
    "idle": "left unused",
    "overlap": "steps that follow without waiting begin sooner",
}


# Figures of windows: title and what they are divided by.
WORTH = {
    "cost": ("cost (€)", 1),
    "failures": ("failures of machines that wear", 1),
    "failure_cost": ("of these failures (€)", 1),
    "maintenance_cost": ("of maintenance (€)", 1),
    "weighted_tardiness": ("weighted tardiness (hours × weight)", MINUTES_PER_HOUR),
    "makespan": ("end of the last order (hours)", MINUTES_PER_HOUR),
}


class Orders(FactoryOutputs):
    """What the schedule stage left."""

    @cached_property
    def shop(self) -> JobShop:
        """Machines and orders."""
        return read_shop(self.path(paths.SCHEDULE / "problem.json"))

    @cached_property
    def plan(self) -> Plan:
        """The chosen method's plan."""
        return Plan.load(self.path(paths.SCHEDULE / "plan.parquet"))

    @cached_property
    def methods(self) -> pl.DataFrame:
        """One row per method that has a plan, the chosen one first."""
        return self.table(paths.SCHEDULE / "comparison.parquet").filter(pl.col("objective").is_not_null())

    @property
    def chosen(self) -> str:
        """The method whose plan is used."""
        return str(self.metrics("schedule")["method"])

    def summary(self) -> Table:
        """The order book, and what its plan promises and keeps."""
        found = self.metrics("schedule")
        late = estimate(found, "tardiness").within(0)
        realised = interval(late.low, late.high, "h")
        best = found["best_rule"]
        rows = [
            ("orders, steps, machines", f"{found['orders']}, {found['operations']}, {len(self.shop.machines)}"),
            ("pieces right first time on the line (page 6)", percent(found["first_pass_yield"])),
            ("plan", f"{found['method']} ({found['status']}, a better plan saves at most {percent(found['gap'])})"),
            ("end of the last order, planned", quantity(found["makespan_planned"], "h")),
            ("end of the last order, executed (mean)", quantity(found["makespan_realised"], "h")),
            ("weighted tardiness, planned", quantity(found["planned_tardiness"], "h")),
            ("weighted tardiness, executed", f"{quantity(found['tardiness'], 'h')} (95 % interval {realised})"),
        ]
        if best:
            gain = interval(found["gain_over_best_rule_low"], found["gain_over_best_rule_high"], "h", sign=True)
            saved = quantity(found["gain_over_best_rule"], "h", sign=True)
            rows.append((f"saved against the best other method ({best}), executed", f"{saved} (95 % interval {gain})"))
        return Table.of(("", "this shop"), rows)

    def products(self) -> dict[str, str]:
        """Order → product: orders are named number_product."""
        return {job.name: job.name.partition("_")[2] for job in self.shop.jobs}

    def gantt(self) -> dict[str, Any]:
        """Arguments of `figures.scheduling.gantt`."""
        return {"shop": self.shop, "plan": self.plan, "groups": self.products()}

    def executed(self) -> dict[str, Any]:
        """Arguments of `figures.scheduling.gantt`: one execution of the plan, and where the plan had its operations."""
        return {
            "shop": self.shop,
            "plan": realised_plan(self.table(paths.SCHEDULE / "executed.parquet")),
            "groups": self.products(),
            "downtime": self.table(paths.SCHEDULE / "downtime.parquet"),
            "planned": self.plan,
            "title": "One execution",
        }

    def load(self) -> pl.DataFrame:
        """Argument of `figures.scheduling.machine_load`."""
        return self.table(paths.SCHEDULE / "load.parquet")

    def makespan_parts(self) -> Table:
        """What the critical path is made of, and the machine that carries most of it."""
        path = critical_path(self.shop, self.plan)
        rows = [
            (PARTS[part], quantity(time / MINUTES_PER_HOUR, "h"), percent(time / self.plan.makespan))
            for part, time in sorted(path.parts.items(), key=lambda item: -item[1])
        ]
        machine, carried = next(iter(path.carried.items()))
        share = percent(carried / self.plan.makespan)
        caption = f"{len(path.steps)} steps lie on the critical path; {machine} carries {share} of its time"
        headers = ("on the critical path", "time", "share of the time until the last order ends")
        return Table.of(headers, rows, caption=caption, numeric=(1, 2))

    def search(self) -> dict[str, Any]:
        """Arguments of `figures.planning.incumbents`; the others answer at once."""
        trace, label = self.table(paths.INCUMBENTS), self.goal
        searched = set(trace["method"])
        at_once = {
            row["method"]: row["objective"] / MINUTES_PER_HOUR
            for row in self.methods.iter_rows(named=True)
            if row["method"] not in searched
        }
        return {"trace": trace, "label": label, "scale": MINUTES_PER_HOUR, "at_once": at_once}

    @property
    def goal(self) -> str:
        """What the plan was to make small, with its unit: the planned figure that the objective equals."""
        row = self.methods.row(0, named=True)
        return MAKESPAN if row["objective"] == row["planned_makespan"] != row["planned_tardiness"] else TARDINESS

    def front(self) -> dict[str, Any]:
        """Arguments of `figures.planning.pareto_front`."""
        rows = self.table(paths.SCHEDULE / "pareto.parquet")
        pairs = rows.select("makespan", "weighted_tardiness").iter_rows()
        used = (self.plan.makespan, self.shop.weighted_tardiness(job_ends(self.plan)))
        return {
            "points": [(first / MINUTES_PER_HOUR, second / MINUTES_PER_HOUR) for first, second in pairs],
            "proved": rows["proved"].to_list(),
            "labels": (MAKESPAN, TARDINESS),
            "chosen": (used[0] / MINUTES_PER_HOUR, used[1] / MINUTES_PER_HOUR),
        }

    @property
    def _measure(self) -> str:
        return "makespan" if self.goal == MAKESPAN else "weighted_tardiness"

    def what_if(self) -> dict[str, Any]:
        """Arguments of `figures.planning.what_if`."""
        columns = [f"{self._measure}_{end}" for end in ("difference", "low", "high")]
        found = {
            row["change"]: _hours(row, *columns)
            for row in self.table(paths.SCHEDULE / "whatif.parquet").iter_rows(named=True)
        }
        return {"differences": found, "label": self.goal}

    def maintained(self) -> dict[str, Any]:
        """Arguments of `figures.scheduling.gantt`: the plan with its windows for maintenance."""
        shop, plan = (
            read_shop(self.path(paths.SCHEDULE / "maintained.json")),
            Plan.load(self.path(paths.SCHEDULE / "maintained.parquet")),
        )
        return {"shop": shop, "plan": plan, "groups": self.products(), "title": "The plan with its maintenance"}

    def windows_sentence(self) -> Table:
        """What the windows are worth as one sentence, in a table of one row."""
        sentence = self.json(paths.SCHEDULE / "windows.json")["sentence"]
        return Table.of(("maintenance in this plan",), [(sentence,)])

    def windows(self) -> Table:
        """Every machine that wears: what is foreseen of it by what, and its window, where one is worth it."""
        rows = [
            (
                row["machine"],
                row["foreseen_by"],
                number(row["failures"]),
                MISSING if row["start"] is None else _span(row["start"], row["end"]),
                quantity(row["failure_cost_before"], "€"),
                quantity(row["failure_cost"] + row["maintenance_cost"], "€"),
            )
            for row in self.table(paths.SCHEDULE / "windows.parquet").iter_rows(named=True)
        ]
        headers = ("machine", "foreseen by", "failures expected", "window (hours)", "without it", "with it")
        caption = "What failures and maintenance are expected to cost in this plan"
        return Table.of(headers, rows, caption=caption, numeric=range(2, 6))

    def windows_worth(self) -> dict[str, Any]:
        """Arguments of `figures.planning.method_comparison`: the plan executed without and with its windows."""
        cost = [
            row
            for row in self.table(paths.SCHEDULE / "windows_worth.parquet").iter_rows(named=True)
            if row["figure"] == "cost"
        ]
        results = {
            f"{name} windows": estimate(row, *(f"{name}_{end}" for end in ("mean", "low", "high")))
            for row in cost
            for name in ("without", "with")
        }
        label = "failures, maintenance and delay of one execution (€)"
        return {"results": results, "label": label, "title": "What the windows are worth", "chosen": "with windows"}

    def windows_differences(self) -> Table:
        """Every figure of the executions without and with windows, and the paired difference."""
        rows = []
        for row in self.table(paths.SCHEDULE / "windows_worth.parquet").iter_rows(named=True):
            title, scale = WORTH[row["figure"]]
            without, with_them, difference, low, high = (
                row[name] / scale
                for name in ("without_mean", "with_mean", "difference_mean", "difference_low", "difference_high")
            )
            paired = f"{number(difference, sign=True)} ({interval(low, high, sign=True)})"
            rows.append((title, number(without), number(with_them), paired))
        headers = ("in one execution", "without windows", "with windows", "difference (95 % interval)")
        return Table.of(headers, rows, numeric=range(1, 4))

    @cached_property
    def _reactions(self) -> pl.DataFrame:
        return self.table(paths.SCHEDULE / "reactions.parquet")

    def reactions(self) -> dict[str, Any]:
        """Arguments of `figures.planning.method_comparison`: ways to react, executed under the same disturbances."""
        results = {
            row["method"]: _hours(row, *(f"{self._measure}_{end}" for end in ("mean", "low", "high")))
            for row in self._reactions.iter_rows(named=True)
        }
        return {"results": results, "label": self.goal, "title": "Reacting to what happens", "chosen": "repair"}

    def reacted(self) -> Table:
        """Each way to react: what it saves against the first, how often it acts and how much it moves."""
        rows = []
        for row in self._reactions.iter_rows(named=True):
            saved = MISSING
            if row[f"{self._measure}_difference"] is not None:
                found = _hours(row, *(f"{self._measure}_difference{end}" for end in ("", "_low", "_high")))
                saved = f"{number(found.mean, sign=True)} ({interval(found.low, found.high, sign=True)})"
            moved = row["moved_mean"] / MINUTES_PER_HOUR
            rows.append((row["method"], saved, number(row["reactions_mean"]), number(moved)))
        headers = ("", "difference (95 % interval)", "reactions in one execution", "hours that starts are moved")
        return Table.of(headers, rows, caption=self.goal.capitalize(), numeric=range(1, 4))

    @cached_property
    def hedges(self) -> list[Hedge]:
        """Plans with more and more slack (or weight of the risk), each promised and executed, in hours."""
        return [
            Hedge(
                f"slack {row['slack']:g}" if row["slack"] is not None else f"risk weight {row['risk_weight']:g}",
                row["planned"] / MINUTES_PER_HOUR,
                _hours(row, "realised_mean", "realised_low", "realised_high"),
                _hours(row, "cvar", "cvar_low", "cvar_high"),
                Interval(row["kept"], row["kept_low"], row["kept_high"]),
            )
            for row in self.table(paths.SCHEDULE / "robustness.parquet").iter_rows(named=True)
        ]

    def robustness(self) -> dict[str, Any]:
        """Arguments of `figures.planning.price_of_robustness`."""
        return {"hedges": self.hedges, "label": self.goal}

    def kept(self) -> Table:
        """What each of these plans promises, and how often executions keep it."""
        rows = [
            (
                hedge.name,
                number(hedge.promised),
                number(hedge.mean.mean),
                number(hedge.worst.mean),
                percent(hedge.kept.mean, digits=0),
                interval(100 * hedge.kept.low, 100 * hedge.kept.high, "%"),
            )
            for hedge in self.hedges
        ]
        headers = ("plan", "promised", "executed", "worst tenth", "promise kept", "95 % interval")
        return Table.of(headers, rows, caption=self.goal.capitalize(), numeric=range(1, 6))

    def tardiness_by_method(self) -> dict[str, Any]:
        """Arguments of `figures.planning.method_comparison`, under breakdowns."""
        results = {
            row["method"]: _hours(row, *(f"tardiness_{end}" for end in ("mean", "low", "high"))).within(0)
            for row in self.methods.iter_rows(named=True)
        }
        return {"results": results, "label": TARDINESS, "title": "Methods under breakdowns", "chosen": self.chosen}

    def comparison(self) -> Table:
        """Every method: what its plan promises, what is kept on average and in the worst tenth."""
        rows = [
            (
                row["method"],
                number(row["planned_tardiness"] / MINUTES_PER_HOUR),
                number(row["tardiness_mean"] / MINUTES_PER_HOUR),
                interval(max(row["tardiness_low"], 0) / MINUTES_PER_HOUR, row["tardiness_high"] / MINUTES_PER_HOUR),
                number(row["tardiness_cvar"] / MINUTES_PER_HOUR),
                number(row["makespan_mean"] / MINUTES_PER_HOUR),
            )
            for row in self.methods.iter_rows(named=True)
        ]
        headers = ("method", "tardiness planned", "executed", "95 % interval", "worst tenth", "last order ends")
        caption = "Tardiness in hours × weight, the end of the last order in hours"
        chosen = [place for place, row in enumerate(rows) if row[0] == self.chosen]
        return Table.of(headers, rows, caption=caption, numeric=range(1, 6), emphasis=chosen)

    def executed_tardiness(self) -> dict[str, Any]:
        """Arguments of `figures.planning.planned_against_executed`."""
        return self._executed(
            "weighted_tardiness", "planned_tardiness", TARDINESS, "Lateness: planned against executed"
        )

    def executed_makespan(self) -> dict[str, Any]:
        """Arguments of `figures.planning.planned_against_executed`."""
        title = "End of the last order: planned against executed"
        return self._executed("makespan", "planned_makespan", MAKESPAN, title)

    def late(self) -> Table:
        """Orders that end after their due date in the plan, the worst first."""
        ends = job_ends(self.plan)
        jobs = [job for job in self.shop.jobs if job.due is not None and ends[job.name] > job.due]
        rows = [
            (
                job.name,
                quantity((job.due or 0) / MINUTES_PER_HOUR, "h"),
                quantity(delay / MINUTES_PER_HOUR, "h"),
                job.weight,
            )
            for delay, job in sorted(
                ((ends[job.name] - (job.due or 0), job) for job in jobs), key=lambda pair: -pair[0]
            )
        ]
        nothing = [("none", MISSING, MISSING, MISSING)]
        return Table.of(("order", "due", "late by", "weight"), rows or nothing, numeric=(1, 2, 3))

    def _executed(self, realised: str, planned: str, label: str, title: str) -> dict[str, Any]:
        runs = self.table(paths.SCHEDULE / "replications.parquet")
        names = self.methods["method"].to_list()
        return {
            "executed": {
                name: runs.filter(pl.col("method") == name)[realised].to_numpy() / MINUTES_PER_HOUR for name in names
            },
            "planned": {row["method"]: row[planned] / MINUTES_PER_HOUR for row in self.methods.iter_rows(named=True)},
            "label": label,
            "title": title,
        }


def _span(start: int, end: int) -> str:
    return f"{number(start / MINUTES_PER_HOUR)} to {number(end / MINUTES_PER_HOUR)}"


def _hours(row: Mapping[str, Any], *columns: str) -> Interval:
    """Value, low and high of columns in minutes."""
    return Interval(*(row[column] / MINUTES_PER_HOUR for column in columns))
