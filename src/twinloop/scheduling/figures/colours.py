"""What the colours of a plan mean in every figure, and which job has which.

Red means late or broken, so no group of jobs has it; set-ups and closed windows are hatched or grey and never only a
colour.
"""

from collections.abc import Collection, Mapping
from typing import Literal

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.palette import GROUPS, RED, SOFT

LATE = DOWN = RED
SETUP, IDLE = SOFT, "#F0F2F5"

Unit = Literal["hours", "minutes", "time units"]
# Time units of a shop (minutes in the twins) for one unit of the axis.
DIVISORS: Mapping[Unit, int] = {"hours": MINUTES_PER_HOUR, "minutes": 1, "time units": 1}


def grouped(jobs: Collection[str], groups: Mapping[str, str] | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """(group by job, colour by group); without `groups` every job is one where the colours suffice, else all are one.

    Jobs that `groups` does not name belong to the group "other".
    """
    if groups is None:
        one_each = len(jobs) <= len(GROUPS)
        group_of = {job: job if one_each else "jobs" for job in jobs}
    else:
        group_of = {job: groups.get(job, "other") for job in jobs}
    colours = {group: GROUPS[place % len(GROUPS)] for place, group in enumerate(sorted(set(group_of.values())))}
    return group_of, colours
