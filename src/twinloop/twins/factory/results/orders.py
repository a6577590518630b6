"""The job shop's orders, for the page on scheduling: the plan, the methods, what breakdowns leave of both.

Files are in minutes; people read hours.
"""

from functools import cached_property
from typing import Any

import polars as pl

from twinloop.contracts import Plan
from twinloop.numbers import MISSING, Estimate, interval, number, percent, quantity
from twinloop.reporting.tables import Table
from twinloop.scheduling.files.shop_json import read_shop
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import JobShop
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import FactoryOutputs

MINUTES_PER_HOUR = 60
TARDINESS = "weighted tardiness (hours × weight)"


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
        realised = interval(found["tardiness_low"], found["tardiness_high"], "h")
        best = found["best_rule"]
        rows = [
            ("orders, steps, machines", f"{found['orders']}, {found['operations']}, {len(self.shop.machines)}"),
            ("pieces right first time on the line (page 6)", percent(found["first_pass_yield"])),
            ("plan", f"{found['method']} ({found['status']}, at most {percent(found['gap'])} above the best possible)"),
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

    def late_names(self) -> list[str]:
        """Orders that the plan ends after their due date."""
        ends = job_ends(self.plan)
        return [job.name for job in self.shop.jobs if job.due is not None and ends[job.name] > job.due]

    def gantt(self) -> dict[str, Any]:
        """Arguments of `figures.scheduling.gantt`."""
        return {"plan": self.plan, "machines": self.shop.machines, "groups": self.products(), "late": self.late_names()}

    def interactive(self) -> dict[str, Any]:
        """Arguments of `figures.scheduling.gantt_interactive`."""
        due = {job.name: job.due for job in self.shop.jobs}
        return {"plan": self.plan, "machines": self.shop.machines, "groups": self.products(), "due": due}

    def tardiness_by_method(self) -> dict[str, Any]:
        """Arguments of `figures.scheduling.method_comparison`, under breakdowns."""
        results = {
            row["method"]: Estimate(*(row[f"tardiness_{end}"] / MINUTES_PER_HOUR for end in ("mean", "low", "high")))
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
                interval(row["tardiness_low"] / MINUTES_PER_HOUR, row["tardiness_high"] / MINUTES_PER_HOUR),
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
        """Arguments of `figures.scheduling.planned_against_executed`."""
        return self._executed(
            "weighted_tardiness", "planned_tardiness", TARDINESS, "Lateness: planned against executed"
        )

    def executed_makespan(self) -> dict[str, Any]:
        """Arguments of `figures.scheduling.planned_against_executed`."""
        label, title = "end of the last order (hours)", "End of the last order: planned against executed"
        return self._executed("makespan", "planned_makespan", label, title)

    def late(self) -> Table:
        """Orders that end after their due date in the plan, the worst first."""
        ends = job_ends(self.plan)
        jobs = [self.shop.by_name[name] for name in self.late_names()]
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
