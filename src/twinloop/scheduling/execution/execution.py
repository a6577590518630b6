"""What a plan is worth on the floor: executed in SimPy with breakdowns, late material, rework and uncertain durations.

The plan's machine sequences are kept and operations start as early as these and all limits of the shop allow
(`floor.py`). Every plan meets exactly the same misfortune (`disruptions.py`), so that plans are compared pairwise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import joblib
import polars as pl

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.progress import track
from twinloop.replication.streams import Streams
from twinloop.scheduling.execution.disruptions import CALM, Disruptions, LateDeliveries, Luck, Rework
from twinloop.scheduling.execution.floor import Floor
from twinloop.scheduling.execution.progress import Realised
from twinloop.scheduling.problem import JobShop

__all__ = [
    "CALM",
    "EXECUTED",
    "REPLICATIONS",
    "Disruptions",
    "LateDeliveries",
    "Realised",
    "Rework",
    "each_replication",
    "execute",
    "outcome",
    "realised_frame",
    "replicate",
]

# Starting a process takes about as long as this many executions.
EXECUTIONS_PER_WORKER = 1000
REPLICATIONS = {"method": pl.String, "replication": pl.Int64, "makespan": pl.Float64, "weighted_tardiness": pl.Float64}

EXECUTED = {
    "job": pl.String,
    "operation": pl.Int64,
    "machine": pl.String,
    "planned_start": pl.Int64,
    "planned_end": pl.Int64,
    "start": pl.Float64,
    "end": pl.Float64,
}
T = TypeVar("T")


def execute(
    shop: JobShop, plan: Plan, disruptions: Disruptions, *, seed: int, replication: int
) -> tuple[Realised, ...]:
    """Run `plan` once, in the order of realised starts.

    Raises InputError for a plan without operations, RunError that names what waits for what when the plan's sequences
    block each other.
    """
    if not len(plan):
        raise InputError("execution: expected a plan with operations, got an empty one: plan the shop first")
    floor = Floor(shop, plan, Luck(disruptions, Streams(seed, replication)))
    return tuple(sorted(floor.finish(), key=lambda r: (r.start, r.planned.machine)))


def outcome(shop: JobShop, realised: Sequence[Realised]) -> tuple[float, float]:
    """(makespan, weighted tardiness) of one execution, in minutes."""
    ends: dict[str, float] = {}
    for item in realised:
        ends[item.planned.job] = max(ends.get(item.planned.job, 0.0), item.end)
    return max(ends.values()), float(shop.weighted_tardiness(ends))


def realised_frame(realised: Sequence[Realised]) -> pl.DataFrame:
    """One row per operation: job, operation, machine, planned_start, planned_end, start, end (minutes)."""
    return pl.DataFrame(
        [
            (r.planned.job, r.planned.operation, r.planned.machine, r.planned.start, r.planned.end, r.start, r.end)
            for r in realised
        ],
        schema=EXECUTED,
        orient="row",
    )


def replicate(
    shop: JobShop,
    plans: Mapping[str, Plan],
    disruptions: Disruptions,
    *,
    seed: int,
    replications: int,
    first: int = 0,
    workers: int = 1,
) -> pl.DataFrame:
    """Execute every plan in every replication: method, replication, makespan, weighted_tardiness (minutes).

    Within a replication all plans meet the same breakdowns and durations; `workers` changes only the time. Replications
    are numbered from `first`: other numbers are other luck.
    """

    def one(replication: int) -> list[tuple[str, int, float, float]]:
        rows = []
        for method, plan in plans.items():
            realised = execute(shop, plan, disruptions, seed=seed, replication=replication)
            rows.append((method, replication, *outcome(shop, realised)))
        return rows

    results = each_replication(one, range(first, first + replications), executions=len(plans), workers=workers)
    return pl.DataFrame([row for rows in results for row in rows], schema=REPLICATIONS, orient="row")


def each_replication(one: Callable[[int], T], numbers: range, *, executions: int, workers: int = 1) -> list[T]:
    """Call `one` for every replication, each of so many executions, in processes where that pays."""
    if isinstance(workers, bool) or not isinstance(workers, int) or workers == 0:
        raise InputError(f"workers = {workers!r}: expected a number of processes ≥ 1, or −1 for one per core")
    results: Iterable[T] = map(one, numbers)
    workers = min(workers, len(numbers) * executions // EXECUTIONS_PER_WORKER)
    if workers > 1:
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator")
        results = parallel(joblib.delayed(one)(number) for number in numbers)
    return list(track(results, "replication", len(numbers)))
