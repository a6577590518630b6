"""Dispatching rules through one schedule generator: the planner's everyday methods, and the start of the others.

The generator (`rich/schemes.py`) makes parametrised active schedules for every shop; a rule is what decides
between operations that want the same machine (`dispatching.py`). `delay` 0 gives non-delay, 1 active schedules.
"""

from twinloop.contracts import Plan
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.solvers.generation import finished, possible
from twinloop.scheduling.solvers.rich.layout import FIRST, REST, Tables
from twinloop.scheduling.solvers.rich.priorities import NUMBERS
from twinloop.scheduling.solvers.rich.schemes import parallel


def dispatch(shop: JobShop, rule: str, *, delay: float = 0.0) -> Plan | None:
    """Build a plan operation by operation; ties go to the job that is listed first.

    Firm due dates are not looked after. None where frozen operations leave no place to what they depend on.

    >>> from twinloop.scheduling.problem import Job, JobShop, Operation
    >>> jobs = Job("long", (Operation("mill", 5),)), Job("short", (Operation("mill", 2),))
    >>> [a.job for a in dispatch(JobShop(("mill",), jobs), "SPT")]
    ['short', 'long']
    """
    if not possible(shop):
        return None
    tables = Tables.of(shop)
    state = tables.state()
    layout = tables.layout
    mean_duration = float(layout.operations[layout.jobs[:, FIRST], REST].sum()) / tables.count or 1.0
    mean_set_up = float(layout.setups.mean()) if len(layout.setups) else 0.0
    parallel(layout, state, NUMBERS[rule], float(delay), mean_duration, mean_set_up)
    return finished(tables, state)
