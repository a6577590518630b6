"""From decisions to plans: an order of operations, machines for them, or the sequences of an earlier plan.

Everything the shop limits is kept but firm due dates, which no generator could promise. Where frozen operations
leave no place to what they depend on, or no_wait cannot be kept, there is no plan. `rich/` has the compiled code.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.checker import violations
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.solvers.rich.layout import Longs, State, Tables
from twinloop.scheduling.solvers.rich.schemes import serial
from twinloop.scheduling.solvers.rich.timing import retime
from twinloop.scheduling.solvers.rich.values import broken


def generate(
    shop: JobShop,
    order: Sequence[tuple[str, int]],
    *,
    machines: Mapping[tuple[str, int], str] | None = None,
    insert: bool = True,
) -> Plan | None:
    """Place operations (job, number) in this order, each as early as possible; None where frozen ones prevent it.

    What has to wait for others is placed as soon as they are; what the order does not name comes last, job by job.
    machines: the machine of any operation; the others take the one on which they end first. insert: use gaps left
    on a machine; otherwise every operation comes behind what its machine got before.
    Raises InputError for an operation that the shop does not have, or a machine that cannot do it.

    >>> from twinloop.scheduling.problem import Job, JobShop, Operation
    >>> jobs = Job("a", (Operation("mill", 5),)), Job("b", (Operation("mill", 2),))
    >>> [(a.job, a.start) for a in generate(JobShop(("mill",), jobs), [("b", 0)])]
    [('b', 0), ('a', 2)]
    """
    if not possible(shop):
        return None
    tables = Tables.of(shop)
    key = np.full(tables.count, float(len(order)))
    for place, (job, number) in enumerate(order):
        key[_known(tables, job, number)] = place
    choice = np.full(tables.count, -1, dtype=np.int64)
    for (job, number), machine in (machines or {}).items():
        modes = [mode.machine for mode in shop.by_name[job].operations[number].modes] if job in shop.by_name else []
        v = _known(tables, job, number)
        if machine not in modes:
            raise InputError(f"job {job} operation {number}: cannot be on {machine!r}, expected {' or '.join(modes)}")
        choice[v] = tables.mode(v, machine)
    state = tables.state()
    serial(tables.layout, state, key, choice, np.zeros(tables.count, dtype=np.int64), insert)
    return finished(tables, state)


def regenerate(shop: JobShop, plan: Plan) -> Plan | None:
    """The same machines and sequences with every operation as early as they allow.

    Pools and materials serve operations in the order of their starts in `plan`. A valid plan comes back with no
    operation later; one made for other calendars, releases or durations is moved right where it must be. None where
    a frozen operation would have to move, or where sequences and no_wait cannot go together.
    Raises InputError for a plan that does not hold exactly the shop's operations on machines that can do them.
    """
    tables = Tables.of(shop)
    for a in plan:
        v = _known(tables, a.job, a.operation)
        modes = [mode.machine for mode in shop.by_name[a.job].operations[a.operation].modes]
        if a.machine not in modes:
            raise InputError(
                f"plan: job {a.job} operation {a.operation} is on {a.machine}, expected {' or '.join(modes)}"
            )
    mode, start = tables.columns(plan)
    if len(plan) != tables.count or (mode < 0).any():
        v = int(np.argmax(mode < 0))
        job, number = next(key for key, k in tables.number.items() if k == v)
        missing = f"job {job} operation {number} is missing" if mode[v] < 0 else "an operation is there twice"
        raise InputError(f"plan: expected every operation of the shop once: {missing}")
    if not possible(shop):
        return None
    times = retimed(tables, mode, start)
    if times is None:
        return None
    state = tables.state()
    state.mode[:], state.start[:], state.end[:] = mode, *times
    again = tables.plan(state)
    shared = any(pool.calendar for pool in shop.pools) or any(how.crew for how in shop.changeovers.values())
    # Shifts of a pool with fewer units, and crews, were not looked after.
    return None if shared and any(v.rule != "missed firm due date" for v in violations(shop, again)) else again


def retimed(tables: Tables, mode: Longs, start: Longs) -> tuple[Longs, Longs] | None:
    """[n] starts and ends with these modes and the sequences of these starts, as early as they allow; None as above.

    Shifts of a pool with fewer units, and crews, are not looked after.
    """
    order = np.lexsort((np.arange(tables.count), start))
    earliest, end = np.empty(tables.count, dtype=np.int64), np.empty(tables.count, dtype=np.int64)
    return (earliest, end) if retime(tables.layout, order, mode, earliest, end) else None


def possible(shop: JobShop) -> bool:
    """Whether the frozen operations leave machines, pools and materials something to give."""
    if not shop.frozen:
        return True
    hopeless = {"overlap", "pool overdrawn", "material missing"}
    return not any(violation.rule in hopeless for violation in violations(shop, Plan.of(shop.frozen)))


def finished(tables: Tables, state: State) -> Plan | None:
    """The plan of a generated schedule; None when frozen operations or no_wait could not be kept."""
    if broken(tables.layout, state):
        return None
    plan = tables.plan(state)
    # Two frozen operations may need something between them that no generator can know.
    kept = not tables.shop.frozen or all(v.rule == "missed firm due date" for v in violations(tables.shop, plan))
    return plan if kept else None


def _known(tables: Tables, job: str, number: int) -> int:
    if (job, number) not in tables.number:
        raise InputError(f"plan: job {job} operation {number} is not in the shop")
    return tables.number[job, number]
