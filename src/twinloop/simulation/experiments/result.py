"""What a simulated scenario says: key figures with intervals, and the paired difference to another one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.numbers import Interval
from twinloop.replication.statistics import Sample, interval, paired, paired_ratio
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.experiments.design import Design
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.overlay import unknown

if TYPE_CHECKING:
    from twinloop.simulation.experiments.experiment import Run, Scenario

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Result:
    """Replications of one scenario.

    engine: what simulated it, "simpy" or "compiled".
    replications: one row each with replication, draw (of the operating curve) and every figure of KPIS.
    estimate: the same replications with the curve's estimate instead of its draws; None where there are no draws.
    states: entity, state, share of time, mean over replications.
    """

    scenario: "Scenario"
    design: Design
    engine: str
    replications: pl.DataFrame
    estimate: pl.DataFrame | None
    states: pl.DataFrame

    @property
    def name(self) -> str:
        return self.scenario.name

    @property
    def line(self) -> Line:
        return self.scenario.line

    @property
    def model(self) -> str:
        """What the inspection's errors come from, "assumed" when no curve was given."""
        return self.scenario.measured.model

    @property
    def days(self) -> float:
        return self.design.days

    @property
    def warmup_days(self) -> float:
        return self.design.warmup_days

    @property
    def seed(self) -> int:
        return self.design.seed

    @property
    def confidence(self) -> float:
        return self.design.confidence

    @property
    def precision(self) -> float:
        """Half-width of `design.precision_of` as a share of its mean; infinite around a mean of zero."""
        return self[self.design.precision_of].relative_half_width

    @property
    def reached(self) -> bool | None:
        """Whether the precision that was asked for is reached; None when none was."""
        return None if self.design.precision is None else self.precision <= self.design.precision

    def __getitem__(self, kpi: str) -> Interval:
        """The interval of one key figure."""
        return interval(self.sample(kpi), confidence=self.confidence)

    def values(self, kpi: str) -> Floats:
        """[replications] of one key figure. Raises InputError for a figure that does not exist."""
        if kpi not in KPIS:
            raise unknown("simulate: key figure", kpi, KPIS)
        return self.replications[kpi].to_numpy()

    def sample(self, kpi: str) -> Sample:
        """One key figure with what is not known about the model, for intervals and paired differences."""
        return Sample(self.values(kpi), None if self.estimate is None else self.estimate[kpi].to_numpy())

    def frame(self) -> pl.DataFrame:
        """One row per key figure: kpi, title, unit, mean, low, high."""
        rows = []
        for kpi, (title, unit) in KPIS.items():
            found = self[kpi]
            rows.append((kpi, title, unit, found.mean, found.low, found.high))
        return pl.DataFrame(rows, schema=["kpi", "title", "unit", "mean", "low", "high"], orient="row")

    def compare(self, other: "Result") -> "Comparison":
        """What changes from this result to `other`, paired by replication.

        Raises InputError unless both were run with the same seed, length and number of replications.
        """
        mine, theirs = self._paired_by(), other._paired_by()
        if mine != theirs:
            raise InputError(
                "simulate: compare expects two runs with the same seed, days, warm-up and replications, "
                f"got {mine} and {theirs}: run both with the same arguments"
            )
        return Comparison(baseline=self, other=other)

    def _paired_by(self) -> tuple[object, ...]:
        numbers = self.replications["replication"]
        return self.seed, self.days, self.warmup_days, f"{numbers[0]} to {numbers[-1]}"

    def run_of(self, replication: int = 0) -> "Run":
        """One of the replications, ready to be done again: `result.run_of(3).log()` is its event log.

        Raises InputError for a number that is not among them.
        """
        from twinloop.simulation.experiments.experiment import run_of

        numbers = self.replications["replication"]
        if replication not in numbers:
            raise InputError(
                f"simulate: replication {replication}: expected a number from {numbers[0]} to {numbers[-1]}"
            )
        return run_of(self.scenario, self.design, replication)

    def gantt(self, *, day: int = 1) -> Any:
        """What every machine does on one day after the warm-up (from 1), as a plotly figure that can be zoomed.

        The first replication is simulated again for its event log. Raises InputError for a day that was not simulated.
        """
        from twinloop.simulation.figures.gantt import day_gantt

        return day_gantt(self, day)

    def _repr_html_(self) -> str:
        from twinloop.simulation.figures.faces import result_table

        return result_table(self)


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
        for kpi, (title, unit) in KPIS.items():
            change = self[kpi]
            means = (float(self.baseline.values(kpi).mean()), float(self.other.values(kpi).mean()))
            rows.append((kpi, title, unit, *means, change.mean, change.low, change.high))
        schema = ["kpi", "title", "unit", "baseline", "other", "difference", "low", "high"]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _repr_html_(self) -> str:
        from twinloop.simulation.figures.faces import comparison_table

        return comparison_table(self)
