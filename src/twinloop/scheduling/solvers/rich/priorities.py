"""What dispatching rules look at: a number for an operation that could be next on a machine, small goes first.

Due-date rules put jobs without a due date last. Slack is the time to the due date without the job's remaining work.
"""

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.rich.layout import (
    DUE,
    DURATION,
    END,
    END_MODE,
    FAR,
    FIRST,
    FIRST_MODE,
    JOB,
    MACHINE,
    REST,
    WEIGHT,
)

SPT, LPT, FIFO, EDD, MWKR, LWKR, MOPNR, ATC, ATCS, CR, SLACK, SLACK_SPT, COVERT, WINQ = range(14)

# Vepsäläinen and Morton 1987: two operations ahead; waiting is expected to take twice as long as work.
LOOK_AHEAD = 2.0
WAITING = 2.0
# Lee, Bhaskaran and Pinedo 1997 scale set-ups by about half their mean where they are as long as operations.
SET_UP_SCALE = 0.5


@machine_code
def priority(layout, state, rule, v, mode, time, set_up, queue, mean_duration, mean_set_up):  # type: ignore[no-untyped-def]
    """Value of operation v in `mode` by a rule, when its machine decides at `time`.

    queue: [M] work that waits for each machine.
    """
    operation = layout.operations[v]
    j = operation[JOB]
    due, weight = layout.jobs[j, DUE], layout.jobs[j, WEIGHT]
    duration, rest = float(layout.modes[mode, DURATION]), float(operation[REST])
    if rule == SPT:
        return duration
    if rule == LPT:
        return -duration
    if rule == FIFO:
        if v == layout.jobs[j, FIRST]:
            return float(state.job_ready[j])
        here, there = layout.modes[state.mode[v - 1], MACHINE], layout.modes[mode, MACHINE]
        return float(state.end[v - 1] + layout.transport[here, there])
    if rule == MWKR:
        return -rest
    if rule == LWKR:
        return rest
    if rule == MOPNR:
        return -float(layout.jobs[j, END] - v)
    if rule == WINQ:
        # Holthaus and Rajendran 1997: its own time and the work at the machine where the job goes next.
        waits = np.int64(0)
        if v + 1 < layout.jobs[j, END]:
            waits = np.int64(FAR)
            for k in range(layout.operations[v + 1, FIRST_MODE], layout.operations[v + 1, END_MODE]):
                waits = min(waits, queue[layout.modes[k, MACHINE]])
        return duration + waits
    if due == FAR:
        return 0.0 if rule in (ATC, ATCS, COVERT) else np.inf
    if rule == EDD:
        return float(due)
    slack = due - time - rest
    if rule == CR:
        return (due - time) / rest
    if rule == SLACK:
        return slack / (layout.jobs[j, END] - v)
    if rule == SLACK_SPT:
        # Anderson and Nyirenda 1990: by duration among the late, by slack per remaining work among the others.
        return max(duration, duration * slack / rest)
    if rule == COVERT:
        return -weight / duration * max(0.0, 1.0 - max(0.0, slack) / (LOOK_AHEAD * WAITING * rest))
    urgency = np.exp(-max(0.0, slack) / (LOOK_AHEAD * mean_duration))
    if rule == ATCS and mean_set_up > 0:
        urgency *= np.exp(-set_up / (SET_UP_SCALE * mean_set_up))
    return -weight / duration * urgency
