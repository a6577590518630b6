"""Methods side by side: what their plans promise, and what the same disruptions leave of it.

Realised figures are means of replications with Student-t intervals; differences between methods are paired,
because all plans met the same disruptions. CVaR is the mean of the worst replications
(Rockafellar and Uryasev 2000).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twinloop.numbers import Interval
from twinloop.replication.statistics import interval, paired
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.settings import ScheduleSettings
from twinloop.scheduling.solution import Solution, relative_gap

SCHEMA = {
    "method": pl.String,
    "status": pl.String,
    "objective": pl.Int64,
    "bound": pl.Int64,
    "gap": pl.Float64,
    "planned_makespan": pl.Int64,
    "planned_tardiness": pl.Int64,
    **{f"makespan_{figure}": pl.Float64 for figure in ("mean", "low", "high", "cvar")},
    **{f"tardiness_{figure}": pl.Float64 for figure in ("mean", "low", "high", "cvar")},
    **{f"difference_{figure}": pl.Float64 for figure in ("mean", "low", "high")},
    "reason": pl.String,
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """One row per method (`SCHEMA`; minutes), the first is the chosen one.

    gain: realised weighted tardiness (makespan where that is the objective) saved by the chosen method
    against `best_rule`, the other method of least realised mean; None when there is no other.
    """

    frame: pl.DataFrame
    best_rule: str | None
    gain: Interval | None

    @property
    def chosen(self) -> dict[str, Any]:
        """The chosen method's row."""
        return self.frame.row(0, named=True)


def compare(
    shop: JobShop, solutions: Sequence[Solution], executions: pl.DataFrame, settings: ScheduleSettings
) -> Comparison:
    """Join plans with their executions (`execution.replicate`); the first solution is the chosen one.

    Gaps are taken against the best bound that any method proved. `difference` is method − chosen in
    realised objective, paired by replication.
    """
    measure = "makespan" if settings.objective == "makespan" else "weighted_tardiness"
    bound = max(solution.bound for solution in solutions)
    values = {
        solution.method: {
            name: executions.filter(pl.col("method") == solution.method).sort("replication")[name].to_numpy()
            for name in ("makespan", "weighted_tardiness")
        }
        for solution in solutions
        if solution.plan is not None
    }
    chosen = solutions[0].method
    rows = []
    for solution in solutions:
        row: dict[str, Any] = {"method": solution.method, "status": solution.status, "reason": solution.reason}
        if solution.plan is not None and solution.objective is not None:
            realised = values[solution.method]
            row |= {"objective": solution.objective, "bound": bound, "gap": relative_gap(solution.objective, bound)}
            row["planned_makespan"] = solution.plan.makespan
            row["planned_tardiness"] = int(shop.weighted_tardiness(job_ends(solution.plan)))
            row |= _figures("makespan", realised["makespan"], settings)
            row |= _figures("tardiness", realised["weighted_tardiness"], settings)
            if solution.method != chosen:
                difference = paired(realised[measure], values[chosen][measure], confidence=settings.confidence)
                row |= _limits("difference", difference)
        rows.append(row)
    frame = pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in rows], schema=SCHEMA)
    others = {method: float(realised[measure].mean()) for method, realised in values.items() if method != chosen}
    if not others:
        return Comparison(frame, None, None)
    best = min(others, key=lambda method: others[method])
    return Comparison(
        frame, best, paired(values[best][measure], values[chosen][measure], confidence=settings.confidence)
    )


def cvar(values: ArrayLike, *, tail: float) -> float:
    """Mean of the worst (largest) share `tail` of the values, at least one of them.

    >>> cvar([1.0, 2.0, 3.0, 6.0], tail=0.5)
    4.5
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    return float(ordered[-max(1, math.ceil(tail * len(ordered) - 1e-9)) :].mean())


def _figures(name: str, values: NDArray[np.float64], settings: ScheduleSettings) -> dict[str, float]:
    limits = _limits(name, interval(values, confidence=settings.confidence))
    return limits | {f"{name}_cvar": cvar(values, tail=settings.tail)}


def _limits(name: str, limits: Interval) -> dict[str, float]:
    return {f"{name}_mean": limits.mean, f"{name}_low": limits.low, f"{name}_high": limits.high}
