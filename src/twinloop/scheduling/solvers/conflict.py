"""Why no plan exists, in words a planner can act on.

Three looks, from cheap to thorough: a job whose route alone is too long; a machine that must do more work inside a
window than the window holds; and, where neither shows, a smallest set of firm dates, frozen operations, calendars,
pools, deliveries and set-ups that CP-SAT proves impossible together (QuickXplain, Junker 2004). The
delay that would do is named as well.
"""

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from ortools.sat.python import cp_model

from twinloop.scheduling.bounds import Spans, latest_ends, spans
from twinloop.scheduling.objectives import Goal, job_ends
from twinloop.scheduling.problem import JobShop, Material, Pool
from twinloop.scheduling.problem.calendar import Closures, OpenTime
from twinloop.scheduling.problem.opening_checks import ended
from twinloop.scheduling.question import Limit, Question, in_time
from twinloop.scheduling.solution import Solution
from twinloop.scheduling.solvers.cpsat import build, searcher, solve_cpsat

# Every trial of a set, and the search for the least delay, may use this many deterministic seconds.
TRIAL_LIMIT = Limit(deterministic=0.5)
MAKESPAN = Goal.of("makespan")


@dataclasses.dataclass(frozen=True)
class Span:
    """One operation's least time on its only machine, and the times between which it must lie."""

    job: str
    opens: int
    closes: int
    duration: int


# What can be lifted to make a plan possible, as (kind, name): a calendar, a firm date, a frozen operation, ...
Limitation = tuple[str, str]
T = TypeVar("T")


def explained(shop: JobShop, solution: Solution, *, seed: int, until: float = math.inf) -> Solution:
    """The solution, with the reason where no plan exists, as far as it is found by `until` (`time.perf_counter`)."""
    if solution.status != "infeasible" or solution.reason:
        return solution
    return dataclasses.replace(solution, reason=explain(shop, seed=seed, until=until))


def explain(shop: JobShop, *, seed: int, until: float = math.inf) -> str:
    """One line that names the jobs, machines and resources in conflict, for a shop without any valid plan."""
    if shop.optional:
        shop = shop.doing(())  # what may be left out stands in nobody's way
    ends = latest_ends(shop, latest=shop.horizon)
    free = spans(shop, dict.fromkeys(ends, shop.horizon))
    cut, limits = spans(shop, ends), _limits(shop, ends)
    closures, hopeless, reasons = Closures(shop), set[str](), []
    for job in shop.jobs:
        shortest = min((mode.first_end for mode in free[job.name, len(job.operations) - 1]), default=0)
        limit = limits[job.name]
        if shortest <= limit:
            continue
        hopeless.add(job.name)
        reasons.append(
            f"job {job.name} cannot meet its due date {job.due}: shortest route ends at {shortest}"
            if job.firm and job.due == limit
            else f"job {job.name} cannot end by {limit}, when jobs after it must start: "
            f"shortest route ends at {shortest}"
        )
    for machine, rows in _confined(cut, without=hopeless, ovens=shop.ovens).items():
        hours = closures.on(machine)
        if tight := _overfull(hours, rows):
            opens, closes = min(s.opens for s in tight), max(s.closes for s in tight)
            work, closed = sum(s.duration for s in tight), _closed(hours, opens, closes)
            behind = f", closed for {closed}" if closed else ""
            reasons.append(f"{_jobs(tight)} conflict on {machine}: {work} of work between {opens} and {closes}{behind}")
    try:
        if not reasons:
            reasons.append(_smallest_set(shop, seed=seed, until=until))
            reasons += [ending] if "closed windows" in reasons[-1] and (ending := ended(shop)) else []
        in_time(until)
        if any(job.firm for job in shop.jobs) and (delay := _least_delay(shop, seed=seed)):
            reasons.append(delay)
    except TimeoutError:
        if not reasons:
            reasons.append("no plan keeps all limits; the time was too short to find out which of them are in conflict")
    return "; ".join(reasons)


