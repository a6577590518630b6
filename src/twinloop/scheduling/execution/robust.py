"""Plans that stand the day: buffers where machines fail, a choice on scenarios, and what either costs.

Slack is inserted by planning with longer operations, each by the downtime and rework it is exposed to on its machine
(Mehta and Uzsoy 1998), and promising the times of that plan. Candidates from several solvers and slacks are judged on
training scenarios by a mixture of mean and CVaR (sample average approximation; Kleywegt, Shapiro and Homem-de-Mello
2002) and the chosen one on fresh ones, as the best of many looks better than it is.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.replication.statistics import interval, wilson
from twinloop.scheduling.execution.comparison import cvar
from twinloop.scheduling.execution.disruptions import Disruptions
from twinloop.scheduling.execution.execution import replicate
from twinloop.scheduling.execution.risk import cvar_interval
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import Alternative, JobShop, Operation
from twinloop.scheduling.problem.calendar import Closures
from twinloop.scheduling.solution import Solution

Measure = Literal["makespan", "weighted_tardiness"]
Planner = Callable[[JobShop], Solution]
PRICE = {
    "slack": pl.Float64,
    "risk_weight": pl.Float64,
    "plan": pl.String,
    "planned_makespan": pl.Int64,
    "planned": pl.Int64,
    **{f"realised_{end}": pl.Float64 for end in ("mean", "low", "high")},
    **{f"cvar{end}": pl.Float64 for end in ("", "_low", "_high")},
    **{f"kept{end}": pl.Float64 for end in ("", "_low", "_high")},
}


@dataclass(frozen=True)
class Trial:
    """How plans are judged: by which measure, on how many training and fresh scenarios, with which tail of CVaR."""

    measure: Measure = "makespan"
    training: int = 100
    fresh: int = 100
    tail: float = 0.1
    confidence: float = 0.95
    seed: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        if min(self.training, self.fresh) < 2:
            raise InputError(f"robust: training = {self.training}, fresh = {self.fresh}: expected at least 2 of each")
        if not 0 < self.tail < 1:
            raise InputError(f"robust: tail = {self.tail:g}: expected a number between 0 and 1")


@dataclass(frozen=True, eq=False)
class Choice:
    """The candidate of least score on training scenarios. scores: by name. fresh: its values on fresh scenarios [n]."""

    name: str
    plan: Plan
    scores: Mapping[str, float]
    fresh: NDArray[np.float64]


def exposure(disruptions: Disruptions, machine: str, minutes: int) -> float:
    """Expected minutes that downtime and rework add to so many minutes of work on a machine."""
    added = 0.0
    if machine in disruptions.breakdowns:
        failure, repair = disruptions.breakdowns[machine]
        added += minutes * repair / failure
    rework = disruptions.rework.get(machine)
    if rework is not None and rework.minutes is None:
        added += minutes * rework.probability / (1 - rework.probability)
    elif rework is not None and rework.minutes is not None:
        added += rework.probability * rework.minutes
    return added


def buffered(shop: JobShop, disruptions: Disruptions, *, slack: float) -> JobShop:
    """The shop with every operation longer by `slack` × its exposure, rounded up; frozen and awaited ones as they are.

    An operation after which the next one may not wait for any time gets no buffer, which could tear the two apart.
    Raises InputError for a negative slack.
    """
    if not 0 <= slack < math.inf:
        raise InputError(f"robust: slack = {slack:g}: expected a finite number of at least 0")
    fixed, closures = {(a.job, a.operation) for a in shop.frozen}, Closures(shop)
    jobs = []
    for job in shop.jobs:
        operations = []
        for number, operation in enumerate(job.operations):
            awaited = number + 1 < len(job.operations) and job.operations[number + 1].longest_wait is not None
            keep = awaited or operation.milestone or (job.name, number) in fixed
            operations.append(operation if keep else _longer(operation, disruptions, slack, closures))
        jobs.append(replace(job, operations=tuple(operations)))
    return replace(shop, jobs=tuple(jobs))


def _longer(operation: Operation, disruptions: Disruptions, slack: float, closures: Closures) -> Operation:
    """What cannot pause grows no longer than the longest opening."""
    modes = []
    for mode in operation.modes:
        longer = mode.duration + math.ceil(slack * exposure(disruptions, mode.machine, mode.duration))
        if not operation.resumable:
            longer = max(mode.duration, min(longer, closures.of(operation, mode.machine).longest()))
        modes.append(Alternative(mode.machine, longer))
    return replace(operation, duration=modes[0].duration, alternatives=tuple(modes[1:]))


def unbuffered(shop: JobShop, plan: Plan) -> Plan:
    """The plan of a buffered shop with the true durations: the buffers stay as free time behind each operation."""
    fixed, closures = set(shop.frozen), Closures(shop)
    assignments = []
    for a in plan:
        operation = shop.by_name[a.job].operations[a.operation]
        if a not in fixed:
            duration = operation.on(a.machine)
            least = operation.unbroken(duration)
            a = replace(a, end=int(closures.of(operation, a.machine).done(a.start, duration, least=least)))
        assignments.append(a)
    return Plan.of(assignments)


def candidates(
    shop: JobShop, disruptions: Disruptions, *, slacks: Sequence[float], planners: Mapping[str, Planner]
) -> dict[str, Plan]:
    """Plans by "solver, slack s", in this order; a planner that finds none at some slack has none there."""
    plans = {}
    for slack in slacks:
        longer = buffered(shop, disruptions, slack=slack)
        for name, planner in planners.items():
            plan = planner(longer).plan
            if plan is not None:
                plans[f"{name}, slack {slack:g}"] = unbuffered(shop, plan)
    return plans


def choose(
    shop: JobShop, plans: Mapping[str, Plan], disruptions: Disruptions, *, risk_weight: float, trial: Trial
) -> Choice:
    """The plan of least (1 − w) × mean + w × CVaR on training scenarios, with its values on fresh ones.

    Raises InputError for a weight outside 0 … 1 and without plans.
    """
    return _chosen(plans, _values(shop, plans, disruptions, trial), risk_weight, trial)


def price_of_slack(
    shop: JobShop, disruptions: Disruptions, planner: Planner, *, slacks: Sequence[float], trial: Trial
) -> pl.DataFrame:
    """One row per slack (`PRICE`): what the plan promises and what fresh scenarios make of it.

    kept: share of the scenarios in which the planned value of the measure is kept. A slack without a plan has no row.
    """
    named = candidates(shop, disruptions, slacks=slacks, planners={"plan": planner})
    values = _values(shop, named, disruptions, trial)
    rows = []
    for slack in slacks:
        name = f"plan, slack {slack:g}"
        if name in named:
            fresh = values[name][trial.training :]
            rows.append((slack, None, name, *_figures(shop, named[name], fresh, trial)))
    return pl.DataFrame(rows, schema=PRICE, orient="row")


def price_of_risk(
    shop: JobShop, plans: Mapping[str, Plan], disruptions: Disruptions, *, weights: Sequence[float], trial: Trial
) -> pl.DataFrame:
    """One row per risk weight (`PRICE`): the plan chosen with it, judged on the same fresh scenarios."""
    values = _values(shop, plans, disruptions, trial)
    rows = []
    for weight in weights:
        choice = _chosen(plans, values, weight, trial)
        rows.append((None, weight, choice.name, *_figures(shop, choice.plan, choice.fresh, trial)))
    return pl.DataFrame(rows, schema=PRICE, orient="row")


def _values(
    shop: JobShop, plans: Mapping[str, Plan], disruptions: Disruptions, trial: Trial
) -> dict[str, NDArray[np.float64]]:
    """By plan the measure on training scenarios, then on fresh ones."""
    count = trial.training + trial.fresh
    frame = replicate(shop, plans, disruptions, seed=trial.seed, replications=count, workers=trial.workers)
    return {name: frame.filter(pl.col("method") == name)[trial.measure].to_numpy() for name in plans}


def _chosen(
    plans: Mapping[str, Plan], values: Mapping[str, NDArray[np.float64]], weight: float, trial: Trial
) -> Choice:
    if not 0 <= weight <= 1:
        raise InputError(f"robust: risk weight = {weight:g}: expected a number from 0 to 1")
    if not plans:
        raise InputError("robust: expected at least one plan to choose from, got none")
    scores = {}
    for name in plans:
        training = values[name][: trial.training]
        scores[name] = float((1 - weight) * training.mean() + weight * cvar(training, tail=trial.tail))
    best = min(scores, key=lambda name: scores[name])
    return Choice(best, plans[best], scores, values[best][trial.training :])


def _figures(shop: JobShop, plan: Plan, fresh: NDArray[np.float64], trial: Trial) -> tuple[float, ...]:
    planned = plan.makespan if trial.measure == "makespan" else int(shop.weighted_tardiness(job_ends(plan)))
    mean = interval(fresh, confidence=trial.confidence)
    worst = cvar_interval(fresh, tail=trial.tail, confidence=trial.confidence)
    kept = wilson(int((fresh <= planned + 1e-6).sum()), len(fresh), confidence=trial.confidence)
    figures = [end for estimate in (mean, worst, kept) for end in (estimate.mean, estimate.low, estimate.high)]
    return (plan.makespan, planned, *figures)
