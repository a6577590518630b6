"""Dispatching rules through one schedule generator: the planner's everyday methods, and the start of the others.

The generator (`rich/schemes.py`) makes parametrised active schedules for every shop; a rule is what decides
between operations that want the same machine (`rich/priorities.py`). `delay` 0 gives non-delay, 1 active schedules.
"""

from collections.abc import Mapping

from twinloop.contracts import Plan
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.settings import RuleName
from twinloop.scheduling.solvers.generation import finished, possible
from twinloop.scheduling.solvers.rich import priorities
from twinloop.scheduling.solvers.rich.layout import FIRST, REST, Tables
from twinloop.scheduling.solvers.rich.schemes import parallel

# Least first. SPT, LPT: duration; FIFO: arrival at the machine; EDD: due date; MWKR, LWKR: most and least work
# left in the job; MOPNR: most operations left; ATC, ATCS, COVERT: weight per duration and urgency, ATCS with the
# set-up; CR: time to the due date per work left; S/OPN: slack per operation left; S/RPT+SPT: slack per work left,
# and duration among the late (S/RPT alone orders as CR does); PT+WINQ: duration and work in the next queue.
RULES: Mapping[RuleName, int] = {
    "SPT": priorities.SPT,
    "LPT": priorities.LPT,
    "FIFO": priorities.FIFO,
    "EDD": priorities.EDD,
    "MWKR": priorities.MWKR,
    "ATC": priorities.ATC,
    "LWKR": priorities.LWKR,
    "MOPNR": priorities.MOPNR,
    "ATCS": priorities.ATCS,
    "CR": priorities.CR,
    "S/OPN": priorities.SLACK,
    "S/RPT+SPT": priorities.SLACK_SPT,
    "COVERT": priorities.COVERT,
    "PT+WINQ": priorities.WINQ,
}


def dispatch(shop: JobShop, rule: RuleName, *, delay: float = 0.0) -> Plan | None:
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
    mean_duration = float(layout.operations[layout.jobs[:, FIRST], REST].sum()) / tables.count
    mean_set_up = float(layout.setups.mean()) if len(layout.setups) else 0.0
    parallel(layout, state, RULES[rule], float(delay), mean_duration, mean_set_up)
    return finished(tables, state)
