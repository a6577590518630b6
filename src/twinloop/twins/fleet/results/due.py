"""Who is due, why and when: risks, hours left, reasons and booked days of all assets in service, row by row."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import polars as pl

from twinloop.contracts import RiskTable
from twinloop.contracts.diagnosis import load_diagnoses
from twinloop.errors import InputError, nearest
from twinloop.numbers import interval, number, percent
from twinloop.reporting.tables import Table
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.results.base import FleetOutputs

HOURS_PER_DAY = 24.0
REASONS = 3


class Due(FleetOutputs):
    """What the predictor says now of every vehicle in service, and what the book makes of it."""

    @cached_property
    def risks(self) -> RiskTable:
        """Of all vehicles in service."""
        return RiskTable.load(self.path(paths.RISKS))

    @property
    def horizon_days(self) -> float:
        """How far the probabilities look ahead."""
        return float(self.risks.frame["horizon_hours"].max()) / HOURS_PER_DAY  # type: ignore[arg-type]

    @cached_property
    def booked(self) -> dict[tuple[str, str], int]:
        """Vehicle and component → number of the day of its visit; nothing before `fleet schedule` has run."""
        path = self.root / paths.SCHEDULE / "calendar.parquet"
        if not path.is_file():
            return {}
        first = self.json(paths.SCHEDULE / "book.json")["first_day"]
        visits = self.table(paths.SCHEDULE / "calendar.parquet")
        return {
            (row["asset"], component): first + row["day"]
            for row in visits.iter_rows(named=True)
            for component in row["components"]
        }

    def rows(self, *, asset: str | None = None, component: str | None = None) -> list[dict[str, Any]]:
        """Plain values per vehicle and component, the likeliest failure first.

        Raises InputError for a vehicle or a component that is not there.
        """
        frame = self.risks.frame.filter(pl.col("horizon_hours") == pl.col("horizon_hours").max())
        for name, wanted in (("asset", asset), ("component", component)):
            if wanted is None:
                continue
            known = sorted(frame[name].unique())
            if wanted not in known:
                raise InputError(f"risk: unknown {name} {wanted!r}; {_few(wanted, known)}")
            frame = frame.filter(pl.col(name) == wanted)
        left = self.table(paths.REMAINING).drop("within_horizon")
        frame = frame.join(left, on=["asset", "component"], how="left").sort(
            "probability", "asset", "component", descending=[True, False, False]
        )
        said = {(one.asset, one.component): one for one in load_diagnoses(self.path(paths.DIAGNOSES))}
        return [self._row(row, said.get((row["asset"], row["component"]))) for row in frame.iter_rows(named=True)]

    def _row(self, row: dict[str, Any], told: Any) -> dict[str, Any]:
        days = {
            f"days_left{end}": row[name] / HOURS_PER_DAY
            for end, name in (("", "median_h"), ("_low", "low_h"), ("_high", "high_h"))
        }
        return {
            **{name: row[name] for name in ("asset", "component", "probability", "low", "high", "severity", "cost")},
            **days,
            "booked_day": self.booked.get((row["asset"], row["component"])),
            "because": told.record()["contributions"] if told else [],
            "action": told.action if told else None,
        }

    def shown(self, rows: Sequence[dict[str, Any]]) -> Table:
        """The rows for a terminal."""
        cells = [
            (
                row["asset"],
                row["component"],
                percent(row["probability"], digits=0),
                f"{percent(row['low'], digits=0)} … {percent(row['high'], digits=0)}",
                f"{number(row['days_left'], digits=2)} "
                f"({interval(row['days_left_low'], row['days_left_high'], digits=2)})",
                "none" if row["booked_day"] is None else f"day {row['booked_day']}",
                ", ".join(
                    f"{one['feature']} {number(one['contribution'], digits=2, sign=True)}"
                    for one in row["because"][:REASONS]
                )
                or "age",
            )
            for row in rows
        ]
        within = f"fails within {number(self.horizon_days, digits=2)} days"
        headers = ("vehicle", "component", within, "members", "days left (80 %)", "visit", "because of (log odds)")
        nothing = ("none", *[""] * 6)
        return Table.of(headers, cells or (nothing,))


def _few(name: str, known: Sequence[str]) -> str:
    """What was probably meant, or the first of those that there are."""
    told = nearest(name, known)
    return told if told.startswith("did") or len(known) <= 6 else f"known: {', '.join(known[:6])} …"
