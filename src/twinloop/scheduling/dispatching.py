"""Dispatching rules: what a machine that is free asks of each operation that waits for it; the least value goes first.

A rule is one function here and one entry in `RULES`; the settings know it by that name, and the schedule generator
compiles it (`solvers/rich/priorities.py`), so that a rule may use numbers and numpy alone.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

# Vepsäläinen and Morton 1987: two operations ahead; waiting is expected to take twice as long as work.
LOOK_AHEAD = 2.0
WAITING = 2.0
# Lee, Bhaskaran and Pinedo 1997 scale set-ups by about half their mean where they are as long as operations.
SET_UP_SCALE = 0.5


class Outlook(NamedTuple):
    """An operation that could be next on a machine, which decides at `time`; times in the shop's units.

    duration: there. rest: least time of it and all behind it in its job. left: how many operations these are. arrival:
    at the machine. due: infinite without a due date, and so is the slack, the time to it without `rest`. next_queue:
    work that waits where the job goes next. set_up: that it needs now. mean_duration, mean_set_up: over the shop.
    """

    time: float
    duration: float
    rest: float
    left: float
    arrival: float
    due: float
    slack: float
    weight: float
    next_queue: float
    set_up: float
    mean_duration: float
    mean_set_up: float


def shortest(o: Outlook) -> float:
    """Least duration."""
    return o.duration


def longest(o: Outlook) -> float:
    """Most duration."""
    return -o.duration


def first_come(o: Outlook) -> float:
    """Arrival at the machine."""
    return o.arrival


def earliest_due(o: Outlook) -> float:
    """Due date."""
    return o.due


def most_work(o: Outlook) -> float:
    """Most work left in the job."""
    return -o.rest


def least_work(o: Outlook) -> float:
    """Least work left in the job."""
    return o.rest


def most_operations(o: Outlook) -> float:
    """Most operations left in the job."""
    return -o.left


def critical_ratio(o: Outlook) -> float:
    """Time to the due date per work left."""
    return (o.due - o.time) / o.rest


def slack_per_operation(o: Outlook) -> float:
    """Slack per operation left."""
    return o.slack / o.left


def slack_per_work(o: Outlook) -> float:
    """By duration among the late, by slack per work left among the others (Anderson and Nyirenda 1990).

    Slack per work left alone orders as the critical ratio does.
    """
    return max(o.duration, o.duration * o.slack / o.rest)


def apparent_tardiness(o: Outlook) -> float:
    """Weight per duration, discounted by the slack (apparent tardiness cost)."""
    return -o.weight / o.duration * float(np.exp(-max(0.0, o.slack) / (LOOK_AHEAD * o.mean_duration)))


def apparent_tardiness_with_set_up(o: Outlook) -> float:
    """Discounted by the set-up as well."""
    urgency = float(np.exp(-max(0.0, o.slack) / (LOOK_AHEAD * o.mean_duration)))
    if o.mean_set_up > 0:
        urgency *= float(np.exp(-o.set_up / (SET_UP_SCALE * o.mean_set_up)))
    return -o.weight / o.duration * urgency


def cost_over_time(o: Outlook) -> float:
    """Weight per duration, less the more of the expected waiting the slack covers."""
    return -o.weight / o.duration * max(0.0, 1.0 - max(0.0, o.slack) / (LOOK_AHEAD * WAITING * o.rest))


def work_in_next_queue(o: Outlook) -> float:
    """Its own time and the work at the machine where the job goes next (Holthaus and Rajendran 1997)."""
    return o.duration + o.next_queue


RULES: Mapping[str, Callable[[Outlook], float]] = {
    "SPT": shortest,
    "LPT": longest,
    "FIFO": first_come,
    "EDD": earliest_due,
    "MWKR": most_work,
    "ATC": apparent_tardiness,
    "LWKR": least_work,
    "MOPNR": most_operations,
    "ATCS": apparent_tardiness_with_set_up,
    "CR": critical_ratio,
    "S/OPN": slack_per_operation,
    "S/RPT+SPT": slack_per_work,
    "COVERT": cost_over_time,
    "PT+WINQ": work_in_next_queue,
}
