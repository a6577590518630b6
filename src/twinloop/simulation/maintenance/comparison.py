"""Maintenance policies side by side, against running to failure and against an oracle, with the same wear.

The k-th life of a machine is the same under every policy, so differences are paired.
The oracle uses every life to its last minute and never has a breakdown. Where repairs and maintenance restore fully and
a maintenance takes and costs no more than a failure, no policy has a lower expected upkeep cost.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Unpack

import polars as pl

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.html import table
from twinloop.numbers import Interval, fixed
from twinloop.replication.result import warned
from twinloop.replication.statistics import Sample, interval
from twinloop.simulation.experiments.design import How
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.maintenance.policies import with_policy
from twinloop.simulation.maintenance.upkeep import COST, FAILURE, FIGURES, ORACLE, upkeep_figures
from twinloop.simulation.model.line import Line

NUMBERS = ("mean", "low", "high", "against_oracle", "against_low", "against_high")


@dataclass(frozen=True, eq=False)
class PolicyComparison:
    """Figures of every policy by name, as samples over the same replications; the oracle is one of them.

    upkeep_cost_per_part: breakdowns, repair hours and maintenances, per part shipped. availability: share of their time
    in which machines are neither down nor in maintenance, mean over all machines.
    """

    samples: Mapping[str, Mapping[str, Sample]]
    results: Mapping[str, Result]
    confidence: float

    def figure(self, policy: str, name: str = COST) -> Interval:
        """The interval of one figure. Raises KeyError for a policy or a figure that does not exist."""
        kpi, _ = FIGURES[name]
        return kpi.within(interval(self.samples[policy][name], confidence=self.confidence))

    def regret(self, policy: str, name: str = COST) -> Interval:
        """The paired difference of one figure to the oracle's."""
        kpi, _ = FIGURES[name]
        regret = self.samples[policy][name] - self.samples[ORACLE][name]
        return kpi.change_within(interval(regret, confidence=self.confidence))

    @property
    def ranking(self) -> tuple[str, ...]:
        """The policies by mean upkeep cost, the cheapest first, without the oracle."""
        costs = {name: float(figures[COST].values.mean()) for name, figures in self.samples.items() if name != ORACLE}
        return tuple(sorted(costs, key=lambda name: costs[name]))

    def frame(self) -> pl.DataFrame:
        """One row per policy and figure: mean, low, high, and the paired difference to the oracle with its interval."""
        rows = []
        for policy in (ORACLE, *self.ranking):
            for name, (kpi, _) in FIGURES.items():
                own, regret = self.figure(policy, name), self.regret(policy, name)
                ends = (own.mean, own.low, own.high, regret.mean, regret.low, regret.high)
                rows.append((policy, name, kpi.title, kpi.unit, *ends))
        return pl.DataFrame(rows, schema=["policy", "figure", "title", "unit", *NUMBERS], orient="row")

    def _repr_html_(self) -> str:
        shown, digits = FIGURES[COST]
        others = {name: places for name, (_, places) in FIGURES.items() if name != COST}
        rows = []
        for policy in (ORACLE, *self.ranking):
            cost, regret = self.figure(policy), self.regret(policy)
            more = "" if policy == ORACLE else f"{fixed(regret.low, digits)} … {fixed(regret.high, digits)}"
            cells = [f"{fixed(cost.mean, digits)} ({fixed(cost.low, digits)} … {fixed(cost.high, digits)})", more]
            cells += [fixed(self.figure(policy, name).mean, places) for name, places in others.items()]
            rows.append((policy, *cells))
        heads = [FIGURES[name][0].heading for name in others]
        result = self.results[ORACLE]
        caption = (
            f"{len(result.replications)} × {result.days:g} days each with the same wear; "
            f"{100 * self.confidence:g} % intervals, those against the oracle paired; "
            f"cheapest: {self.ranking[0]}"
        )
        face = table(caption, ("", shown.heading, "more than the oracle", *heads), rows)
        return warned(face, [result.warning for result in self.results.values()])


def compare_policies(
    line: Line, policies: Mapping[str, Line], *, curve: OperatingCurve | None = None, **how: Unpack[How]
) -> PolicyComparison:
    """Every policy, as a line of its own (`with_policy`, `with_prediction`), beside run to failure and the oracle.

    The keywords are the fields of `Design`; prices are those of its economy. Replication r uses draw 1 + r mod draws of
    a predictor, and again its estimate, so that the intervals hold what is not known about the predictor; they err on
    the wide side, as other alerts also change the luck of the days.
    Raises InputError for a name that is taken and for a line without maintenance.
    """
    taken = sorted({ORACLE, FAILURE} & set(policies))
    if taken:
        raise InputError(f"maintenance: the policy {taken[0]!r} is always compared: give yours another name")
    lines = {FAILURE: with_policy(line, "failure"), **policies, ORACLE: with_policy(line, "oracle")}
    estimates = {f"{name}, estimate": _estimate(line) for name, line in lines.items() if _estimate(line) is not line}
    scenarios = [Scenario(name, each, curve) for name, each in {**lines, **estimates}.items()]
    results = run_scenarios(scenarios, **how)
    samples = {name: _samples(results[name], results.get(f"{name}, estimate")) for name in lines}
    return PolicyComparison(samples, {name: results[name] for name in lines}, results[ORACLE].confidence)


def _estimate(line: Line) -> Line:
    """The line whose predictors are their estimates; the same line where nothing was drawn."""
    stations = []
    for station in line.stations:
        maintenance = station.maintenance
        if maintenance and maintenance.predictor and maintenance.predictor.draws:
            predictor = maintenance.predictor
            first = dataclasses.replace(
                predictor,
                recall=predictor.recall[:1],
                lead_hours=predictor.lead_hours[:1],
                false_alarms_per_hour=predictor.false_alarms_per_hour[:1],
            )
            station = dataclasses.replace(station, maintenance=dataclasses.replace(maintenance, predictor=first))
        stations.append(station)
    changed = any(new is not old for new, old in zip(stations, line.stations, strict=True))
    return dataclasses.replace(line, stations=tuple(stations)) if changed else line


def _samples(drawn: Result, estimate: Result | None) -> dict[str, Sample]:
    """Figures of a policy; `estimate` is its run without draws of the predictor, where there are any."""
    values, undrawn = upkeep_figures(drawn.replications, drawn.line), estimate or drawn
    if estimate is None and undrawn.estimate is None:
        return {name: Sample(values[name]) for name in FIGURES}
    rows = undrawn.replications if undrawn.estimate is None else undrawn.estimate
    estimates = upkeep_figures(rows, drawn.line)
    return {name: Sample(values[name], estimates[name]) for name in FIGURES}
