"""A scenario as a system that is run many times, on the engine that its line allows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np

from twinloop.replication.kpi import Kpis
from twinloop.replication.system import Outcomes, System
from twinloop.simulation.engine.run import Run
from twinloop.simulation.events.kpi import ASIDES
from twinloop.simulation.experiments.design import Design, Engine
from twinloop.simulation.experiments.scenario import Scenario, run_of, runs_of
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.station import Station


@dataclass(frozen=True, eq=False, kw_only=True)
class LineSystem(System):
    """Replications of a scenario; their profile is the minutes [entities, STATES].

    engine: "simpy" or "compiled".
    """

    scenario: Scenario
    design: Design
    engine: str

    @classmethod
    def of(cls, scenario: Scenario, design: Design) -> Self:
        """The system of a scenario. Raises InputError for an engine that cannot run it."""
        drawn = Replication(scenario, design, drawn=True)
        joint = scenario.line.joint
        measured = scenario.measured.draws or (joint is not None and joint.resampled)
        return cls(
            name=scenario.name,
            run=drawn,
            estimate=Replication(scenario, design, drawn=False) if measured else None,
            scenario=scenario,
            design=design,
            engine=chosen_engine(scenario.line, design.engine),
        )

    def chunk(self, numbers: range, kpis: Kpis, *, drawn: bool) -> Callable[[], Outcomes]:
        """Runs in a row that take with them only the draws of the curve which they use."""
        return LineChunk(runs_of(self.scenario, self.design, numbers, drawn=drawn), self.engine, tuple(kpis))

    def prepare(self) -> None:
        """Leave the compiled engine's machine code on disk; each process would else make it for itself."""
        if self.engine == "compiled":
            _leave_machine_code()


@dataclass(frozen=True)
class Replication:
    """The key figures of a scenario by replication, with a draw of its curve or with the estimate."""

    scenario: Scenario
    design: Design
    drawn: bool

    def __call__(self, number: int) -> dict[str, float]:
        figures, _ = run_of(self.scenario, self.design, number, drawn=self.drawn)()
        return figures


@dataclass(frozen=True)
class LineChunk:
    """Replications of one line that one process does in a row."""

    runs: tuple[Run, ...]
    engine: str
    kpis: tuple[str, ...]

    def __call__(self) -> Outcomes:
        if self.engine == "compiled":
            # numba takes a second: lines that run on SimPy do without it.
            from twinloop.simulation.compiled.run import outcomes

            done = outcomes(self.runs)
        else:
            done = [run() for run in self.runs]
        figures = np.array([[values[kpi] for kpi in self.kpis] for values, _ in done])
        asides = {name: np.array([values[name] for values, _ in done]) for name in ASIDES}
        return Outcomes(figures, np.stack([minutes for _, minutes in done]), asides)


def chosen_engine(line: Line, engine: Engine) -> str:
    """The engine that runs `line`: "simpy" or "compiled".

    Raises InputError when the compiled engine is asked for by name and refuses a feature of the line.
    """
    if engine == "simpy":
        return "simpy"
    from twinloop.simulation.compiled.features import check_known, refused

    if engine == "compiled":
        check_known(line)
    return "simpy" if refused(line) else "compiled"


@cache
def _leave_machine_code() -> None:
    """One part on the smallest line: machine code is made for the kinds of numbers, not for their values."""
    station = Station(name="station", cycle=Distribution(kind="deterministic", mean=1.0))
    scenario = Scenario("line", Line(stations=(station,)))
    design = Design(days=0.01, warmup_days=0.0, engine="compiled")
    LineSystem.of(scenario, design).chunk(range(1), {}, drawn=True)()
