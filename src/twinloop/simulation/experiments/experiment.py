"""Scenarios of lines side by side: the same replications, the same luck (replication.experiment)."""

from collections.abc import Sequence
from typing import Unpack

from twinloop.replication.experiment import run
from twinloop.simulation.events.kpi import kpis_of
from twinloop.simulation.experiments.design import Design, How
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.system import LineSystem


def run_scenarios(scenarios: Sequence[Scenario], **how: Unpack[How]) -> dict[str, Result]:
    """Results by scenario name; the keywords are the fields of `Design`, a bar shows how far it is.

    Replication r uses draw 1 + r mod draws of the curve, and again its estimate. With a `precision` all scenarios go on
    until the last has reached it: their replications stay paired.
    Raises InputError for lengths that cannot be used, for two scenarios of one name and for an engine that cannot run
    one of them.
    """
    design = Design(**how)
    systems = [LineSystem.of(scenario, design) for scenario in scenarios]
    results = run(systems, design, kpis_of(*(scenario.line for scenario in scenarios)))
    return {system.name: Result.of(results[system.name], system, design) for system in systems}
