"""What if: named changes of a line beside the line as it is, on the same random numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Unpack

from twinloop.config.reading import read_yaml
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.replication import side_by_side as replication
from twinloop.replication.side_by_side import TODAY
from twinloop.simulation.experiments.design import PROFIT, How
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.model.line import Line

THRESHOLD, BAND = "threshold", "band"
Changes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class SideBySide(replication.SideBySide):
    """Lines beside the line as it is; `results["bigger buffer"]` is its paired comparison with today."""

    shown: ClassVar[tuple[str, ...]] = (PROFIT, "throughput_per_day", "wip")
    results: Mapping[str, Result]

    def conditions(self) -> str:
        today = next(iter(self.results.values()))
        return f"{len(today.replications)} × {today.days:g} days each, same random numbers, engine {today.engine}"


def side_by_side(
    line: Line,
    changes: Changes | str | Path,
    *,
    curve: OperatingCurve | None = None,
    latency_ms: float = 0.0,
    **how: Unpack[How],
) -> SideBySide:
    """Run `line` and every scenario of `changes` (name → dotted path → value) with common random numbers.

    changes: also the path of a YAML file that holds them. The other keywords are the fields of `Design`.
    Raises InputError for an empty experiment, a scenario called today and a change that does not fit the line.
    """
    today = Scenario(TODAY, line, curve, latency_ms)
    named = read_changes(changes) if isinstance(changes, str | Path) else changes
    if not named or TODAY in named:
        reason = f"{TODAY!r} is the line as it is" if named else "got none"
        raise InputError(f"compare: expected scenarios of other names, {reason}: name what you want to change")
    return SideBySide(run_scenarios((today, *(changed(today, *item) for item in named.items())), **how))


def read_changes(path: str | Path) -> dict[str, dict[str, Any]]:
    """Scenarios from a YAML file: name → dotted path → value, {scale: 0.8} or {add: 4}.

    Raises InputError for a file that cannot be read or does not look like that.
    """
    try:
        scenarios = read_yaml(Path(path), f"scenarios: {path}")
    except OSError as error:
        raise InputError(f"scenarios: {path}: cannot be read ({error.strerror}): give the path of a YAML") from None
    if not isinstance(scenarios, dict) or not all(isinstance(paths, dict) for paths in scenarios.values()):
        raise InputError(
            f"scenarios: {path}: expected name → dotted path → value, such as 'bigger buffer: {{buffer_2: 12}}'"
        )
    return {str(name): {str(key): value for key, value in paths.items()} for name, paths in scenarios.items()}


def changed(today: Scenario, name: str, changes: Mapping[str, Any]) -> Scenario:
    """Today's scenario under another name, with changes by dotted path of the line.

    Two more paths move the inspection: `threshold` (accept below) and `band` (reject from that much above it).
    Raises InputError, naming the scenario, for a change that does not fit.
    """
    paths = {path: value for path, value in changes.items() if path not in (THRESHOLD, BAND)}
    scenario = replace(today, name=name)
    try:
        if len(paths) < len(changes):
            accept_below = _probability(THRESHOLD, changes.get(THRESHOLD, today.measured.accept_below))
            band = _probability(BAND, changes.get(BAND, today.measured.reject_from - today.measured.accept_below))
            scenario = scenario.at(accept_below, min(accept_below + band, 1.0))
        return replace(scenario, line=scenario.line.with_(paths)) if paths else scenario
    except InputError as error:
        raise InputError(f"scenario {name!r}: {error}") from None


def _probability(path: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(f"{path} = {value!r}: expected a number in [0, 1]")
    return float(value)
