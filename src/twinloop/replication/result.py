"""What many replications of a system say: key figures with intervals, and the paired difference to another result."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError, unknown
from twinloop.html import table
from twinloop.numbers import Interval, percent
from twinloop.replication.design import Design
from twinloop.replication.kpi import Kpis
from twinloop.replication.statistics import Sample, interval, paired, paired_ratio

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Result:
    """Replications of one system.

    replications: one row each with replication and every key figure.
    estimate: the same replications with the model's estimate instead of its draws; None where nothing is drawn.
    profile: mean over replications of what else the system tells; None where it tells nothing.
    """

    name: str
    design: Design
    kpis: Kpis
    replications: pl.DataFrame
    estimate: pl.DataFrame | None
    profile: Floats | None

    @property
    def seed(self) -> int:
        return self.design.seed

    @property
    def confidence(self) -> float:
        return self.design.confidence

    @property
    def precise_in(self) -> str:
        """The key figure whose precision counts."""
        return self.design.precision_of or next(iter(self.kpis))

    @property
    def precision(self) -> float:
        """Half-width of `precise_in` as a share of its mean; infinite around a mean of zero."""
        return self[self.precise_in].relative_half_width

    @property
    def reached(self) -> bool | None:
        """Whether the precision that was asked for is reached; None when none was."""
        return None if self.design.precision is None else self.precision <= self.design.precision

    def __getitem__(self, kpi: str) -> Interval:
        """The interval of one key figure."""
        return interval(self.sample(kpi), confidence=self.confidence)

    def values(self, kpi: str) -> Floats:
        """[replications] of one key figure. Raises InputError for a figure that does not exist."""
        if kpi not in self.kpis:
            raise unknown(f"{self.name}: key figure", kpi, self.kpis)
        return self.replications[kpi].to_numpy()

    def sample(self, kpi: str) -> Sample:
        """One key figure with what is not known about the model, for intervals and paired differences."""
        return Sample(self.values(kpi), None if self.estimate is None else self.estimate[kpi].to_numpy())

    def frame(self) -> pl.DataFrame:
        """One row per key figure: kpi, title, unit, mean, low, high."""
        rows = []
        for kpi, (title, unit) in self.kpis.items():
            ends = self[kpi]
            rows.append((kpi, title, unit, ends.mean, ends.low, ends.high))
        return pl.DataFrame(rows, schema=["kpi", "title", "unit", "mean", "low", "high"], orient="row")

    def compare(self, other: "Result") -> "Comparison":
        """What changes from this result to `other`, paired by replication.

        Raises InputError unless both were run alike: same seed, same replications, and whatever else pairs them.
        """
        mine, theirs = self.pairing(), other.pairing()
        if mine != theirs:
            *names, last = mine
            raise InputError(
                f"compare expects two runs with the same {', '.join(names)} and {last}, "
                f"got {_plain(mine)} and {_plain(theirs)}: run both with the same arguments"
            )
        return Comparison(baseline=self, other=other)

    def pairing(self) -> dict[str, object]:
        """By name what two results must have in common to be paired."""
        numbers = self.replications["replication"]
        return {"seed": self.seed, "replications": f"{numbers[0]} to {numbers[-1]}"}

    def caption(self) -> str:
        """What was run, in words."""
        return f"{self.name}: {len(self.replications)} replications{self.verdict()}"

    def verdict(self) -> str:
        """What became of the precision that was asked for; nothing where none was."""
        if self.design.precision is None:
            return ""
        what = self.kpis[self.precise_in].title.lower()
        met = "as asked" if self.reached else f"not the {percent(self.design.precision)} asked for"
        return f"; {what} within ±{percent(self.precision)}, {met}"

    def _repr_html_(self) -> str:
        rows = []
        for name, kpi in self.kpis.items():
            ends = self[name]
            rows.append(
                (kpi.title, f"{kpi.text(ends.mean)} {kpi.unit}", f"{kpi.text(ends.low)} … {kpi.text(ends.high)}")
            )
        return table(self.caption(), ("", "mean", f"{100 * self.confidence:g} % interval"), rows)


@dataclass(frozen=True, eq=False)
class Comparison:
    """The paired difference `other` - `baseline`."""

    baseline: Result
    other: Result

    def __getitem__(self, kpi: str) -> Interval:
        """The interval of the difference in one key figure."""
        return paired(self.other.sample(kpi), self.baseline.sample(kpi), confidence=self.baseline.confidence)

    def relative(self, kpi: str) -> Interval | None:
        """The difference as a share of the baseline's mean; None where that is not positive."""
        return paired_ratio(self.other.sample(kpi), self.baseline.sample(kpi), confidence=self.baseline.confidence)

    def frame(self) -> pl.DataFrame:
        """One row per key figure: kpi, title, unit, baseline, other (means), difference, low, high."""
        rows = []
        for kpi, (title, unit) in self.baseline.kpis.items():
            change = self[kpi]
            means = (float(self.baseline.values(kpi).mean()), float(self.other.values(kpi).mean()))
            rows.append((kpi, title, unit, *means, change.mean, change.low, change.high))
        schema = ["kpi", "title", "unit", "baseline", "other", "difference", "low", "high"]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _repr_html_(self) -> str:
        rows = []
        for name, title, unit, before, after, change, low, high in self.frame().iter_rows():
            text = self.baseline.kpis[name].text
            sides = (f"{text(before)} {unit}", f"{text(after)} {unit}")
            rows.append((title, *sides, text(change), f"{text(low)} … {text(high)}"))
        header = ("", self.baseline.name, self.other.name, "difference")
        return table("What changes", (*header, f"{100 * self.baseline.confidence:g} % interval, paired"), rows)


def _plain(pairing: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairing.items())
