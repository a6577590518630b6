"""Why firm due dates cannot all be met, in words a planner can act on.

Three looks, from cheap to thorough: a job whose route alone is too long; a machine that must do more
work inside a window than the window holds; and, where neither shows, a smallest set of jobs that
CP-SAT proves impossible together (deletion filter, Chinneck 2008, ch. 6).
"""

import dataclasses
from collections.abc import Sequence

from ortools.sat.python import cp_model

from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.solvers.cpsat import build, latest_ends, solver

# The smallest set of jobs is looked for with this many deterministic seconds for each trial.
TRIAL_LIMIT = 0.5


@dataclasses.dataclass(frozen=True)
class Window:
    """One operation's duration and the times between which it must lie."""

    job: str
    opens: int
    closes: int
    duration: int


def explain(shop: JobShop, *, seed: int) -> str:
    """One line that names the jobs and machines in conflict, for a shop whose due dates cannot all be met."""
    limits = latest_ends(shop, "makespan", incumbent=None)
    hopeless = [job for job in shop.jobs if limits[job.name] < shop.shortest(job.name)]
    reasons = [
        f"job {job.name} cannot meet its due date {job.due}: shortest route ends at {shop.shortest(job.name)}"
        if job.firm
        else f"job {job.name} cannot end by {limits[job.name]}, when jobs after it must start: "
        f"shortest route ends at {shop.shortest(job.name)}"
        for job in hopeless
    ]
    names = {job.name for job in hopeless}
    for machine, windows in _windows(shop, limits, without=names).items():
        if tight := _overfull(windows):
            opens, closes = min(w.opens for w in tight), max(w.closes for w in tight)
            work = sum(w.duration for w in tight)
            reasons.append(f"{_jobs(tight)} conflict on {machine}: {work} of work between {opens} and {closes}")
    return "; ".join(reasons) or _smallest_set(shop, seed=seed)


def _windows(shop: JobShop, limits: dict[str, int], *, without: set[str]) -> dict[str, list[Window]]:
    found: dict[str, list[Window]] = {}
    for job in shop.jobs:
        if job.name in without or limits[job.name] >= shop.horizon:
            continue
        tail = job.work
        for operation, head in zip(job.operations, shop.heads[job.name], strict=True):
            tail -= operation.duration
            window = Window(job.name, head, limits[job.name] - tail, operation.duration)
            found.setdefault(operation.machine, []).append(window)
    return found


def _overfull(windows: Sequence[Window]) -> list[Window]:
    """Operations that together need more time than lies between the first opening and the last closing."""
    for opens in sorted({w.opens for w in windows}, reverse=True):
        for closes in sorted({w.closes for w in windows}):
            inside = [w for w in windows if w.opens >= opens and w.closes <= closes]
            if sum(w.duration for w in inside) > closes - opens:
                return _without_spare(inside)
    return []


def _without_spare(inside: list[Window]) -> list[Window]:
    for window in sorted(inside, key=lambda w: w.duration):
        rest = [w for w in inside if w is not window]
        if rest and sum(w.duration for w in rest) > max(w.closes for w in rest) - min(w.opens for w in rest):
            inside = rest
    return inside


def _jobs(windows: Sequence[Window]) -> str:
    names = list(dict.fromkeys(w.job for w in windows))
    return _listed(names) if len(names) > 1 else f"operations of job {names[0]}"


def _listed(names: Sequence[str]) -> str:
    return f"jobs {', '.join(names[:-1])} and {names[-1]}"


def _smallest_set(shop: JobShop, *, seed: int) -> str:
    firm = [job.name for job in shop.jobs if job.firm]
    for name in list(firm):
        rest = [other for other in firm if other != name]
        if _impossible(shop, rest, seed=seed):
            firm = rest
    if len(firm) == 1:
        return f"job {firm[0]} cannot meet its due date {shop.by_name[firm[0]].due} behind the jobs it comes after"
    dates = ", ".join(f"{name} by {shop.by_name[name].due}" for name in firm)
    return f"{_listed(firm)} cannot all meet their due dates ({dates}), though any one fewer might"


def _impossible(shop: JobShop, firm: Sequence[str], *, seed: int) -> bool:
    jobs = tuple(dataclasses.replace(job, firm=job.name in firm) for job in shop.jobs)
    model = build(JobShop(shop.machines, jobs), "makespan")
    if model is None:
        return True
    return bool(solver("makespan", limit=TRIAL_LIMIT, seed=seed).solve(model.cp) == cp_model.INFEASIBLE)
