"""What will come of a line as it stands now: many forks of one state, each with luck of its own.

The state may be a simulated line's or replayed from a real log. As in experiments, every fork is also run with the
estimate of a measured curve, so that intervals keep what is not known about the model.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.numbers import Interval, fixed
from twinloop.replication.statistics import Sample, interval
from twinloop.replication.streams import Streams
from twinloop.simulation.engine.fork import forked
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import MS_PER_MINUTE
from twinloop.simulation.events.kpi import KPIS, kpis
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.events.state import LineState
from twinloop.simulation.experiments.execution import executed
from twinloop.simulation.experiments.experiment import Scenario, curve_draw
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.overlay import unknown

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Key figures of the next `minutes` after `state`. replications, estimate: one row per fork (see Result)."""

    state: LineState
    minutes: float
    replications: pl.DataFrame
    estimate: pl.DataFrame | None
    confidence: float

    def values(self, kpi: str) -> Floats:
        """[replications] of one key figure. Raises InputError for a figure that does not exist."""
        if kpi not in KPIS:
            raise unknown("forecast: key figure", kpi, KPIS)
        return self.replications[kpi].to_numpy()

    def __getitem__(self, kpi: str) -> Interval:
        """The mean of one key figure with its interval."""
        estimate = None if self.estimate is None else self.estimate[kpi].to_numpy()
        return interval(Sample(self.values(kpi), estimate), confidence=self.confidence)

    def between(self, kpi: str) -> tuple[float, float]:
        """What one future lies between with the forecast's confidence: the quantiles of the forks."""
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(self.values(kpi), [tail, 1 - tail]).tolist()
        return low, high

    def frame(self) -> pl.DataFrame:
        """One row per key figure: kpi, title, unit, mean, low, high (of the mean), from, to (of one future)."""
        rows = []
        for kpi, (title, unit) in KPIS.items():
            found = self[kpi]
            rows.append((kpi, title, unit, found.mean, found.low, found.high, *self.between(kpi)))
        return pl.DataFrame(rows, schema=["kpi", "title", "unit", "mean", "low", "high", "from", "to"], orient="row")

    def _repr_html_(self) -> str:
        from twinloop.simulation.figures.faces import table

        end = self.state.clock_min + self.minutes
        share = f"{100 * self.confidence:g} %"
        caption = (
            f"{self.state.line}, minute {self.state.clock_min:g} to {end:g}: {len(self.replications)} forks; "
            f"{share} interval of the mean, and where {share} of the futures lie"
        )
        rows = [
            (
                title,
                f"{fixed(mean, 2)} {unit}",
                f"{fixed(low, 2)} … {fixed(high, 2)}",
                f"{fixed(first, 2)} … {fixed(last, 2)}",
            )
            for _, title, unit, mean, low, high, first, last in self.frame().iter_rows()
        ]
        return table(caption, ("", "mean", "interval", "futures"), rows)


@dataclass(frozen=True)
class Fork:
    """One future to be run."""

    state: LineState
    line: Line
    gate: Gate
    latency_ms: float
    economy: Economy
    seed: int
    replication: int
    minutes: float

    def __call__(self) -> dict[str, float]:
        # At the fork's own minute the log tells again what was before; that is not counted.
        start = math.nextafter(self.state.clock_min, math.inf) if self.state.clock_min else 0.0
        return kpis(self.log(), self.line, self.economy, start=start)[0]

    def log(self) -> EventLog:
        """The event log from the state on."""
        streams = Streams(self.seed, self.replication, start=self.state.clock_min)
        plant = forked(self.state, self.line, self.gate, streams, latency_min=self.latency_ms / MS_PER_MINUTE)
        plant.log.horizon = end = self.state.clock_min + self.minutes
        plant.env.run(until=end)
        for machine in plant.machines:
            machine.finish(end)
        return plant.log


def forecast(
    state: LineState,
    line: Line,
    *,
    minutes: float,
    replications: int = 40,
    seed: int = 1,
    curve: OperatingCurve | None = None,
    latency_ms: float = 0.0,
    economy: Economy | None = None,
    confidence: float = 0.95,
    workers: int = 1,
) -> Forecast:
    """Key figures of the next `minutes`, from `replications` forks of `state`; the same for any number of workers.

    Fork r uses draw 1 + r mod draws of the curve. Raises InputError for arguments that cannot be used and for features
    of the line that cannot be continued, RunError when no part leaves the line in that time.
    """
    if not (minutes > 0 and math.isfinite(minutes)):
        raise InputError(f"forecast: minutes = {minutes}: expected a number > 0, counted from the state's clock")
    if replications < 2:
        raise InputError(f"forecast: replications = {replications}: expected at least 2; one value has no interval")
    measured = Scenario(line.name, line, curve).measured

    def forks(*, drawn: bool) -> Iterator[Fork]:
        for number in range(replications):
            gate = Gate.of(measured, draw=curve_draw(measured, number) if drawn else 0)
            yield Fork(state, line, gate, latency_ms, economy or Economy(), seed, number, minutes)

    def table(*, drawn: bool) -> pl.DataFrame:
        figures = list(executed(forks(drawn=drawn), workers=workers, backend="processes"))
        return pl.DataFrame({"replication": range(replications)} | {kpi: [one[kpi] for one in figures] for kpi in KPIS})

    estimate = table(drawn=False) if measured.draws else None
    return Forecast(state, minutes, table(drawn=True), estimate, confidence)
