"""Scenarios side by side: the same replications, the same luck, in as many processes as there are.

A replication is a pure function of its scenario and number, and results are put together in the order
of their numbers: one worker or eight, the tables are the same bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import joblib
import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.progress import track
from twinloop.simulation.engine.build import entities
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import simulate
from twinloop.simulation.events.kpi import KPIS, kpis
from twinloop.simulation.events.log import STATES, EventLog
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line


@dataclass(frozen=True, eq=False)
class Scenario:
    """A line with the errors and the latency of the model that inspects it; no curve means assumed rates."""

    name: str
    line: Line
    curve: OperatingCurve | None = None
    latency_ms: float = 0.0

    @property
    def measured(self) -> OperatingCurve:
        """The curve given, or the line's assumed one."""
        return self.line.inspection.assumed.curve() if self.curve is None else self.curve

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


def run_scenarios(
    scenarios: Sequence[Scenario],
    *,
    economy: Economy,
    days: float,
    warmup_days: float,
    replications: int,
    seed: int,
    confidence: float = 0.95,
    workers: int = 1,
) -> dict[str, Result]:
    """Results by scenario name. Replication r uses draw 1 + r mod draws of the curve, and again its estimate.

    Raises InputError for lengths that cannot be used and for two scenarios of one name.
    """
    _check(scenarios, days=days, warmup_days=warmup_days, replications=replications)
    plan = [
        [
            replication_run(
                scenario, replication, economy=economy, days=days, warmup_days=warmup_days, seed=seed, drawn=drawn
            )
            for drawn in ((True, False) if scenario.measured.draws else (True,))
            for replication in range(replications)
        ]
        for scenario in scenarios
    ]
    done = _done((run for runs in plan for run in runs), total=sum(map(len, plan)), workers=workers)
    results = {}
    for scenario, runs in zip(scenarios, plan, strict=True):
        everything = [next(done) for _ in runs]
        outcomes, again = everything[:replications], everything[replications:]
        results[scenario.name] = Result(
            name=scenario.name,
            line=scenario.line,
            model=scenario.measured.model,
            replications=_table(outcomes, [curve_draw(scenario.measured, r) for r in range(replications)]),
            estimate=_table(again, [0] * replications) if again else None,
            states=_states(scenario.line, [minutes for _, minutes in outcomes]),
            days=days,
            warmup_days=warmup_days,
            seed=seed,
            confidence=confidence,
        )
    return results


def replication_run(
    scenario: Scenario,
    replication: int,
    *,
    economy: Economy,
    days: float,
    warmup_days: float,
    seed: int,
    drawn: bool = True,
) -> Run:
    """One replication with its draw of the curve, or with the estimate; `log()` is the event log behind its figures."""
    curve = scenario.measured
    start = warmup_days * scenario.line.minutes_per_day
    return Run(
        line=scenario.line,
        gate=Gate.of(curve, draw=curve_draw(curve, replication) if drawn else 0),
        latency_ms=scenario.latency_ms,
        economy=economy,
        seed=seed,
        replication=replication,
        start=start,
        horizon=start + days * scenario.line.minutes_per_day,
    )


def curve_draw(curve: OperatingCurve, replication: int) -> int:
    """Which draw of the curve a replication uses; the estimate (0) when there are none."""
    return 1 + replication % curve.draws if curve.draws else 0


def _check(scenarios: Sequence[Scenario], *, days: float, warmup_days: float, replications: int) -> None:
    names = [scenario.name for scenario in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"simulate: expected different scenario names, {twice[0]!r} comes twice: rename one")
    if not (days > 0 and np.isfinite(days)):
        raise InputError(f"simulate: days = {days}: expected a number > 0; days are counted after the warm-up")
    if not (warmup_days >= 0 and np.isfinite(warmup_days)):
        raise InputError(f"simulate: warmup_days = {warmup_days}: expected a number ≥ 0")
    if replications < 2:
        raise InputError(f"simulate: replications = {replications}: expected at least 2; one value has no interval")


def _done(runs: Iterable[Run], *, total: int, workers: int) -> Iterator[tuple[dict[str, float], NDArray[np.float64]]]:
    outcomes: Iterable[tuple[dict[str, float], NDArray[np.float64]]]
    if workers == 1:
        outcomes = (run() for run in runs)
    else:
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator")
        outcomes = parallel(joblib.delayed(run)() for run in runs)
    return track(outcomes, "replication", total)


def _table(outcomes: list[tuple[dict[str, float], NDArray[np.float64]]], draws: list[int]) -> pl.DataFrame:
    columns: dict[str, list[float] | list[int]] = {"replication": list(range(len(outcomes))), "draw": draws}
    columns |= {kpi: [figures[kpi] for figures, _ in outcomes] for kpi in KPIS}
    return pl.DataFrame(columns)


def _states(line: Line, minutes: list[NDArray[np.float64]]) -> pl.DataFrame:
    mean = np.mean(minutes, axis=0)[1:]
    share = mean / mean.sum(axis=1, keepdims=True)
    names = entities(line)[1:]
    return pl.DataFrame(
        {
            "entity": [name for name in names for _ in STATES],
            "state": list(STATES) * len(names),
            "share": share.ravel(),
        }
    )
