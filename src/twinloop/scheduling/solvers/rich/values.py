"""What a finished schedule is worth: the goal's levels in compiled code, behind broken rules and firm due dates."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from twinloop.scheduling.objectives import TERMS, Goal, Term
from twinloop.scheduling.problem.hours import NEVER
from twinloop.scheduling.solvers.jit import choice, machine_code
from twinloop.scheduling.solvers.lending import lent
from twinloop.scheduling.solvers.rich.layout import (
    DUE,
    DURATION,
    EARLINESS,
    END,
    END_FOLLOWER,
    FAMILY,
    FAR,
    FIRM,
    FIRST,
    FIRST_FOLLOWER,
    FIRST_ROW,
    FIXED,
    INITIAL,
    LINKED,
    MACHINE,
    POWER,
    WAIT,
    WEIGHT,
    Layout,
    Longs,
    State,
    Tables,
)
from twinloop.scheduling.solvers.rich.setups import set_up

# What stands before the goal's levels: broken rules, and lateness of firm jobs.
BEFORE = 2


def weights(goal: Goal) -> Longs:
    """[levels, terms] weight of every term on every level."""
    return np.array([[level.get(term, 0) for term in TERMS] for level in goal.levels], dtype=np.int64)


def reference(tables: Tables, goal: Goal) -> Longs:
    """[n] start of every operation in the plan that stability compares with, -1 where it is not there."""
    starts = np.full(tables.count, -1, dtype=np.int64)
    for a in goal.reference or ():
        if (a.job, a.operation) in tables.number:
            starts[tables.number[a.job, a.operation]] = a.start
    return starts


@machine_code
def broken(layout, state):  # type: ignore[no-untyped-def]
    """Operations that find no opening, and those that do not follow, or wait no longer, as they have to."""
    count = 0
    for v in range(len(state.end)):
        if state.end[v] > NEVER:
            count += 1
    for j in range(len(layout.jobs)):
        first, end = layout.jobs[j, FIRST], layout.jobs[j, END]
        for v in range(first + 1, end):
            linked = layout.operations[v, LINKED] == 1
            if linked or layout.operations[v, FIXED] >= 0 or layout.operations[v - 1, FIXED] >= 0:
                here, there = layout.modes[state.mode[v - 1], MACHINE], layout.modes[state.mode[v], MACHINE]
                due = state.end[v - 1] + layout.transport[here, there]
                if state.start[v] < due or (linked and state.start[v] > due + layout.operations[v, WAIT]):
                    count += 1
        for k in range(layout.jobs[j, FIRST_FOLLOWER], layout.jobs[j, END_FOLLOWER]):
            if state.start[layout.jobs[layout.followers[k], FIRST]] < state.end[end - 1]:
                count += 1
    return count


class Schedule(NamedTuple):
    """What a term is computed from; reference: [n] starts that stability compares with, or -1."""

    layout: Layout
    state: State
    reference: Longs


def makespan(s: Schedule) -> int:
    """Last end."""
    last = 0
    for j in range(len(s.layout.jobs)):
        last = max(last, s.state.end[s.layout.jobs[j, END] - 1])
    return last


def tardiness(s: Schedule) -> int:
    """Σ lateness."""
    total = 0
    for j in range(len(s.layout.jobs)):
        total += max(0, s.state.end[s.layout.jobs[j, END] - 1] - s.layout.jobs[j, DUE])
    return total


def weighted_tardiness(s: Schedule) -> int:
    """Σ weight × lateness."""
    total = 0
    for j in range(len(s.layout.jobs)):
        total += s.layout.jobs[j, WEIGHT] * max(0, s.state.end[s.layout.jobs[j, END] - 1] - s.layout.jobs[j, DUE])
    return total


def max_tardiness(s: Schedule) -> int:
    """Largest lateness."""
    latest = 0
    for j in range(len(s.layout.jobs)):
        latest = max(latest, s.state.end[s.layout.jobs[j, END] - 1] - s.layout.jobs[j, DUE])
    return latest


def late_jobs(s: Schedule) -> int:
    """Jobs behind their due dates."""
    count = 0
    for j in range(len(s.layout.jobs)):
        if s.state.end[s.layout.jobs[j, END] - 1] > s.layout.jobs[j, DUE]:
            count += 1
    return count


def completion(s: Schedule) -> int:
    """Σ ends of jobs."""
    total = 0
    for j in range(len(s.layout.jobs)):
        total += s.state.end[s.layout.jobs[j, END] - 1]
    return total


def weighted_completion(s: Schedule) -> int:
    """Σ weight × end."""
    total = 0
    for j in range(len(s.layout.jobs)):
        total += s.layout.jobs[j, WEIGHT] * s.state.end[s.layout.jobs[j, END] - 1]
    return total


def earliness(s: Schedule) -> int:
    """Σ earliness weight × time before the due date."""
    total = 0
    for j in range(len(s.layout.jobs)):
        if s.layout.jobs[j, DUE] < FAR:
            total += s.layout.jobs[j, EARLINESS] * max(
                0, s.layout.jobs[j, DUE] - s.state.end[s.layout.jobs[j, END] - 1]
            )
    return total


def setup(s: Schedule) -> int:
    """Σ set-up times."""
    total = 0
    for m in range(len(s.layout.machines)):
        first = s.layout.machines[m, FIRST_ROW]
        family = s.layout.machines[m, INITIAL]
        for place in range(first, first + s.state.row_count[m]):
            k = s.state.mode[s.state.row[place]]
            total += set_up(s.layout, family, k)
            family = s.layout.modes[k, FAMILY] if s.layout.modes[k, FAMILY] >= 0 else family
    return total


def energy(s: Schedule) -> int:
    """Σ power × working time."""
    total = 0
    for v in range(len(s.state.start)):
        k = s.state.mode[v]
        total += s.layout.machines[s.layout.modes[k, MACHINE], POWER] * s.layout.modes[k, DURATION]
    return total


def stability(s: Schedule) -> int:
    """Σ distance of the starts from those of the reference."""
    total = 0
    for v in range(len(s.state.start)):
        if s.reference[v] >= 0:
            total += abs(s.state.start[v] - s.reference[v])
    return total


KERNELS: Mapping[Term, Callable[[Schedule], int]] = {
    "makespan": makespan,
    "tardiness": tardiness,
    "weighted_tardiness": weighted_tardiness,
    "max_tardiness": max_tardiness,
    "late_jobs": late_jobs,
    "completion": completion,
    "weighted_completion": weighted_completion,
    "earliness": earliness,
    "setup": setup,
    "energy": energy,
    "stability": stability,
}


_value = choice(KERNELS[term] for term in TERMS)


@machine_code
def late_promises(layout, state):  # type: ignore[no-untyped-def]
    """Σ lateness of the firm jobs."""
    total = np.int64(0)
    for j in range(len(layout.jobs)):
        if layout.jobs[j, FIRM]:
            total += max(0, state.end[layout.jobs[j, END] - 1] - layout.jobs[j, DUE])
    return total


@machine_code
def evaluate(layout, state, level_weights, reference, values):  # type: ignore[no-untyped-def]
    """Fill values [2 + levels]; reference: [n] starts or -1."""
    layout, state, reference = lent(layout), lent(state), lent(reference)
    values[0], values[1] = broken(layout, state), late_promises(layout, state)
    values[BEFORE:] = 0
    schedule = Schedule(layout, state, reference)
    for term in range(level_weights.shape[1]):
        if level_weights[:, term].any():
            value = _value(term, schedule)
            for level in range(len(level_weights)):
                values[BEFORE + level] += level_weights[level, term] * value
