"""What the workshop will be asked for, for the page on demand."""

from functools import cached_property

import polars as pl

from twinloop.numbers import count, interval, number, percent
from twinloop.reporting.tables import Table
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.results.base import FleetOutputs


class Demand(FleetOutputs):
    """Weekly minutes of work by skill: foretold, and what came."""

    @cached_property
    def forecast(self) -> pl.DataFrame:
        """Argument of `figures.workshop.demand`: skill, week, low, median, high, naive, actual (null: ahead)."""
        return self.table(paths.DEMAND)

    def summary(self) -> Table:
        """How good forecasts of one week ahead were, against the last week's value."""
        found = self.metrics("evaluate")
        rows = [
            (
                "error of the forecast (MASE)",
                number(found["demand_mase"]),
                "mean absolute scaled error; below 1 is good",
            ),
            ("error of the last week's value (MASE)", number(found["demand_mase_naive"]), "what costs nothing to know"),
            ("weeks within the 80 % band", percent(found["demand_coverage"], digits=0), "80 % would be exact"),
        ]
        return Table.of(("figure", "weeks judged", "what it says"), rows, numeric=(1,), caption=self.sentence())

    def sentence(self) -> str:
        """Whether the forecast is worth having, in words."""
        found = self.metrics("evaluate")
        error, naive = found["demand_mase"], found["demand_mase_naive"]
        if error is None or naive is None:
            return "Nothing was foretold: the history is too short, or nothing was asked for in it."
        if error < naive:
            less = percent(1 - error / naive, digits=0)
            return f"The forecast's error is {less} less than that of the last week's value."
        return "The forecast is no better than the last week's value."

    def ahead(self) -> Table:
        """The weeks to come: median and 80 % band, by skill."""
        rows = [
            (
                row["skill"],
                count(row["week"]),
                number(row["median"]),
                interval(row["low"], row["high"]),
                number(row["naive"]),
            )
            for row in self.forecast.filter(pl.col("actual").is_null()).iter_rows(named=True)
        ]
        headers = ("skill", "week", "minutes (median)", "80 % band", "as the last week")
        return Table.of(headers, rows or [("none", "", "", "", "")], numeric=range(1, 5))

    def predicted(self) -> Table:
        """Failures that today's risks let expect if no vehicle comes before, by skill and week, with their minutes."""
        rows = [
            (
                row["skill"],
                count(row["week"]),
                number(row["jobs"]),
                number(row["minutes"]),
                number(row["variance"] ** 0.5),
            )
            for row in self.evaluation("predicted").iter_rows(named=True)
        ]
        headers = ("skill", "week", "failures expected", "minutes", "standard deviation (minutes)")
        return Table.of(headers, rows or [("none", "", "", "", "")], numeric=range(1, 5))
