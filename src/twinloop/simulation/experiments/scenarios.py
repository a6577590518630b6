"""What if: named changes of a line beside the line as it is, on the same random numbers.

Several comparisons at once find something by chance more often than one: intervals hold together (Bonferroni), and
what is called sure is so after Holm's adjustment.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import polars as pl

from twinloop.config.reading import read_yaml
from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.replication.statistics import holm, interval, p_value
from twinloop.simulation.experiments.design import PROFIT, How
from twinloop.simulation.experiments.experiment import Scenario, run_scenarios
from twinloop.simulation.experiments.result import Comparison, Result
from twinloop.simulation.experiments.selection import subset
from twinloop.simulation.model.line import Line

TODAY, THRESHOLD, BAND = "today", "threshold", "band"
Changes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Results by name, the line as it is first; `found["bigger buffer"]` is its paired comparison with today."""

    results: Mapping[str, Result]

    @property
    def today(self) -> Result:
        """The line as it is."""
        return next(iter(self.results.values()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __getitem__(self, name: str) -> Comparison:
        """What the scenario of that name changes. Raises InputError for a name that does not exist."""
        if name not in self.results:
            raise InputError(f"simulate: unknown scenario {name!r}; known: {', '.join(self.results)}")
        return self.today.compare(self.results[name])

    def frame(self, kpi: str = PROFIT) -> pl.DataFrame:
        """One row per scenario: scenario, mean, low, high, change, change_low, change_high, p, sure.

        low and high are those of each mean alone; the changes' intervals hold all at once. p is Holm's, and sure says
        that it is below one minus the confidence; both are null for the line as it is.
        """
        today = self.today
        others = list(self.results.values())[1:]
        changes = [result.sample(kpi) - today.sample(kpi) for result in others]
        chance = 1 - today.confidence
        p = holm([p_value(change) for change in changes])
        rows: list[tuple[object, ...]] = [(today.name, *_ends(today, kpi), 0.0, 0.0, 0.0, None, None)]
        for result, change, probability in zip(others, changes, p.tolist(), strict=True):
            found = interval(change, confidence=1 - chance / len(others))
            rows.append(
                (result.name, *_ends(result, kpi), found.mean, found.low, found.high, probability, probability < chance)
            )
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def best(self, kpi: str = PROFIT, *, smallest: bool = False) -> tuple[str, ...]:
        """The scenarios that may be the best: the largest mean of `kpi`, or the smallest, is surely among them."""
        sign = -1.0 if smallest else 1.0
        figures = {name: sign * result.values(kpi) for name, result in self.results.items()}
        return subset(figures, confidence=self.today.confidence)

    def _repr_html_(self) -> str:
        from twinloop.simulation.figures.experiments import side_by_side_table

        return side_by_side_table(self)


SCHEMA = {
    "scenario": pl.String,
    **dict.fromkeys(("mean", "low", "high", "change", "change_low", "change_high", "p"), pl.Float64),
    "sure": pl.Boolean,
}


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
        raise InputError(f"simulate: expected scenarios of other names, {reason}: name what you want to change")
    return SideBySide(run_scenarios((today, *(changed(today, *item) for item in named.items())), **how))


def read_changes(path: str | Path) -> dict[str, dict[str, Any]]:
    """Scenarios from a YAML file: name → dotted path → value, {scale: 0.8} or {add: 4}.

    Raises InputError for a file that cannot be read or does not look like that.
    """
    try:
        found = read_yaml(Path(path), f"scenarios: {path}")
    except OSError as error:
        raise InputError(f"scenarios: {path}: cannot be read ({error.strerror}): give the path of a YAML") from None
    if not isinstance(found, dict) or not all(isinstance(paths, dict) for paths in found.values()):
        raise InputError(
            f"scenarios: {path}: expected name → dotted path → value, such as 'bigger buffer: {{buffer_2: 12}}'"
        )
    return {str(name): {str(key): value for key, value in paths.items()} for name, paths in found.items()}


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
        raise InputError(f"simulate: scenario {name!r}: {error}") from None


def _probability(path: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(f"{path} = {value!r}: expected a number in [0, 1]")
    return float(value)


def _ends(result: Result, kpi: str) -> tuple[float, float, float]:
    found = result[kpi]
    return found.mean, found.low, found.high
