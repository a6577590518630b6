"""What maintenance windows in a plan are worth: the plan executed with and without them, on the same wear.

The machines of the windows fail by their wear. Its k-th life is the same with and without, as are all other
misfortunes, so that differences are paired.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from twinloop.contracts import Plan
from twinloop.errors import InputError, unknown
from twinloop.numbers import Interval
from twinloop.replication.statistics import interval, paired
from twinloop.replication.streams import Streams
from twinloop.scheduling.execution.disruptions import Disruptions, Luck
from twinloop.scheduling.execution.execution import each_replication, outcome
from twinloop.scheduling.execution.floor import Floor
from twinloop.scheduling.execution.maintenance import Maintained
from twinloop.scheduling.execution.wearing import Wearing
from twinloop.scheduling.problem import JobShop

WITHOUT, WITH = "without windows", "with windows"
MEASURES = ("cost", "failures", "failure_cost", "maintenance_cost", "weighted_tardiness", "makespan")
EXECUTIONS = {"plan": pl.String, "replication": pl.Int64, **dict.fromkeys(MEASURES, pl.Float64)}
ENDS = ("mean", "low", "high")
VALUE = {
    "figure": pl.String,
    **{f"{name}_{end}": pl.Float64 for name in ("without", "with", "difference") for end in ENDS},
}


@dataclass(frozen=True, eq=False)
class WindowsWorth:
    """executions: a row per plan and replication (`EXECUTIONS`, minutes and euro). frame: one per figure (`VALUE`)."""

    executions: pl.DataFrame
    frame: pl.DataFrame

    @property
    def saved(self) -> Interval:
        """Euro that the windows save, paired."""
        row = self.frame.row(by_predicate=pl.col("figure") == "cost", named=True)
        return Interval(-row["difference_mean"], -row["difference_high"], -row["difference_low"])


def windows_worth(
    shop: JobShop,
    plan: Plan,
    maintained: Maintained,
    wearing: Mapping[str, Wearing],
    disruptions: Disruptions,
    *,
    failure_cost: Mapping[str, float],
    delay_cost: Callable[[float, float], float],
    seed: int,
    replications: int,
    confidence: float = 0.95,
    workers: int = 1,
) -> WindowsWorth:
    """Execute the plan as it was, and that of `maintained` in its shop, in every replication.

    failure_cost: euro by machine. delay_cost: euro of a realised makespan and weighted tardiness in minutes. Raises
    InputError for a machine that the shop does not have, a window on one that does not wear, and a price that lacks.
    """
    for machine in (*wearing, *maintained.windows):
        if machine not in shop.machines:
            raise unknown("windows: machine", machine, shop.machines)
    for machine in maintained.windows:
        if machine not in wearing:
            raise InputError(f"windows: {machine} is maintained, but it is not said how it wears: add it to wearing")
    for machine in wearing:
        if machine not in failure_cost:
            raise InputError(f"windows: {machine} wears, but not what its failure costs: add it to failure_cost")
    renewed = {
        machine: replace(each, renewed=(maintained.windows[machine].start,)) if machine in maintained.windows else each
        for machine, each in wearing.items()
    }
    upkeep = float(maintained.frame["maintenance_cost"].sum())
    courses = {
        WITHOUT: (shop, plan, wearing, 0.0),
        WITH: (maintained.shop, maintained.plan, renewed, upkeep),
    }

    def one(replication: int) -> list[tuple[object, ...]]:
        rows = list[tuple[object, ...]]()
        for name, (each, planned, worn, maintenance) in courses.items():
            floor = Floor(each, planned, Luck(disruptions, Streams(seed, replication)), wearing=worn)
            makespan, tardiness = outcome(each, floor.finish())
            failures = {machine: state.failures for machine, state in floor.worn.items()}
            damage = sum(count * failure_cost[machine] for machine, count in failures.items())
            cost = damage + maintenance + delay_cost(makespan, tardiness)
            figures = (cost, float(sum(failures.values())), damage, maintenance, tardiness, makespan)
            rows.append((name, replication, *figures))
        return rows

    results = each_replication(one, range(replications), executions=len(courses), workers=workers)
    executions = pl.DataFrame([row for rows in results for row in rows], schema=EXECUTIONS, orient="row")
    return WindowsWorth(executions, _compared(executions, confidence))


def _compared(executions: pl.DataFrame, confidence: float) -> pl.DataFrame:
    before, after = (executions.filter(plan=name).sort("replication") for name in (WITHOUT, WITH))
    rows = []
    for figure in MEASURES:
        values = [np.asarray(table[figure], np.float64) for table in (before, after)]
        found = [interval(each, confidence=confidence) for each in values]
        difference = paired(values[1], values[0], confidence=confidence)
        rows.append((figure, *(end for each in (*found, difference) for end in (each.mean, each.low, each.high))))
    return pl.DataFrame(rows, schema=VALUE, orient="row")
