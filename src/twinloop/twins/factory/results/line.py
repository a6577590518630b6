"""The simulated line, for the first page and the page on simulation: earnings, losses, what to change first."""

from functools import cached_property
from typing import Any

import polars as pl

from twinloop.numbers import MISSING, Interval, count, interval, number, percent, quantity
from twinloop.reporting.levers import PROFIT, TODAY, lever_table, profit_curve
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import CURRENCY, FactoryOutputs

SHARES = {"oee", "availability", "performance", "quality", "first_pass_yield"}
HEADLINES = (
    PROFIT,
    "throughput_per_day",
    "oee",
    "escape_ppm",
    "good_scrapped_per_day",
    "first_pass_yield",
    "wip",
    "cycle_time_min",
    "down_hours_per_day",
)


class ProductionLine(FactoryOutputs):
    """What the simulate stage left."""

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The twin's answer: its sentence and the figures in it."""
        found: dict[str, Any] = self.json(paths.SIMULATION / "answer.json")
        return found

    @cached_property
    def scenarios(self) -> pl.DataFrame:
        """One row per scenario and key figure."""
        return self.table(paths.SIMULATION / "scenarios.parquet")

    @cached_property
    def sensitivity(self) -> pl.DataFrame:
        """One row per lever, best first; last, without a rank, the best of each kind together."""
        return self.table(paths.SIMULATION / "sensitivity.parquet")

    def profit_curve(self) -> dict[str, Any]:
        """Arguments of `figures.simulation.profit_against_threshold`."""
        return profit_curve(self.table(paths.SIMULATION / "threshold_curve.parquet"), currency=CURRENCY)

    def key_figures(self, scenario: str = TODAY) -> Table:
        """The line's key figures in one scenario."""
        rows = [
            (row["title"], _shown(row, "mean"), interval_of(row))
            for row in self._of(scenario).iter_rows(named=True)
            if row["kpi"] in HEADLINES
        ]
        return Table.of(("key figure", scenario, "95 % interval"), rows, numeric=(1, 2))

    def mean(self, kpi: str, scenario: str = TODAY) -> float:
        """Mean of one key figure in one scenario."""
        return float(self._of(scenario).filter(pl.col("kpi") == kpi)["mean"].item())

    def changes(self) -> Table:
        """What was changed, one thing at a time: by how much it pays per day, and how sure that is."""
        return lever_table(self.sensitivity, answer=self.answer, currency=CURRENCY)

    def levers(self) -> dict[str, Interval]:
        """Lever → net gain per day."""
        ranked = self.sensitivity.filter(pl.col("rank").is_not_null())
        return {
            row["name"]: estimate(row, "gain_per_day", "gain_low", "gain_high") for row in ranked.iter_rows(named=True)
        }

    def scenario_changes(self, kpi: str = "throughput_per_day") -> dict[str, Interval]:
        """Scenario → paired change of a key figure against today."""
        chosen = self.scenarios.filter((pl.col("kpi") == kpi) & (pl.col("scenario") != TODAY))
        return {
            row["scenario"]: estimate(row, "change", "change_low", "change_high")
            for row in chosen.iter_rows(named=True)
        }

    def factors(self, scenario: str = TODAY) -> dict[str, float]:
        """Arguments of `figures.simulation.oee_waterfall`."""
        availability, performance = (self.mean(name, scenario) for name in ("availability", "performance"))
        # The product of means differs a little from the mean of products; the last factor takes it.
        quality = self.mean("oee", scenario) / (availability * performance)
        return {"availability": availability, "performance": performance, "quality": quality}

    def states(self, scenario: str = TODAY) -> dict[str, dict[str, float]]:
        """Entity → state → share of time."""
        found = self.table(paths.SIMULATION / "states.parquet").filter(pl.col("scenario") == scenario)
        shares: dict[str, dict[str, float]] = {}
        for row in found.iter_rows(named=True):
            shares.setdefault(row["entity"], {})[row["state"]] = row["share"]
        return shares

    def policies(self) -> pl.DataFrame:
        """Argument of `figures.decisions.maintenance_policies`: one row per maintenance policy and figure."""
        return self.table(paths.SIMULATION / "maintenance.parquet")

    def foresight(self) -> Table:
        """How well failures are foreseen at the alarm that the predictive policy acts from, in fresh runs."""
        found = self.metrics("simulate")
        by = "its sensors" if found["foreseen_by"] == "sensors" else "its age alone: too few to learn from sensors"
        rows = [
            ("failures are foreseen by", by),
            ("failures it learnt from", count(found["failures_learnt_from"])),
            ("failures foreseen in fresh runs", percent(found["failures_foreseen"], digits=0)),
            ("half of them at least so early", quantity(found["lead_hours_median"], "h of work")),
            ("false alarms in 100 h of work", number(found["false_alarms_per_100_hours"])),
        ]
        return Table.of(("the machine that wears", "its predictor"), rows)

    @cached_property
    def optimum(self) -> dict[str, Any]:
        """What the search for the best line found: its sentence, objective, and what was measured afterwards."""
        found: dict[str, Any] = self.json(paths.SIMULATION / "optimisation.json")
        return found

    def optimisation(self) -> dict[str, Any]:
        """Arguments of `figures.decisions.optimisation_history`."""
        measured = {name: self.optimum[name] for name in ("today", "gain")}
        return {
            "trials": self.table(paths.SIMULATION / "optimisation.parquet"),
            **{name: found and estimate(found, "mean", "low", "high") for name, found in measured.items()},
            "what": self.optimum["title"].lower(),
            "unit": self.optimum["unit"],
        }

    def optimum_table(self) -> Table:
        """What the search found as one sentence, in a table of one row."""
        return Table.of(("the best line that was found",), [(self.optimum["sentence"],)])

    def answer_table(self) -> Table:
        """The answer as one sentence, in a table of one row."""
        return Table.of(("the answer",), [(self.answer["sentence"],)])

    def _of(self, scenario: str) -> pl.DataFrame:
        return self.scenarios.filter(pl.col("scenario") == scenario)


def interval_of(row: dict[str, Any]) -> str:
    """The interval of a key figure's row, in its unit."""
    if row["mean"] is None:
        return MISSING
    value = estimate(row, "mean", "low", "high")
    if row["kpi"] in SHARES or row["kpi"].endswith("_share"):
        return interval(100 * value.low, 100 * value.high, "%")
    return interval(value.low, value.high, row["unit"])


def _shown(row: dict[str, Any], column: str) -> str:
    if row["kpi"] in SHARES or row["kpi"].endswith("_share"):
        return percent(row[column])
    return quantity(row[column], row["unit"])
