"""What a simulated scenario says: a replicated result that knows its line, its engine and its machines' states."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.replication import result as replication
from twinloop.replication.steady_state import EARLY, LATE
from twinloop.simulation.engine.run import Run
from twinloop.simulation.events.kpi import OPEN
from twinloop.simulation.events.log import STATES
from twinloop.simulation.experiments.design import Design
from twinloop.simulation.experiments.scenario import Scenario, curve_draw, run_of
from twinloop.simulation.experiments.system import LineSystem
from twinloop.simulation.figures.gantt import state_gantt
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(replication.Result):
    """Replications of one scenario.

    engine: what simulated it, "simpy" or "compiled".
    replications: one row each with replication, draw (of the operating curve) and every figure of KPIS.
    estimate: the same replications with the curve's estimate instead of its draws; None where there are no draws.
    states: entity, state, share of time, mean over replications.
    """

    design: Design
    scenario: Scenario
    engine: str
    states: pl.DataFrame

    @classmethod
    def of(cls, result: replication.Result, system: LineSystem, design: Design) -> Self:
        """What a replicated line says."""
        curve, line = system.scenario.measured, system.scenario.line
        told = (EARLY, LATE) if line.can_grow else (OPEN,) if line.source.orders else ()
        fields = vars(result) | {
            "design": design,
            "replications": _with_draws(result.replications, lambda number: curve_draw(curve, number)),
            "asides": {name: result.asides[name] for name in told},
            "estimate": None if result.estimate is None else _with_draws(result.estimate, lambda _: 0),
        }
        states = _states(system.scenario.line, result.profile)
        return cls(**fields, scenario=system.scenario, engine=system.engine, states=states)

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
    def initial(self) -> float:
        return self.line.initial_parts

    @property
    def unfinished(self) -> int:
        """Replications in which not all that was ordered left within `days`."""
        return int((self.asides[OPEN] > 0).sum()) if OPEN in self.asides else 0

    @property
    def warning(self) -> str:
        """That the line never settles, or does not make what is ordered; empty where neither is so."""
        if not self.unfinished:
            return super().warning
        return (
            f"{self.name} has not finished its orders within {self.days:g} days in {self.unfinished} of "
            f"{len(self.replications)} replications, whose figures are of the part that was made: simulate more days"
        )

    def pairing(self) -> dict[str, object]:
        """Seed, length and replications: what two results must have in common to be paired."""
        shared = super().pairing()
        return {"seed": shared.pop("seed"), "days": self.days, "warm-up": self.warmup_days, **shared}

    def run_of(self, replication: int = 0) -> Run:
        """One of the replications, ready to be done again: `result.run_of(3).log()` is its event log.

        Raises InputError for a number that is not among them.
        """
        numbers = self.replications["replication"]
        if replication not in numbers:
            raise InputError(
                f"{self.name}: replication {replication}: expected a number from {numbers[0]} to {numbers[-1]}"
            )
        return run_of(self.scenario, self.design, replication)

    def gantt(self, *, day: int = 1) -> Any:
        """What every machine does on one day after the warm-up (from 1), as a plotly figure that can be zoomed.

        The first replication is simulated again for its event log. Raises InputError for a day that was not simulated.
        """
        last = math.ceil(self.days)
        if not 1 <= day <= last:
            raise InputError(
                f"{self.name}: gantt: day = {day}: expected a day from 1 to {last}: {self.days:g} days were simulated"
            )
        run = self.run_of(int(self.replications["replication"][0]))
        start = run.start + (day - 1) * self.line.minutes_per_day
        return state_gantt(
            run.log().frame(),
            machines=self.states["entity"].unique(maintain_order=True).to_list(),
            start=start,
            end=min(start + self.line.minutes_per_day, run.horizon),
            horizon=run.horizon,
            title=f"{self.name}, day {day}",
        )

    def caption(self) -> str:
        """What was run, and where the inspection's errors come from."""
        errors = "assumed rates, no measured model" if self.model == "assumed" else f"model {self.model[:12]}"
        length = f"{self.days:g} days after {self.warmup_days:g} of warm-up"
        if self.line.source.orders:
            length = f"an order book from start to end, {self.days:g} days at most"
        return (
            f"{self.name}: {len(self.replications)} × {length}, "
            f"engine {self.engine}; inspection errors: {errors}{self.verdict()}"
        )


def _with_draws(table: pl.DataFrame, draw: Callable[[int], int]) -> pl.DataFrame:
    draws = pl.Series("draw", [draw(number) for number in table["replication"]])
    return table.select("replication", draws, pl.exclude("replication"))


def _states(line: Line, minutes: Floats | None) -> pl.DataFrame:
    if minutes is None:
        raise ValueError("expected the minutes in states of every replication")
    # Spans have no states, nor have stations without machines.
    stateless = {span.name for span in line.spans} | {station.name for station in line.stations if station.unlimited}
    numbered = [(number, name) for number, name in enumerate(entities(line)) if number and name not in stateless]
    names = [name for _, name in numbered]
    spent = minutes[[number for number, _ in numbered]]
    share = spent / spent.sum(axis=1, keepdims=True)
    return pl.DataFrame(
        {
            "entity": [name for name in names for _ in STATES],
            "state": list(STATES) * len(names),
            "share": share.ravel(),
        }
    )
