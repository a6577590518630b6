"""What a plan risks: the distribution of makespan and tardiness, who will be late, and which machine it hangs on.

CVaR is the mean of the worst replications (Rockafellar and Uryasev 2000), its interval that of the mean of
VaR + excess / tail (Hong, Hu and Liu 2014). A machine's criticality is how
often it carries more of the critical path than any other.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twinloop.contracts import Plan
from twinloop.numbers import Interval
from twinloop.replication.statistics import interval, paired, wilson
from twinloop.scheduling.critical import critical_path
from twinloop.scheduling.execution.disruptions import Disruptions
from twinloop.scheduling.execution.execution import REPLICATIONS, Realised, each_replication, execute, outcome
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import JobShop

Floats = NDArray[np.float64]
MEASURES = ("makespan", "weighted_tardiness")
FIGURES = ("mean", "low", "high", "cvar", "cvar_low", "cvar_high")
SUMMARY = {
    "method": pl.String,
    **{f"planned_{measure}": pl.Int64 for measure in MEASURES},
    **{f"{measure}_{figure}": pl.Float64 for measure in MEASURES for figure in FIGURES},
}
LATE = {
    "method": pl.String,
    "job": pl.String,
    "due": pl.Int64,
    "planned_end": pl.Int64,
    "late": pl.Float64,
    "late_low": pl.Float64,
    "late_high": pl.Float64,
    "lateness_mean": pl.Float64,
}
MACHINES = {
    "method": pl.String,
    "machine": pl.String,
    **{f"{name}{end}": pl.Float64 for name in ("criticality", "share") for end in ("", "_low", "_high")},
}


class _Placed(NamedTuple):
    """A realised operation as the critical path reads it."""

    job: str
    operation: int
    machine: str
    start: float
    end: float

    @classmethod
    def of(cls, r: Realised) -> "_Placed":
        return cls(r.planned.job, r.planned.operation, r.planned.machine, r.start, r.end)


@dataclass(frozen=True, eq=False)
class Risks:
    """Tables of one or more plans under the same disruptions, times in minutes.

    summary: one row per method (`SUMMARY`). late: per method and job with a due date, the probability of being late
    and the mean lateness. machines: criticality, and mean share of the critical path. replications: as from
    `replicate`.
    """

    summary: pl.DataFrame
    late: pl.DataFrame
    machines: pl.DataFrame
    replications: pl.DataFrame

    def critical(self, method: str) -> str:
        """The machine that most often carries the critical path."""
        rows = self.machines.filter(pl.col("method") == method).sort("criticality", "share", descending=True)
        return str(rows["machine"][0])


def assess(
    shop: JobShop,
    plans: Mapping[str, Plan],
    disruptions: Disruptions,
    *,
    seed: int,
    replications: int,
    tail: float = 0.1,
    confidence: float = 0.95,
    workers: int = 1,
) -> Risks:
    """Execute every plan in every replication under common disruptions, at least two; `workers` changes only the time.

    Raises InputError for a plan without operations.
    """
    jobs = [job.name for job in shop.jobs]

    def one(replication: int) -> dict[str, tuple[tuple[float, float], list[float], list[float]]]:
        by_method = {}
        for method, plan in plans.items():
            realised = execute(shop, plan, disruptions, seed=seed, replication=replication)
            ends = {r.planned.job: r.end for r in sorted(realised, key=lambda r: r.planned.operation)}
            minutes = critical_path(shop, (_Placed.of(r) for r in realised)).carried
            by_method[method] = (
                outcome(shop, realised),
                [ends.get(name, math.nan) for name in jobs],
                [minutes.get(machine, 0.0) for machine in shop.machines],
            )
        return by_method

    results = each_replication(one, range(replications), executions=len(plans), workers=workers)
    summary, late, machines, rows = (list[tuple[object, ...]]() for _ in range(4))
    for method, plan in plans.items():
        values = np.array([result[method][0] for result in results])
        rows += [(method, number, *pair) for number, pair in enumerate(values.tolist())]
        planned = (plan.makespan, int(shop.weighted_tardiness(job_ends(plan))))
        figures = [figure for column in values.T for figure in _figures(column, tail, confidence)]
        summary.append((method, *planned, *figures))
        ends = np.array([result[method][1] for result in results])
        late += _late(shop, method, plan, ends, confidence)
        machines += _machines(shop, method, np.array([result[method][2] for result in results]), confidence)
    return Risks(
        pl.DataFrame(summary, schema=SUMMARY, orient="row"),
        pl.DataFrame(late, schema=LATE, orient="row"),
        pl.DataFrame(machines, schema=MACHINES, orient="row"),
        pl.DataFrame(rows, schema=REPLICATIONS, orient="row"),
    )


def cvar_terms(values: ArrayLike, *, tail: float) -> Floats:
    """[n] numbers whose mean is `comparison.cvar`: VaR + excess over VaR / tail, the tail counted in whole values."""
    costs = np.asarray(values, dtype=np.float64)
    worst = max(1, int(np.ceil(tail * len(costs) - 1e-9)))
    var = np.sort(costs)[-worst]
    terms: Floats = var + np.maximum(0.0, costs - var) * len(costs) / worst
    return terms


def cvar_interval(values: ArrayLike, *, tail: float, confidence: float = 0.95) -> Interval:
    """CVaR of replications with its confidence limits; at least two values."""
    return interval(cvar_terms(values, tail=tail), confidence=confidence)


def cvar_difference(values: ArrayLike, baseline: ArrayLike, *, tail: float, confidence: float = 0.95) -> Interval:
    """CVaR of `values` less that of `baseline`, paired by replication."""
    return paired(cvar_terms(values, tail=tail), cvar_terms(baseline, tail=tail), confidence=confidence)


def _figures(values: Floats, tail: float, confidence: float) -> tuple[float, ...]:
    mean = interval(values, confidence=confidence)
    worst = cvar_interval(values, tail=tail, confidence=confidence)
    return mean.mean, mean.low, mean.high, worst.mean, worst.low, worst.high


def _late(shop: JobShop, method: str, plan: Plan, ends: Floats, confidence: float) -> list[tuple[object, ...]]:
    planned, rows = job_ends(plan), list[tuple[object, ...]]()
    for job, column in zip(shop.jobs, ends.T, strict=True):
        if job.due is not None and job.name in planned:
            share = wilson(int((column > job.due).sum()), len(column), confidence=confidence)
            mean = float(np.maximum(0.0, column - job.due).mean())
            rows.append((method, job.name, job.due, planned[job.name], share.mean, share.low, share.high, mean))
    return rows


def _machines(shop: JobShop, method: str, minutes: Floats, confidence: float) -> Sequence[tuple[object, ...]]:
    shares = minutes / minutes.sum(axis=1, keepdims=True)
    most = shares.argmax(axis=1)
    rows = list[tuple[object, ...]]()
    for m, machine in enumerate(shop.machines):
        often = wilson(int((most == m).sum()), len(most), confidence=confidence)
        mean = interval(shares[:, m], confidence=confidence)
        rows.append((method, machine, often.mean, often.low, often.high, mean.mean, mean.low, mean.high))
    return rows