def _limits(shop: JobShop, ends: Mapping[str, int]) -> dict[str, int]:
    """By when each job must end for its own date and those of all jobs after it."""
    limits = dict(ends)
    for name in reversed(shop.order):
        for other in shop.by_name[name].after:
            limits[other] = min(limits[other], limits[name] - shop.by_name[name].work)
    return limits


def _confined(cut: Spans, *, without: set[str], ovens: Collection[str]) -> dict[str, list[Span]]:
    """Operations with one machine left and a date ahead, by machine."""
    confined: dict[str, list[Span]] = {}
    for (name, _), modes in cut.items():
        if name in without or len(modes) != 1 or modes[0].machine in ovens:
            continue
        (mode,) = modes
        closes = max(s.last + s.elapsed for s in mode.stretches)
        confined.setdefault(mode.machine, []).append(Span(name, mode.first, closes, mode.duration))
    return confined


def _overfull(hours: OpenTime, rows: Sequence[Span]) -> list[Span]:
    """Operations that together need more time than is open between the first opening and the last closing."""
    by_end = sorted(rows, key=lambda s: s.closes)
    for opens in sorted({s.opens for s in rows}, reverse=True):
        work = 0
        for span in by_end:
            if span.opens < opens:
                continue
            work += span.duration
            if work > span.closes - opens - _closed(hours, opens, span.closes):
                inside = [s for s in rows if s.opens >= opens and s.closes <= span.closes]
                return _without_spare(hours, inside)
    return []


def _too_much(hours: OpenTime, inside: Sequence[Span]) -> bool:
    opens, closes = min(s.opens for s in inside), max(s.closes for s in inside)
    return sum(s.duration for s in inside) > closes - opens - _closed(hours, opens, closes)


def _closed(hours: OpenTime, opens: int, closes: int) -> int:
    return closes - opens - hours.between(opens, closes)


def _without_spare(hours: OpenTime, inside: list[Span]) -> list[Span]:
    for span in sorted(inside, key=lambda s: s.duration):
        rest = [s for s in inside if s is not span]
        if rest and _too_much(hours, rest):
            inside = rest
    return inside


def _jobs(rows: Sequence[Span]) -> str:
    names = list(dict.fromkeys(s.job for s in rows))
    return _listed("jobs", names) if len(names) > 1 else f"operations of job {names[0]}"


def _listed(kind: str, names: Sequence[str]) -> str:
    return f"{kind} {', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f"{kind} {names[0]}"


def _limitations(shop: JobShop) -> list[Limitation]:
    """Everything that may take part; what comes first is preferred in the answer where there is a choice."""
    limitations = [("job", job.name) for job in shop.jobs if job.firm]
    limitations += [("frozen", f"operation {a.operation} of job {a.job}") for a in shop.frozen]
    closing = {*shop.closed, *shop.calendars, *shop.stops}
    limitations += [("closed windows of", machine) for machine in shop.machines if machine in closing]
    limitations += [("pool", pool.name) for pool in shop.pools]
    limitations += [("deliveries of", material.name) for material in shop.materials]
    return limitations + [("set-ups on", machine) for machine in shop.setups]


def _only(shop: JobShop, kept: Collection[Limitation]) -> JobShop:
    """The shop with all limitations but those in `kept` lifted.

    Transport stays: with no_wait, less of it could make a plan impossible.
    """

    def closing(hours: Mapping[str, T]) -> dict[str, T]:
        return {machine: value for machine, value in hours.items() if ("closed windows of", machine) in kept}

    endless = sum(sum(operation.materials.values()) for job in shop.jobs for operation in job.operations)
    everybody = sum(sum(operation.pools.values()) for job in shop.jobs for operation in job.operations)
    return dataclasses.replace(
        shop,
        jobs=tuple(dataclasses.replace(job, firm=("job", job.name) in kept) for job in shop.jobs),
        frozen=tuple(a for a in shop.frozen if ("frozen", f"operation {a.operation} of job {a.job}") in kept),
        closed=closing(shop.closed),
        repeat=closing(shop.repeat),
        calendars=closing(shop.calendars),
        stops=closing(shop.stops),
        overtime=closing(shop.overtime),
        pools=tuple(p if ("pool", p.name) in kept else Pool(p.name, everybody + p.capacity) for p in shop.pools),
        materials=tuple(m if ("deliveries of", m.name) in kept else Material(m.name, endless) for m in shop.materials),
        setups={machine: times for machine, times in shop.setups.items() if ("set-ups on", machine) in kept},
        changeovers={machine: how for machine, how in shop.changeovers.items() if ("set-ups on", machine) in kept},
    )


