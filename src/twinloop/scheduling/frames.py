"""Plans, machines' time and searches as tables, for figures and for CSV; times in the shop's units.

`timeline` is what both Gantt charts draw: it says what every machine does when, with set-ups, pauses and closed
windows. The load of a machine adds it up, so that work, set-up, closed and idle time make the makespan.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.critical import CriticalPath, critical_path
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import JobShop, Window
from twinloop.scheduling.problem.calendar import Closures, joined
from twinloop.scheduling.solution import Solution

PLAN = {
    "job": pl.String,
    "operation": pl.Int64,
    "machine": pl.String,
    "setup": pl.Int64,
    "start": pl.Int64,
    "end": pl.Int64,
    "paused": pl.Int64,
    "due": pl.Int64,
    "late": pl.Int64,
    "critical": pl.Boolean,
}
TIMELINE = {
    "machine": pl.String,
    "kind": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "job": pl.String,
    "operation": pl.Int64,
}
LOAD = {"machine": pl.String, "work": pl.Int64, "setup": pl.Int64, "closed": pl.Int64, "idle": pl.Int64}
JOBS = {"job": pl.String, "operations": pl.Int64, "start": pl.Int64, "end": pl.Int64, "due": pl.Int64}
PATH = {
    "job": pl.String,
    "operation": pl.Int64,
    "machine": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "reason": pl.String,
    "cause": pl.String,
}
TRACE = {"method": pl.String, "wall_s": pl.Float64, "objective": pl.Int64, "bound": pl.Int64}


def plan_frame(shop: JobShop, plan: Plan) -> pl.DataFrame:
    """One row per operation (`PLAN`): set-up before it, pauses in it, due date and lateness of its job."""
    return _plan_frame(shop, plan, critical_path(shop, plan))


def chart_frames(shop: JobShop, plan: Plan) -> dict[str, Any]:
    """The tables that `figures.gantt.gantt` draws, by the names of its arguments."""
    path = critical_path(shop, plan)
    gone = {order: shop.by_name[order].price or 0 for order in shop.left_out(plan)}
    return {
        **({"left_out": gone} if gone else {}),
        "machines": shop.machines,
        "work": timeline(shop, plan),
        "operations": _plan_frame(shop, plan, path),
        "jobs": jobs_frame(shop, plan),
        "path": path_frame(path),
    }


def jobs_frame(shop: JobShop, plan: Plan) -> pl.DataFrame:
    """One row per planned job (`JOBS`): its operations, from its first start, or that of its lots, to its last end."""
    ends, starts = job_ends(plan), {a.job: a.start for a in reversed(plan.assignments)}
    for lot in shop.jobs:
        if lot.part_of in starts and lot.name in starts:
            starts[lot.part_of] = min(starts[lot.part_of], starts[lot.name])
    rows = [
        (job.name, len(job.operations), starts[job.name], ends[job.name], job.due)
        for job in shop.jobs
        if job.name in ends
    ]
    return pl.DataFrame(rows, schema=JOBS, orient="row")


def path_frame(path: CriticalPath) -> pl.DataFrame:
    """One row per step of a critical path (`PATH`) in the order of time, with what held it."""
    rows = [
        (s.placed.job, s.placed.operation, s.placed.machine, s.placed.start, s.placed.end, s.reason, s.cause)
        for s in path.steps
    ]
    return pl.DataFrame(rows, schema=PATH, orient="row")


def _plan_frame(shop: JobShop, plan: Plan, path: CriticalPath) -> pl.DataFrame:
    ends, critical, setups, closures = job_ends(plan), path.keys, _setups(shop, plan), Closures(shop)
    rows = []
    for a in plan:
        due = shop.by_name[a.job].due
        paused = sum(window.end - window.start for window in _pauses(shop, a, closures))
        late = None if due is None else max(0, ends[a.job] - due)
        row = (a.job, a.operation, a.machine, setups[a], a.start, a.end, paused, due, late)
        rows.append((*row, (a.job, a.operation) in critical))
    return pl.DataFrame(rows, schema=PLAN, orient="row")


def timeline(shop: JobShop, plan: Plan) -> pl.DataFrame:
    """What every machine does (`TIMELINE`), kind by kind: closed, setup, work, pause; idle is what is left.

    A closed window says nothing of jobs. A set-up, which may fall into a closed window, is shown right before its
    operation. Closed windows end with the plan.
    """
    rows: list[tuple[Any, ...]] = []
    setups, closures = _setups(shop, plan), Closures(shop)
    for machine in shop.machines:
        for window in closures.on(machine).windows(plan.makespan).within(0, plan.makespan):
            rows.append((machine, "closed", window.start, min(window.end, plan.makespan), None, None))
    for a in plan:
        if setups[a]:
            rows.append((a.machine, "setup", a.start - setups[a], a.start, a.job, a.operation))
        time = a.start
        for window in _pauses(shop, a, closures):
            rows.append((a.machine, "work", time, window.start, a.job, a.operation))
            rows.append((a.machine, "pause", window.start, window.end, a.job, a.operation))
            time = window.end
        rows.append((a.machine, "work", time, a.end, a.job, a.operation))
    return pl.DataFrame(rows, schema=TIMELINE, orient="row")


def load_frame(shop: JobShop, plan: Plan) -> pl.DataFrame:
    """One row per machine (`LOAD`): how its time from 0 to the makespan is spent; pauses are closed time."""
    spans: dict[tuple[str, str], list[Window]] = defaultdict(list)
    for machine, kind, start, end, _, _ in timeline(shop, plan).iter_rows():
        spans[machine, "closed" if kind == "pause" else kind].append(Window(max(0, start), max(0, end)))
    rows = []
    for machine in shop.machines:
        # In an oven several operations work at once.
        work, setup = (_total(joined(spans[machine, kind])) for kind in ("work", "setup"))
        # What is worked or set up in closed time (a frozen operation, a set-up) is not closed time.
        busy = joined((*spans[machine, "work"], *spans[machine, "setup"]))
        closed = _total(joined((*busy, *spans[machine, "closed"]))) - _total(busy)
        rows.append((machine, work, setup, closed, plan.makespan - work - setup - closed))
    return pl.DataFrame(rows, schema=LOAD, orient="row")


def trace_frame(solutions: Iterable[Solution]) -> pl.DataFrame:
    """Every incumbent of every method (`TRACE`) by seconds since its search began; none for methods without a trace."""
    rows = [(s.method, plan.wall_s, plan.objective, plan.bound) for s in solutions for plan in s.trace]
    return pl.DataFrame(rows, schema=TRACE, orient="row")


def _setups(shop: JobShop, plan: Plan) -> Mapping[Assignment, int]:
    """Set-up time right before every operation."""
    rows: dict[str, list[Assignment]] = defaultdict(list)
    for a in plan:
        if not shop.by_name[a.job].operations[a.operation].milestone:
            rows[a.machine].append(a)
    times = dict.fromkeys(plan, 0)
    for machine, row in rows.items():
        families = [shop.by_name[a.job].operations[a.operation].family for a in row]
        times |= dict(zip(row, shop.row_setups(machine, families), strict=True))
    return times


def _pauses(shop: JobShop, a: Assignment, closures: Closures) -> Iterator[Window]:
    operation = shop.by_name[a.job].operations[a.operation]
    if operation.resumable and a not in shop.frozen:
        windows = closures.of(operation, a.machine).windows(a.end).within(a.start, a.end)
        yield from (w for w in windows if a.start < w.start and w.end < a.end)


def _total(windows: Sequence[Window]) -> int:
    return sum(window.end - window.start for window in windows)
