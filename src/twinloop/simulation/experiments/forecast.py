"""What will come of a line as it stands now: many forks of one state, each with luck of its own.

The state may be a simulated line's or replayed from a real log. As in experiments, every fork is also run with the
estimate of a measured curve, so that intervals keep what is not known about the model.
"""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.html import table
from twinloop.numbers import fixed
from twinloop.replication.design import Design
from twinloop.replication.experiment import replicated
from twinloop.replication.result import Result
from twinloop.replication.streams import Streams
from twinloop.replication.system import System
from twinloop.simulation.engine.fork import forked
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import MS_PER_MINUTE
from twinloop.simulation.events.kpi import kpis, kpis_of
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.events.state import LineState
from twinloop.simulation.experiments.scenario import curve_draw
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Forecast(Result):
    """Key figures of the next `minutes` after `state`. replications, estimate: one row per fork (see Result)."""

    state: LineState
    minutes: float

    def pairing(self) -> dict[str, object]:
        """Seed, replications, and what is forecast from."""
        span = {"line": self.state.line, "clock": self.state.clock_min, "minutes": self.minutes}
        return super().pairing() | span

    def between(self, kpi: str) -> tuple[float, float]:
        """What one future lies between with the forecast's confidence: the quantiles of the forks."""
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(self.values(kpi), [tail, 1 - tail]).tolist()
        return low, high

    def frame(self) -> pl.DataFrame:
        """One row per key figure: kpi, title, unit, mean, low, high (of the mean), from, to (of one future)."""
        futures = [self.between(kpi) for kpi in self.kpis]
        ends = [pl.Series("from", [low for low, _ in futures]), pl.Series("to", [high for _, high in futures])]
        return super().frame().with_columns(ends)

    def caption(self) -> str:
        """From which minute to which, and what the intervals are of."""
        end, share = self.state.clock_min + self.minutes, f"{100 * self.confidence:g} %"
        return (
            f"{self.state.line}, minute {self.state.clock_min:g} to {end:g}: {len(self.replications)} forks; "
            f"{share} interval of the mean, and where {share} of the futures lie"
        )

    def _repr_html_(self) -> str:
        rows = [
            (
                title,
                f"{fixed(mean, 2)} {unit}",
                f"{fixed(low, 2)} … {fixed(high, 2)}",
                f"{fixed(first, 2)} … {fixed(last, 2)}",
            )
            for _, title, unit, mean, low, high, first, last in self.frame().iter_rows()
        ]
        return table(self.caption(), ("", "mean", "interval", "futures"), rows)


@dataclass(frozen=True)
class Fork:
    """Futures of a state by number, each with luck of its own, with a draw of the curve or with the estimate."""

    state: LineState
    line: Line
    curve: OperatingCurve
    latency_ms: float
    economy: Economy
    seed: int
    minutes: float
    drawn: bool

    def __call__(self, number: int) -> dict[str, float]:
        # At the fork's own minute the log tells again what was before; that is not counted.
        start = math.nextafter(self.state.clock_min, math.inf) if self.state.clock_min else 0.0
        return kpis(self.log(number), self.line, self.economy, start=start)[0]

    def log(self, number: int) -> EventLog:
        """The event log from the state on."""
        streams = Streams(self.seed, number, start=self.state.clock_min)
        gate = Gate.of(self.curve, draw=curve_draw(self.curve, number) if self.drawn else 0)
        plant = forked(self.state, self.line, gate, streams, latency_min=self.latency_ms / MS_PER_MINUTE)
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
    measured, prices = line.inspection.curve(curve), economy or Economy()

    def forks(*, drawn: bool) -> Fork:
        return Fork(state, line, measured, latency_ms, prices, seed, minutes, drawn)

    system = System("forecast", forks(drawn=True), forks(drawn=False) if measured.draws else None)
    design = Design(replications=replications, seed=seed, confidence=confidence, workers=workers)
    result = replicated((system,), design, kpis_of(line))["forecast"]
    return Forecast(**vars(result), state=state, minutes=minutes)
