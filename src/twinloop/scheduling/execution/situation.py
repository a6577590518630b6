"""Where a running plan stands at a moment: what is done or runs is frozen, nothing else may start in the past.

What is near can be frozen too, as far as the right-shifted plan keeps it: so a frozen horizon never makes a shop
impossible. A no_wait that the event has already broken is given up, and said so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.problem import Job, JobShop, Window
from twinloop.scheduling.problem.hours import NEVER
from twinloop.scheduling.solvers.generation import generate, possible
from twinloop.scheduling.solvers.rich.layout import FIXED, LINKED, MACHINE, WAIT, Longs, State, Tables
from twinloop.scheduling.solvers.rich.schemes import serial

Key = tuple[str, int]


@dataclass(frozen=True)
class Situation:
    """A shop with its frozen operations, the right-shifted plan that shows it possible, and what had to be given up."""

    shop: JobShop
    shifted: Plan
    given_up: tuple[Key, ...]


def standing(shop: JobShop, plan: Plan, begun: Sequence[Assignment], *, now: int, horizon: int = 0) -> Situation | None:
    """The situation at `now` of a shop after its event; None where what has begun leaves no plan at all.

    plan: as it was followed until now; begun: its started operations with their true or expected times. Operations
    that start within `horizon` from now on are frozen where they can stay.
    """
    known = {(a.job, a.operation): a for a in plan if _exists(shop, a)}
    fixed = [a for a in begun if _exists(shop, a)]
    shop = replace(shop, frozen=tuple(fixed))
    shop = shop.stopped({machine: [Window(0, now)] for machine in shop.machines}) if now else shop
    planned_jobs = tuple(job for job in shop.jobs if (job.name, 0) in known)
    new = len(planned_jobs) < len(shop.jobs)
    base = replace(shop, jobs=planned_jobs) if new else shop
    if not possible(base):
        shop, base = _relieved(shop), _relieved(base)
        if not possible(base):
            return None
    shifted, given_up = _shifted(base, Plan.of(known.values()))
    if shifted is None or shifted.makespan >= NEVER:
        return None
    shop = replace(shop, jobs=_waiting(shop.jobs, given_up))
    if new:
        complete = generate(replace(shop, frozen=tuple(shifted)), [])
        if complete is None:
            return None
        shifted = complete
    started = {(a.job, a.operation) for a in fixed}
    near = [a for a in shifted if now <= a.start < now + horizon and (a.job, a.operation) not in started]
    kept = [a for a in near if known.get((a.job, a.operation)) == a]
    return Situation(replace(shop, frozen=(*fixed, *kept)), shifted, tuple(given_up))


def _relieved(shop: JobShop) -> JobShop:
    """Frozen operations without pools whose shifts differ: their people were away for a while, which no plan says."""
    differ = {pool.name for pool in shop.pools if pool.calendar and not pool.calendar.even(pool.capacity)}
    begun = {(a.job, a.operation) for a in shop.frozen}
    jobs = []
    for job in shop.jobs:
        kept = [{name: n for name, n in o.pools.items() if name not in differ} for o in job.operations]
        operations = (
            replace(o, pools=pools) if (job.name, k) in begun and pools != o.pools else o
            for k, (o, pools) in enumerate(zip(job.operations, kept, strict=True))
        )
        jobs.append(replace(job, operations=tuple(operations)))
    return replace(shop, jobs=tuple(jobs))


def _exists(shop: JobShop, a: Assignment) -> bool:
    return a.job in shop.by_name and a.operation < len(shop.by_name[a.job].operations)


def _shifted(shop: JobShop, plan: Plan) -> tuple[Plan | None, list[Key]]:
    """Machines and order as planned, nothing earlier than planned, everything else as early as it can be."""
    tables = Tables.of(shop)
    mode, start = tables.columns(plan)
    key = np.empty(tables.count)
    key[np.lexsort((np.arange(tables.count), start))] = np.arange(tables.count)
    # Whoever must follow a running operation without waiting comes first.
    operations = tables.layout.operations
    urgent = np.flatnonzero((operations[1:, LINKED] > 0) & (operations[:-1, FIXED] >= 0) & (operations[1:, FIXED] < 0))
    key[urgent + 1] -= tables.count
    state = placed(tables, key, mode, start, insert=False)
    late = [v for v in (urgent + 1).tolist() if state.start[v] > _due(tables, state, v)]
    names = list(tables.number)
    return tables.plan(state), [names[v] for v in late]


def placed(tables: Tables, key: NDArray[np.float64], mode: Longs, hold: Longs, *, insert: bool) -> State:
    """A schedule generated in the order of `key` [n]; modes [n] may be -1, nothing starts before its `hold` [n]."""
    state = tables.state()
    serial(tables.layout, state, key, mode, hold, insert)
    return state


def _due(tables: Tables, state: State, v: int) -> int:
    """When an operation must start at the latest so that it does not wait too long."""
    here, there = tables.layout.modes[state.mode[[v - 1, v]], MACHINE]
    return int(state.end[v - 1] + tables.layout.transport[here, there] + tables.layout.operations[v, WAIT])


def _waiting(jobs: Sequence[Job], given_up: Sequence[Key]) -> tuple[Job, ...]:
    """The jobs without the no_wait or longest wait of the operations named."""
    waiting = []
    for job in jobs:
        numbers = {number for name, number in given_up if name == job.name}
        if numbers:
            operations = [
                replace(o, no_wait=False, max_wait=None) if k in numbers else o for k, o in enumerate(job.operations)
            ]
            job = replace(job, operations=tuple(operations))
        waiting.append(job)
    return tuple(waiting)
