"""The best line within a space of changes (replication.optimisation): its paths as knobs, today's line as the start."""

import dataclasses
from dataclasses import replace
from typing import Any, Unpack

from twinloop.replication import optimisation as replication
from twinloop.replication.optimisation import Optimum
from twinloop.replication.search import Space, Values
from twinloop.replication.side_by_side import TODAY
from twinloop.simulation.events.kpi import kpis_of
from twinloop.simulation.experiments.design import Design, How
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.scenarios import BAND, THRESHOLD, changed
from twinloop.simulation.experiments.settings import OptimiseSettings
from twinloop.simulation.experiments.system import LineSystem
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.overlay import value_at


def optimise(subject: Scenario | Line, settings: OptimiseSettings, **how: Unpack[How]) -> Optimum:
    """Search `settings.space` for the line with the largest objective; the other keywords are the fields of `Design`.

    The design's replications are not used: the settings say how many each phase has.
    Raises InputError for a space that does not fit the line, RunError when no trial's line produces anything.
    """
    scenario, design = replace(Scenario.of(subject), name=TODAY), Design(**how)

    def make(name: str, values: Values) -> LineSystem:
        return LineSystem.of(changed(scenario, name, values), design)

    today = {path: _today(scenario, path) for path in settings.space}
    return replication.optimise(Space(today, make), settings, design, kpis_of(scenario.line))


def _today(scenario: Scenario, path: str) -> Any:
    curve = scenario.measured
    if path in (THRESHOLD, BAND):
        return curve.accept_below if path == THRESHOLD else curve.reject_from - curve.accept_below
    return value_at(dataclasses.asdict(scenario.line), path)
