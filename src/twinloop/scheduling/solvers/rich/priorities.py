"""The dispatching rules as machine code: what a rule sees of an operation, and the rule that a number stands for."""

import numpy as np

from twinloop.scheduling.dispatching import RULES, Outlook
from twinloop.scheduling.solvers.jit import choice, machine_code
from twinloop.scheduling.solvers.rich.layout import (
    DURATION,
    END,
    END_MODE,
    FAR,
    FIRST,
    FIRST_MODE,
    JOB,
    MACHINE,
    PROMISE,
    REST,
    URGENCY,
)

NUMBERS = {name: number for number, name in enumerate(RULES)}


_value = choice(RULES.values())


@machine_code
def priority(layout, state, rule, v, mode, time, set_up, queue, mean_duration, mean_set_up):  # type: ignore[no-untyped-def]
    """Value of operation v in `mode` by a rule, when its machine decides at `time`.

    rule: one of NUMBERS. queue: [M] work that waits for each machine.
    """
    operation = layout.operations[v]
    j = operation[JOB]
    if v == layout.jobs[j, FIRST]:
        arrival = state.job_ready[j]
    else:
        here, there = layout.modes[state.mode[v - 1], MACHINE], layout.modes[mode, MACHINE]
        arrival = state.end[v - 1] + layout.transport[here, there]
    next_queue = np.int64(0)
    if v + 1 < layout.jobs[j, END]:
        next_queue = np.int64(FAR)
        for k in range(layout.operations[v + 1, FIRST_MODE], layout.operations[v + 1, END_MODE]):
            next_queue = min(next_queue, queue[layout.modes[k, MACHINE]])
    due = np.inf if layout.jobs[j, PROMISE] == FAR else float(layout.jobs[j, PROMISE])
    # Rules divide by both; only a milestone has less than one unit.
    rest = max(1.0, float(operation[REST]))
    outlook = Outlook(
        float(time),
        max(1.0, float(layout.modes[mode, DURATION])),
        rest,
        float(layout.jobs[j, END] - v),
        float(arrival),
        due,
        due - time - rest,
        float(layout.jobs[j, URGENCY]),
        float(next_queue),
        float(set_up),
        mean_duration,
        mean_set_up,
    )
    return _value(rule, outlook)
