"""Policies and the workshop's book, for the first page and the page on workshop and policy."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from twinloop.numbers import MISSING, Interval, count, interval, number, percent, quantity
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.scheduling.booking.figures import calendar_face
from twinloop.simulation.fleet.comparison import INTERVAL, ORACLE, WEAR
from twinloop.simulation.fleet.record import COST, KPIS
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.results.base import CURRENCY, FleetOutputs

FAILURES, AVAILABILITY = "failures", "availability"


@dataclass(frozen=True)
class Face:
    """Safe markup that shows itself in a notebook and on a page."""

    markup: str

    def __html__(self) -> str:
        return self.markup

    def _repr_html_(self) -> str:
        return self.markup


class Workshop(FleetOutputs):
    """What simulate and schedule left."""

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The twin's answer: its sentence and the figures in it."""
        found: dict[str, Any] = self.json(paths.ANSWER)
        return found

    def answer_table(self) -> Table:
        """The answer as one sentence, in a table of one row."""
        return Table.of(("the answer",), [(self.answer["sentence"],)])

    @cached_property
    def compared(self) -> pl.DataFrame:
        """One row per policy and key figure, the cheapest policy first (`FleetComparison.frame`)."""
        return self.table(paths.SIMULATION / "policies.parquet")

    @property
    def names(self) -> list[str]:
        """The policies, the cheapest first; last those that nobody can follow."""
        return list(dict.fromkeys(self.compared["policy"]))

    def kpi(self, policy: str, kpi: str) -> Interval:
        """A key figure under a policy."""
        (row,) = self.compared.filter((pl.col("policy") == policy) & (pl.col("kpi") == kpi)).to_dicts()
        return estimate(row, "mean", "low", "high")

    def saved(self, policy: str) -> Interval | None:
        """Euro per vehicle-day saved against the best fixed intervals, paired; None for these themselves."""
        if policy == INTERVAL:
            return None
        (row,) = self.compared.filter((pl.col("policy") == policy) & (pl.col("kpi") == COST)).to_dicts()
        return Interval(-row["difference"], -row["difference_high"], -row["difference_low"])

    def policies(self) -> dict[str, Any]:
        """Arguments of `figures.workshop.policies`."""
        rows = []
        for name in self.names:
            cost, failures, saved = self.kpi(name, COST), self.kpi(name, FAILURES), self.saved(name)
            ends = (saved.mean, saved.low, saved.high) if saved else (None, None, None)
            rows.append((name, cost.mean, cost.low, cost.high, *ends, failures.mean, failures.low, failures.high))
        columns = ["mean", "low", "high", *(f"{kind}{end}" for kind in ("saved", "failures") for end in ENDS)]
        schema = {"policy": pl.String, **dict.fromkeys(columns, pl.Float64)}
        return {
            "found": pl.DataFrame(rows, schema=schema, orient="row"),
            "unit": KPIS[COST].unit,
            "failures_unit": KPIS[FAILURES].unit,
        }

    def changes(self) -> Table:
        """What each policy costs, what it saves and how sure that is, and what becomes of failures and visits."""
        rows = []
        for name in self.names:
            cost, saved = self.kpi(name, COST), self.saved(name)
            rows.append(
                (
                    name,
                    number(cost.mean),
                    interval(cost.low, cost.high),
                    number(saved.mean, sign=True) if saved else MISSING,
                    interval(saved.low, saved.high, sign=True) if saved else MISSING,
                    "a bound" if name in (WEAR, ORACLE) else verdict(saved),
                    percent(self.kpi(name, AVAILABILITY).mean),
                    number(self.kpi(name, FAILURES).mean),
                )
            )
        headers = ("policy", "cost", "95 % interval", "saved", "95 % interval", "how sure", "available", "failures")
        caption = (
            f"Cost and saving in {CURRENCY} per vehicle and day, saved against the best fixed intervals; failures on "
            "the road per vehicle and year. Bounds know what no sensor shows."
        )
        return Table.of(headers, rows, caption=caption, numeric=(1, 2, 3, 4, 6, 7), emphasis=(0,))

    @cached_property
    def about_book(self) -> dict[str, Any]:
        """first_day, fullest_day and reserve of the book."""
        found: dict[str, Any] = self.json(paths.SCHEDULE / "book.json")
        return found

    def scheduled(self, name: str) -> pl.DataFrame:
        """One of the book's tables."""
        return self.table(paths.SCHEDULE / f"{name}.parquet")

    @property
    def headings(self) -> list[str]:
        """Headings of the book's days."""
        first, count_ = self.about_book["first_day"], self.scheduled("load")["day"].n_unique()
        return [f"day {first + day}" for day in range(count_)]

    def book(self) -> Table:
        """The book in numbers."""
        found = self.metrics("schedule")
        reserve = ", ".join(
            f"{percent(share, digits=0)} of {skill}" for skill, share in self.about_book["reserve"].items()
        )
        rows = [
            ("vehicles whose risks may be worth a visit", count(found["candidates"])),
            ("visits agreed or proposed", count(found["visits"])),
            ("expected to be saved by them", quantity(found["expected_saving"], CURRENCY)),
            ("at most above the least possible cost", percent(found["gap"], digits=2)),
            ("proposals that customers declined", count(found["declined"])),
            ("waiting", count(found["waiting"])),
            ("minutes booked of those bookable", percent(found["utilisation"])),
            ("kept for failures on the road", reserve or "nothing"),
        ]
        return Table.of(("", "this book"), rows)

    def capacity(self) -> dict[str, Any]:
        """Arguments of `figures.workshop.capacity`."""
        return {"load": self.scheduled("load"), "days": self.headings}

    def calendar(self) -> Face:
        """Who comes on which day, how full each skill is, who waits."""
        tables = (self.scheduled(name) for name in ("calendar", "load", "waiting"))
        return Face(calendar_face(*tables, days=self.headings))

    def slots(self) -> Table:
        """What other days would cost the vehicle that saves most by coming."""
        found = self.scheduled("slots")
        rows = [
            (self.headings[row["day"]], quantity(row["cost"], CURRENCY, sign=True), count(row["moves"]))
            for row in found.iter_rows(named=True)
        ]
        asset = found["asset"][0] if len(found) else MISSING
        headers = ("day", "expected cost beyond the best day", "other vehicles that would move")
        return Table.of(headers, rows or [("none", "", "")], numeric=(1, 2), caption=f"Slots of {asset}")

    def day(self) -> dict[str, Any]:
        """Arguments of `figures.workshop.day_in_bays`: the fullest day."""
        number_, visits = self.about_book["fullest_day"], self.scheduled("visits")
        if number_ is None:
            nobody = {"asset": pl.String, "bay": pl.String, "start": pl.Int64, "end": pl.Int64}
            return {"visits": pl.DataFrame(schema=nobody), **_NO_DAY}
        calendar = self.scheduled("calendar").filter(pl.col("day") == number_)
        work = {row["asset"]: ", ".join(row["components"]) for row in calendar.iter_rows(named=True)}
        shown = visits.select(asset="job", bay="machine", start="start", end="end")
        bays = sorted(shown["bay"].unique())
        return {
            "visits": shown,
            "bays": bays,
            "opens": 0.0,
            "closes": float(max([*visits["due"].drop_nulls(), *visits["end"], 60])),
            "title": f"The fullest day: {self.headings[number_]}",
            "work": work,
        }

    def reactions(self) -> Table:
        """What surprises do to the fullest day, each answered by repairing its plan."""
        rows = [
            (
                row["event"],
                row["what"],
                count(row["moved"]),
                f"{row['finished_min'] / 60:.1f} h",
                ", ".join(row["left"]) or "nobody",
            )
            for row in self.scheduled("reactions").iter_rows(named=True)
        ]
        headers = ("surprise", "what happens", "visits moved", "last one ready after", "needs another day")
        return Table.of(headers, rows or [("none", "", "", "", "")], numeric=(2, 3))


ENDS = ("", "_low", "_high")
_NO_DAY: dict[str, Any] = {"bays": ["bay 1"], "opens": 0.0, "closes": 480.0, "title": "Nobody comes", "work": {}}


def verdict(saved: Interval | None) -> str:
    """What an interval allows to say."""
    if saved is None:
        return "the measure"
    if saved.low > 0:
        return "saves"
    return "costs more" if saved.high < 0 else "not sure"
