"""What if: another machine, a longer shift, a rush order, one order fewer; planned and executed beside today's shop.

Both shops are planned with the same budget and executed under the same disruptions, so that differences are paired.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import polars as pl

from twinloop.errors import InputError
from twinloop.replication.statistics import interval, paired
from twinloop.scheduling.clock import Say
from twinloop.scheduling.execution.disruptions import Disruptions
from twinloop.scheduling.execution.execution import replicate
from twinloop.scheduling.execution.risk import MEASURES, cvar_difference, cvar_interval
from twinloop.scheduling.objectives import LEFT_OUT, job_ends, measure
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation, Window
from twinloop.scheduling.problem.calendar import Closures, joined
from twinloop.scheduling.problem.hours import Hours
from twinloop.scheduling.solution import Solution

Planner = Callable[[JobShop], Solution]
T = TypeVar("T")
DIFFERENCES = {
    "figure": pl.String,
    "today": pl.Float64,
    "changed": pl.Float64,
    **{f"difference{end}": pl.Float64 for end in ("", "_low", "_high")},
}


def with_machine(shop: JobShop, name: str, *, like: str) -> JobShop:
    """One more machine that can do everything that `like` can, as fast, in the same place and at the same hours.

    Raises InputError for a machine that is not there, or a name that is taken.
    """
    _known(like, shop.machines, "machine")
    if name in shop.machines:
        raise InputError(f"what if: machine {name!r} is in the shop already: give the new one another name")
    transport = dict(shop.transport)
    for (start, end), time in shop.transport.items():
        for a in (start, name) if start == like else (start,):
            for b in (end, name) if end == like else (end,):
                transport[a, b] = time
    return replace(
        shop,
        machines=(*shop.machines, name),
        jobs=tuple(
            replace(job, operations=tuple(_also_on(operation, name, like) for operation in job.operations))
            for job in shop.jobs
        ),
        closed=_copied(shop.closed, name, like),
        calendars=_copied(shop.calendars, name, like),
        repeat=_copied(shop.repeat, name, like),
        stops=_copied(shop.stops, name, like),
        overtime=_copied(shop.overtime, name, like),
        changeovers=_copied(shop.changeovers, name, like),
        setups=_copied(shop.setups, name, like),
        power=_copied(shop.power, name, like),
        groups={group: (*known, name) if like in known else known for group, known in shop.groups.items()},
        ovens=_copied(shop.ovens, name, like),
        transport=transport,
    )


def with_shift(shop: JobShop, start: int, end: int, *, machine: str | None = None, say: Say | None = None) -> JobShop:
    """Open from `start` to `end` where it was closed: one machine, or all of them and all pools.

    say: how times are said. Raises InputError for a machine that is not there, and where nothing was closed.
    """
    say = say or Say.of(None, minutes=False)
    if not 0 <= start < end:
        raise InputError(
            f"what if: shift {say.when(start)} … {say.when(end)}: expected a start from {say.when(0)} on and an end "
            "after it"
        )
    if machine is not None:
        _known(machine, shop.machines, "machine")
    shift, closures = Window(start, end), Closures(shop)
    machines = [
        name
        for name in shop.machines
        if machine in (None, name) and closures.on(name).between(start, end) < end - start
    ]
    pools = shop.pools
    if machine is None:
        pools = tuple(
            replace(pool, overtime=joined((*pool.overtime, shift)), stops=_opened(pool.stops, start, end))
            if any(Hours.of_pool(pool).closed_for(pool.capacity, start, end))
            else pool
            for pool in pools
        )
    if not machines and pools == shop.pools:
        raise InputError(
            f"what if: nothing is closed between {say.when(start)} and {say.when(end)}: name hours in which it is"
        )
    overtime = {name: joined((*shop.overtime.get(name, ()), shift)) for name in machines}
    stops = {name: _opened(w, start, end) if name in machines else w for name, w in shop.stops.items()}
    return replace(shop, overtime={**shop.overtime, **overtime}, stops=stops, pools=pools)


def with_job(shop: JobShop, job: Job) -> JobShop:
    """One more order. Raises InputError for a name that is taken or a machine that is not there."""
    if job.name in shop.by_name:
        raise InputError(f"what if: job {job.name!r} is in the shop already: give the new one another name")
    return replace(shop, jobs=(*shop.jobs, job))


def without_job(shop: JobShop, name: str) -> JobShop:
    """One order fewer. Raises InputError for one that is not there, or the only one."""
    _known(name, [job.name for job in shop.jobs], "job")
    if all(name in (job.name, job.part_of) for job in shop.jobs):
        raise InputError(f"what if: job {name} is the only one: expected a shop with work left")
    gone = {name, *(job.name for job in shop.jobs if job.part_of == name)}
    jobs = (
        replace(job, after=tuple(a for a in job.after if a not in gone)) for job in shop.jobs if job.name not in gone
    )
    frozen = tuple(a for a in shop.frozen if a.job not in gone)
    return replace(shop, jobs=tuple(jobs), frozen=frozen)


@dataclass(frozen=True, eq=False)
class WhatIf:
    """Both solutions and their figures in time units (`DIFFERENCES`, changed − today); no frame without both plans."""

    today: Solution
    changed: Solution
    frame: pl.DataFrame | None


def what_if(
    shop: JobShop,
    changed: JobShop,
    planner: Planner,
    disruptions: Disruptions,
    *,
    like: Mapping[str, str] | None = None,
    today: Solution | None = None,
    seed: int,
    replications: int,
    tail: float = 0.1,
    confidence: float = 0.95,
    workers: int = 1,
) -> WhatIf:
    """Plan both shops, execute both plans in the same replications, and compare.

    like: by name of a new machine, the one whose breakdowns and rework it has. today: what the planner found for
    `shop`, where it was asked before. Raises InputError for fewer than two replications.
    """
    if replications < 2:
        raise InputError(f"what if: replications = {replications}: expected at least 2")
    before, after = today or planner(shop), planner(changed)
    if before.plan is None or after.plan is None:
        return WhatIf(before, after, None)
    more = replace(
        disruptions,
        breakdowns=_extended(disruptions.breakdowns, like or {}),
        rework=_extended(disruptions.rework, like or {}),
    )
    values = []
    for one, solution, luck in ((shop, before, disruptions), (changed, after, more)):
        assert solution.plan is not None
        plans = {"plan": solution.plan}
        values.append(replicate(one, plans, luck, seed=seed, replications=replications, workers=workers))
    planned = [
        (plan.makespan, int(one.weighted_tardiness(job_ends(plan))))
        for one, plan in ((shop, before.plan), (changed, after.plan))
    ]
    rows: list[tuple[object, ...]] = []
    if shop.optional or changed.optional:
        was, is_now = measure(LEFT_OUT, shop, before.plan), measure(LEFT_OUT, changed, after.plan)
        rows.append(("price left out", was, is_now, is_now - was, None, None))
    for k, name in enumerate(MEASURES):
        was, is_now = planned[0][k], planned[1][k]
        rows.append((f"planned {name}", was, is_now, is_now - was, None, None))
    for name in MEASURES:
        old, new = (frame[name].to_numpy() for frame in values)
        difference = paired(new, old, confidence=confidence)
        means = [interval(column, confidence=confidence).mean for column in (old, new)]
        rows.append((f"{name}", *means, difference.mean, difference.low, difference.high))
        difference = cvar_difference(new, old, tail=tail, confidence=confidence)
        worst = [cvar_interval(column, tail=tail, confidence=confidence).mean for column in (old, new)]
        rows.append((f"{name} CVaR", *worst, difference.mean, difference.low, difference.high))
    return WhatIf(before, after, pl.DataFrame(rows, schema=DIFFERENCES, orient="row"))


def _known(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        raise InputError(f"what if: {what} {name!r} is not in the shop; known: {', '.join(known) or 'none'}")


def _also_on(operation: Operation, name: str, like: str) -> Operation:
    if like not in [mode.machine for mode in operation.modes]:
        return operation
    return replace(operation, alternatives=(*operation.alternatives, Alternative(name, operation.on(like))))


def _copied(by_machine: Mapping[str, T], name: str, like: str) -> dict[str, T]:
    return {**by_machine, **({name: by_machine[like]} if like in by_machine else {})}


def _extended(by_machine: Mapping[str, T], like: Mapping[str, str]) -> dict[str, T]:
    return {**by_machine, **{name: by_machine[old] for name, old in like.items() if old in by_machine}}


def _opened(windows: tuple[Window, ...], start: int, end: int) -> tuple[Window, ...]:
    parts = [part for w in windows for part in (Window(w.start, min(w.end, start)), Window(max(w.start, end), w.end))]
    return joined(part for part in parts if part.start < part.end)
