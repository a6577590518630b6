"""A line with the model that inspects it, and the replications that a design makes of it.

Replication r uses draw 1 + r mod draws of the measured curve, or its estimate.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Unpack

from twinloop.contracts import OperatingCurve
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import Run
from twinloop.simulation.experiments.design import Design, How
from twinloop.simulation.model.line import Line


@dataclass(frozen=True, eq=False)
class Scenario:
    """A line with the errors and the latency of the model that inspects it; no curve means assumed rates."""

    name: str
    line: Line
    curve: OperatingCurve | None = None
    latency_ms: float = 0.0

    @classmethod
    def of(cls, subject: "Scenario | Line") -> "Scenario":
        """A scenario as it is, or a line as it stands with its assumed rates."""
        return subject if isinstance(subject, Scenario) else cls(subject.name, subject)

    @cached_property
    def measured(self) -> OperatingCurve:
        """The curve given, or the line's assumed one."""
        return self.line.inspection.curve(self.curve)

    def at(self, accept_below: float, reject_from: float | None = None) -> "Scenario":
        """The same scenario at another operating point."""
        return replace(self, curve=self.measured.at(accept_below, reject_from))


def replication_run(scenario: Scenario, replication: int, *, drawn: bool = True, **how: Unpack[How]) -> Run:
    """One replication with its draw of the curve, or with the estimate; `log()` is the event log behind its figures."""
    return run_of(scenario, Design(**how), replication, drawn=drawn)


def run_of(scenario: Scenario, design: Design, replication: int, *, drawn: bool = True) -> Run:
    """The same, of a design that is already there."""
    return runs_of(scenario, design, range(replication, replication + 1), drawn=drawn)[0]


def runs_of(scenario: Scenario, design: Design, numbers: range, *, drawn: bool) -> tuple[Run, ...]:
    """The replications of these numbers; those of one draw share their gate."""
    curve, day = scenario.measured, scenario.line.minutes_per_day
    draws = {number: curve_draw(curve, number) if drawn else 0 for number in numbers}
    gates = {draw: Gate.of(curve, draw=draw) for draw in set(draws.values())}
    start = 0.0 if scenario.line.source.orders else design.warmup_days * day
    return tuple(
        Run(
            line=scenario.line,
            gate=gates[draws[number]],
            latency_ms=scenario.latency_ms,
            economy=design.economy,
            seed=design.seed,
            replication=number,
            start=start,
            horizon=start + design.days * day,
            drawn=drawn,
        )
        for number in numbers
    )


def curve_draw(curve: OperatingCurve, replication: int) -> int:
    """Which draw of the curve a replication uses; the estimate (0) when there are none."""
    return 1 + replication % curve.draws if curve.draws else 0
