"""One set of colours for plans in every figure, and which job has which.

Colours are Okabe and Ito's (2008). Vermilion means late or broken, so no group of jobs has it; set-ups and
closed windows are hatched or grey and never only a colour.
"""

from collections.abc import Mapping
from typing import Literal

from twinloop.scheduling.problem import JobShop

GROUPS = ("#0072B2", "#F0E442", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
LATE = DOWN = "#D55E00"
SETUP, CLOSED, IDLE, INK = "#52606D", "#CBD2D9", "#F0F2F5", "#1F2933"

Unit = Literal["hours", "minutes", "time units"]
# Time units of a shop (minutes in the twins) for one unit of the axis.
DIVISORS: Mapping[Unit, int] = {"hours": 60, "minutes": 1, "time units": 1}


def grouped(shop: JobShop, groups: Mapping[str, str] | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """(group by job, colour by group); without `groups` every job is one where the colours suffice, else all are one.

    Jobs that `groups` does not name belong to the group "other".
    """
    if groups is None:
        one_each = len(shop.jobs) <= len(GROUPS)
        found = {job.name: job.name if one_each else "jobs" for job in shop.jobs}
    else:
        found = {job.name: groups.get(job.name, "other") for job in shop.jobs}
    colours = {group: GROUPS[place % len(GROUPS)] for place, group in enumerate(sorted(set(found.values())))}
    return found, colours
