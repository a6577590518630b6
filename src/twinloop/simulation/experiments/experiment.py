"""Scenarios side by side: the same replications, the same luck, in as many processes as there are.

A replication is a pure function of its scenario and number, and results are put together in the order
of their numbers: one worker or eight, the tables are the same bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Unpack

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.progress import bar
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import simulate
from twinloop.simulation.events.kpi import KPIS, kpis
from twinloop.simulation.events.log import STATES, EventLog
from twinloop.simulation.experiments.design import Design, How
from twinloop.simulation.experiments.execution import Chunk, Outcomes, chosen_engine, chunk_size, executed
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line

Floats = NDArray[np.float64]


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


@dataclass(frozen=True)
class Run:
    """One replication to be done."""

    line: Line
    gate: Gate
    latency_ms: float
    economy: Economy
    seed: int
    replication: int
    start: float
    horizon: float

    def __call__(self) -> tuple[dict[str, float], NDArray[np.float64]]:
        return kpis(self.log(), self.line, self.economy, start=self.start)

    def log(self) -> EventLog:
        """The event log of the replication."""
        return simulate(
            self.line,
            self.gate,
            seed=self.seed,
            replication=self.replication,
            minutes=self.horizon,
            latency_ms=self.latency_ms,
        )


def run_scenarios(scenarios: Sequence[Scenario], **how: Unpack[How]) -> dict[str, Result]:
    """Results by scenario name; the keywords are the fields of `Design`, a bar shows how far it is.

    Replication r uses draw 1 + r mod draws of the curve, and again its estimate. With a `precision` all scenarios go on
    until the last has reached it: their replications stay paired.
    Raises InputError for lengths that cannot be used and for two scenarios of one name.
    """
    design = Design(**how)
    each = sum(2 if scenario.measured.draws else 1 for scenario in scenarios)
    most = design.replications if design.precision is None else design.max_replications
    with bar("replication", each * most) as shown:
        return replicated(scenarios, design, step=shown.step)


def replicated(
    scenarios: Sequence[Scenario], design: Design, *, step: Callable[[int], None] | None = None
) -> dict[str, Result]:
    """Results by scenario name; `step` is told how many replications are done.

    Raises InputError for two scenarios of one name and for an engine that cannot run one of them.
    """
    names = [scenario.name for scenario in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"simulate: expected different scenario names, {twice[0]!r} comes twice: rename one")
    gathered = [_Gathered(scenario, design) for scenario in scenarios]
    end = design.first + (design.replications if design.precision is None else design.max_replications)
    for start in range(design.first, end, design.replications):
        _add(gathered, design, range(start, min(start + design.replications, end)), step)
        results = {one.scenario.name: one.result() for one in gathered}
        if all(result.reached for result in results.values()):
            break
    return results


def replication_run(scenario: Scenario, replication: int, *, drawn: bool = True, **how: Unpack[How]) -> Run:
    """One replication with its draw of the curve, or with the estimate; `log()` is the event log behind its figures."""
    return run_of(scenario, Design(**how), replication, drawn=drawn)


def run_of(scenario: Scenario, design: Design, replication: int, *, drawn: bool = True) -> Run:
    """The same, of a design that is already there."""
    return _runs(scenario, design, range(replication, replication + 1), drawn=drawn)[0]


def curve_draw(curve: OperatingCurve, replication: int) -> int:
    """Which draw of the curve a replication uses; the estimate (0) when there are none."""
    return 1 + replication % curve.draws if curve.draws else 0


def _runs(scenario: Scenario, design: Design, numbers: range, *, drawn: bool) -> tuple[Run, ...]:
    curve, day = scenario.measured, scenario.line.minutes_per_day
    draws = {number: curve_draw(curve, number) if drawn else 0 for number in numbers}
    gates = {draw: Gate.of(curve, draw=draw) for draw in set(draws.values())}
    start = design.warmup_days * day
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
        )
        for number in numbers
    )


class _Gathered:
    """What is known of one scenario so far: figures row by row, minutes in states as a running sum."""

    def __init__(self, scenario: Scenario, design: Design) -> None:
        self.scenario, self.design = scenario, design
        self.engine = chosen_engine(scenario.line, design.engine)
        self.kinds = (True, False) if scenario.measured.draws else (True,)
        self._figures: dict[bool, list[Floats]] = {drawn: [] for drawn in self.kinds}
        self._minutes = np.zeros((len(entities(scenario.line)), len(STATES)))

    def add(self, outcomes: Outcomes, *, drawn: bool) -> None:
        self._figures[drawn].append(outcomes.figures)
        if drawn:
            for minutes in outcomes.minutes:
                self._minutes += minutes

    def result(self) -> Result:
        replications = self._table(drawn=True)
        return Result(
            scenario=self.scenario,
            design=self.design,
            engine=self.engine,
            replications=replications,
            estimate=self._table(drawn=False) if False in self.kinds else None,
            states=_states(self.scenario.line, self._minutes / len(replications)),
        )

    def _table(self, *, drawn: bool) -> pl.DataFrame:
        figures = np.concatenate(self._figures[drawn])
        numbers = range(self.design.first, self.design.first + len(figures))
        draws = [curve_draw(self.scenario.measured, number) if drawn else 0 for number in numbers]
        columns = {kpi: figures[:, place] for place, kpi in enumerate(KPIS)}
        return pl.DataFrame({"replication": list(numbers), "draw": draws, **columns})


def _add(gathered: Sequence[_Gathered], design: Design, numbers: range, step: Callable[[int], None] | None) -> None:
    size = chunk_size(len(numbers) * sum(len(one.kinds) for one in gathered), design.workers)
    parts = [range(start, min(start + size, numbers.stop)) for start in range(numbers.start, numbers.stop, size)]
    plan = [(one, drawn, part) for one in gathered for drawn in one.kinds for part in parts]
    chunks = (Chunk(_runs(one.scenario, design, part, drawn=drawn), one.engine) for one, drawn, part in plan)
    compiled = next(((one, part) for one, _, part in plan if one.engine == "compiled"), None)
    if compiled and design.spread:
        # One replication here leaves its machine code on disk; each worker would else make it for itself.
        one, part = compiled
        Chunk(_runs(one.scenario, design, part[:1], drawn=True), one.engine)()
    done = executed(chunks, workers=design.workers, backend=design.backend)
    for (one, drawn, part), outcomes in zip(plan, done, strict=True):
        one.add(outcomes, drawn=drawn)
        if step is not None:
            step(len(part))


def _states(line: Line, minutes: Floats) -> pl.DataFrame:
    share = minutes[1:] / minutes[1:].sum(axis=1, keepdims=True)
    names = entities(line)[1:]
    return pl.DataFrame(
        {
            "entity": [name for name in names for _ in STATES],
            "state": list(STATES) * len(names),
            "share": share.ravel(),
        }
    )
