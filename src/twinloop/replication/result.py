"""What many replications of a system say: key figures with intervals, and the paired difference to another result."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError, RunError, unknown
from twinloop.html import table
from twinloop.numbers import MISSING, Interval, number, percent
from twinloop.replication.design import Design
from twinloop.replication.kpi import Kpis
from twinloop.replication.statistics import Sample, interval, paired, paired_ratio
from twinloop.replication.steady_state import EARLY, LATE, Growth, growth

Floats = NDArray[np.float64]
NAMES: dict[str, Any] = dict.fromkeys(("kpi", "title", "unit"), pl.String)


@dataclass(frozen=True, eq=False)
class Result:
    """Replications of one system.

    replications: one row each with replication and every key figure.
    estimate: the same replications with the model's estimate instead of its draws; None where nothing is drawn.
    profile: mean over replications of what else the system tells; None where it tells nothing.
    asides: name → [replications] what else it tells of each.
    """

    name: str
    design: Design
    kpis: Kpis
    replications: pl.DataFrame
    estimate: pl.DataFrame | None
    profile: Floats | None
    asides: Mapping[str, Floats] = field(default_factory=dict)

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
        """Half-width of `precise_in` as a share of its mean; infinite around a mean of zero, or without a mean."""
        if not self.has_mean(self.precise_in):
            return float("inf")
        return interval(self.sample(self.precise_in), confidence=self.confidence).relative_half_width

    @property
    def reached(self) -> bool | None:
        """Whether the precision that was asked for is reached; None when none was."""
        return None if self.design.precision is None else self.precision <= self.design.precision

    @property
    def initial(self) -> float:
        """How much is in the system when a replication begins."""
        return 0.0

    @property
    def growth(self) -> Growth | None:
        """Whether what is in the system goes on growing; None where the system does not tell."""
        if EARLY not in self.asides:
            return None
        return growth(self.asides[EARLY], self.asides[LATE], initial=self.initial)

    @property
    def settles(self) -> bool:
        """Whether nothing speaks against a steady state within the simulated time."""
        return self.growth is None or not self.growth.sure

    def has_mean(self, kpi: str) -> bool:
        """Whether the mean of a key figure says something: not where it grows as long as one looks."""
        return self.settles or not self.kpis[kpi].level

    @property
    def warning(self) -> str:
        """That the system never settles, in words; empty where it does."""
        if self.growth is None or self.settles:
            return ""
        levels = ", ".join(kpi.title.lower() for kpi in self.kpis.values() if kpi.level)
        return (
            f"{self._grows()}: {levels} have no mean, and all other figures hold for this time only; let less come, "
            "or more be done"
        )

    def _grows(self) -> str:
        grown = self.growth or Growth(math.nan, math.nan, 1.0)
        return (
            f"{self.name} never settles: it holds {number(grown.early)} on average in the second quarter of the time, "
            f"{number(grown.late)} in the last"
        )

    def __getitem__(self, kpi: str) -> Interval:
        """The interval of one key figure, within what the figure can be.

        Raises RunError for a mean that does not exist, as what is in the system grows without end.
        """
        sample = self.sample(kpi)
        if not self.has_mean(kpi):
            raise RunError(
                f"no mean of {self.kpis[kpi].title.lower()}, as {self._grows()}: let less come or more be done, or "
                f"read values({kpi!r})"
            )
        return self.kpis[kpi].within(interval(sample, confidence=self.confidence))

    def ends(self, kpi: str) -> tuple[float | None, float | None, float | None]:
        """Mean, low and high of one key figure as a table shows them; None where it has no mean."""
        if not self.has_mean(kpi):
            return None, None, None
        ends = self[kpi]
        return ends.mean, ends.low, ends.high

    def values(self, kpi: str) -> Floats:
        """[replications] of one key figure. Raises InputError for a figure that does not exist."""
        if kpi not in self.kpis:
            raise unknown(f"{self.name}: key figure", kpi, self.kpis)
        return self.replications[kpi].to_numpy()

    def sample(self, kpi: str) -> Sample:
        """One key figure with what is not known about the model, for intervals and paired differences."""
        return Sample(self.values(kpi), None if self.estimate is None else self.estimate[kpi].to_numpy())

    def frame(self) -> pl.DataFrame:
        """One row per key figure: kpi, title, unit, mean, low, high; null where there is no mean."""
        rows = [(name, kpi.title, kpi.unit, *self.ends(name)) for name, kpi in self.kpis.items()]
        return pl.DataFrame(rows, schema=NAMES | dict.fromkeys(("mean", "low", "high"), pl.Float64), orient="row")

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
            mean, low, high = self.ends(name)
            ends = MISSING if mean is None else f"{kpi.text(low)} … {kpi.text(high)}"
            rows.append((kpi.title, f"{kpi.text(mean)} {kpi.unit}", ends))
        face = table(self.caption(), ("", "mean", f"{100 * self.confidence:g} % interval"), rows)
        return warned(face, [self.warning])


@dataclass(frozen=True, eq=False)
class Comparison:
    """The paired difference `other` - `baseline`."""

    baseline: Result
    other: Result

    def __getitem__(self, kpi: str) -> Interval:
        """The interval of the difference in one key figure, within what can be.

        Raises RunError where one of the two has no mean.
        """
        for side in (self.baseline, self.other):
            side[kpi]
        change = paired(self.other.sample(kpi), self.baseline.sample(kpi), confidence=self.baseline.confidence)
        return self.baseline.kpis[kpi].change_within(change)

    def relative(self, kpi: str) -> Interval | None:
        """The difference as a share of the baseline's mean; None where that is not surely positive.

        Raises RunError where one of the two has no mean.
        """
        for side in (self.baseline, self.other):
            side[kpi]
        ratio = paired_ratio(self.other.sample(kpi), self.baseline.sample(kpi), confidence=self.baseline.confidence)
        # What is never below 0 cannot lose more than all of it.
        return ratio.within(-1.0) if ratio and self.baseline.kpis[kpi].least >= 0 else ratio

    def has_mean(self, kpi: str) -> bool:
        """Whether both sides have a mean of the key figure."""
        return self.baseline.has_mean(kpi) and self.other.has_mean(kpi)

    def frame(self) -> pl.DataFrame:
        """One row per key figure: kpi, title, unit, baseline, other (means), difference, low, high; null without."""
        rows: list[tuple[object, ...]] = []
        for name, kpi in self.baseline.kpis.items():
            change = self[name] if self.has_mean(name) else None
            ends = (change.mean, change.low, change.high) if change else (None, None, None)
            rows.append((name, kpi.title, kpi.unit, self.baseline.ends(name)[0], self.other.ends(name)[0], *ends))
        numbers = dict.fromkeys(("baseline", "other", "difference", "low", "high"), pl.Float64)
        return pl.DataFrame(rows, schema=NAMES | numbers, orient="row")

    def _repr_html_(self) -> str:
        rows = []
        for name, title, unit, before, after, change, low, high in self.frame().iter_rows():
            text = self.baseline.kpis[name].text
            sides = (f"{text(before)} {unit}", f"{text(after)} {unit}")
            rows.append((title, *sides, text(change), MISSING if low is None else f"{text(low)} … {text(high)}"))
        header = ("", self.baseline.name, self.other.name, "difference")
        face = table("What changes", (*header, f"{100 * self.baseline.confidence:g} % interval, paired"), rows)
        return warned(face, [self.baseline.warning, self.other.warning])


def warned(face: str, warnings: Iterable[str]) -> str:
    """A face with what has to be known before it is read."""
    return "".join(f"<p><strong>{escape(text)}.</strong></p>" for text in warnings if text) + face


def _plain(pairing: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairing.items())