def _smallest_set(shop: JobShop, *, seed: int, until: float) -> str:
    every = _limitations(shop)
    if not _impossible(shop, every, seed=seed, until=until):
        return f"{_named(every)} leave no plan together, though no smaller set was found in {TRIAL_LIMIT}"
    possible = not _impossible(shop, [], seed=seed, until=until)
    smallest = _conflict(shop, [], every, seed=seed, until=until) if possible else []
    dates = [name for kind, name in smallest if kind == "job"]
    others = [limitation for limitation in smallest if limitation[0] != "job"]
    behind = f" because of {_named(others)}" if others else ""
    if not dates:
        return f"{_named(smallest)} leave no plan together, though any one fewer might"
    if len(dates) == 1:
        return f"job {dates[0]} cannot meet its due date {shop.by_name[dates[0]].due}{behind}"
    due = ", ".join(f"{name} by {shop.by_name[name].due}" for name in dates)
    return f"{_listed('jobs', dates)} cannot all meet their due dates ({due}){behind}, though any one fewer might"


def _conflict(
    shop: JobShop,
    kept: list[Limitation],
    open_: list[Limitation],
    *,
    seed: int,
    until: float,
    grown: bool = False,
) -> list[Limitation]:
    """QuickXplain: a smallest part of `open_` that leaves no plan beside `kept`."""
    if grown and _impossible(shop, kept, seed=seed, until=until):
        return []
    if len(open_) == 1:
        return open_
    first, second = open_[: len(open_) // 2], open_[len(open_) // 2 :]
    behind = _conflict(shop, kept + first, second, seed=seed, until=until, grown=True)
    ahead = _conflict(shop, kept + behind, first, seed=seed, until=until, grown=bool(behind))
    return ahead + behind


def _impossible(shop: JobShop, kept: Collection[Limitation], *, seed: int, until: float) -> bool:
    in_time(until)
    model = build(_only(shop, set(kept)), MAKESPAN)
    if model is None:
        return True
    search = searcher(MAKESPAN, 0, limit=TRIAL_LIMIT, seed=seed)
    return bool(search.solve(model.draft.cp) == cp_model.INFEASIBLE)


def _named(limitations: Sequence[Limitation]) -> str:
    parts: dict[str, list[str]] = {}
    for kind, name in limitations:
        parts.setdefault(kind, []).append(name)
    return " and ".join(_listed(kind, names).strip() for kind, names in parts.items())


def _least_delay(shop: JobShop, *, seed: int) -> str:
    """The least total delay of the firm jobs, or one that is enough; nothing where none is found."""
    jobs = tuple(dataclasses.replace(job, firm=False, due=job.due if job.firm else None) for job in shop.jobs)
    soft = dataclasses.replace(shop, jobs=jobs)
    delayed = solve_cpsat(soft, Question(Goal.of("tardiness"), TRIAL_LIMIT, seed=seed))
    if delayed.plan is None:
        return ""
    ends = job_ends(delayed.plan)
    late = {job.name: ends[job.name] - job.due for job in jobs if job.due is not None and ends[job.name] > job.due}
    which = ", ".join(f"job {name} {delay}" for name, delay in late.items())
    least = "the least total delay is" if delayed.status == "optimal" else "enough is a total delay of"
    return f"{least} {delayed.objective} ({which})"
