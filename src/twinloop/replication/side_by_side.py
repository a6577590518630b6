"""Scenarios beside the system as it is, on the same random numbers: what surely changes, and which may be the best.

Several comparisons at once find something by chance more often than one: intervals hold together (Bonferroni), and
what is called sure is so after Holm's adjustment.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from twinloop.errors import InputError
from twinloop.html import table
from twinloop.numbers import MISSING
from twinloop.replication.result import Comparison, Result, warned
from twinloop.replication.selection import subset
from twinloop.replication.statistics import holm, interval, p_value

TODAY = "today"
MOST_SHOWN = 3
SCHEMA = {
    "scenario": pl.String,
    **dict.fromkeys(("mean", "low", "high", "change", "change_low", "change_high", "p"), pl.Float64),
    "sure": pl.Boolean,
}


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Results by name, the system as it is first; `results["second server"]` is its paired comparison with today.

    A key figure that is not named is the first of the table. shown: those of the face; the first three of the table
    where it has none of them.
    """

    shown: ClassVar[tuple[str, ...]] = ()
    results: Mapping[str, Result]

    @property
    def today(self) -> Result:
        """The system as it is."""
        return next(iter(self.results.values()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __getitem__(self, name: str) -> Comparison:
        """What the scenario of that name changes. Raises InputError for a name that does not exist."""
        if name not in self.results:
            raise InputError(f"unknown scenario {name!r}; known: {', '.join(self.results)}")
        return self.today.compare(self.results[name])

    def frame(self, kpi: str | None = None) -> pl.DataFrame:
        """One row per scenario: scenario, mean, low, high, change, change_low, change_high, p, sure.

        low and high are those of each mean alone; the changes' intervals hold all at once. p is Holm's, and sure says
        that it is below one minus the confidence; both are null for the system as it is. Where a system never settles
        and the figure has no mean, what would need it is null, and nothing sure.
        """
        kpi, today = kpi or next(iter(self.today.kpis)), self.today
        others = [result for result in list(self.results.values())[1:] if today.has_mean(kpi) and result.has_mean(kpi)]
        changes = [result.sample(kpi) - today.sample(kpi) for result in others]
        chance = 1 - today.confidence
        p = holm([p_value(change) for change in changes])
        compared: dict[str, tuple[object, ...]] = {today.name: (0.0, 0.0, 0.0, None, None)}
        for result, change, probability in zip(others, changes, p.tolist(), strict=True):
            ends = today.kpis[kpi].change_within(interval(change, confidence=1 - chance / len(others)))
            compared[result.name] = (ends.mean, ends.low, ends.high, probability, probability < chance)
        unknown = (None, None, None, None, False)
        rows = [(name, *result.ends(kpi), *compared.get(name, unknown)) for name, result in self.results.items()]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def best(self, kpi: str | None = None, *, smallest: bool = False) -> tuple[str, ...]:
        """The scenarios that may be the best: the largest mean of `kpi`, or the smallest, is surely among them.

        Raises RunError for a mean that does not exist.
        """
        name, sign = kpi or next(iter(self.today.kpis)), -1.0 if smallest else 1.0
        for result in self.results.values():
            result[name]
        figures = {scenario: sign * result.values(name) for scenario, result in self.results.items()}
        return subset(figures, confidence=self.today.confidence)

    def conditions(self) -> str:
        """How every scenario was run, in words."""
        return f"{len(self.today.replications)} replications each, same random numbers"

    def _repr_html_(self) -> str:
        kpis = self.today.kpis
        shown = [name for name in self.shown if name in kpis] or tuple(kpis)[:MOST_SHOWN]
        frames = {name: self.frame(name) for name in shown}
        rows = []
        for place, scenario in enumerate(self):
            cells = [scenario]
            for name, frame in frames.items():
                row, text = frame.row(place, named=True), kpis[name].text
                ends = f"{text(row['change_low'])} … {text(row['change_high'])}"
                mark = "" if row["sure"] else " (not sure)"
                change = MISSING if row["change"] is None else f"{ends}{mark}"
                cells += [text(row["mean"]), change if place else ""]
            rows.append(cells)
        caption = (
            f"{self.conditions()}; intervals of the changes hold together at {100 * self.today.confidence:g} %; "
            f"most {next(iter(kpis.values())).title.lower()}: {' or '.join(self.best())}"
        )
        face = table(caption, ("", *(cell for name in shown for cell in (kpis[name].heading, "change"))), rows)
        return warned(face, [result.warning for result in self.results.values()])
