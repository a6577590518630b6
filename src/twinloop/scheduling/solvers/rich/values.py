"""What a finished schedule is worth: the goal's levels in compiled code, behind broken rules and firm due dates."""

import numpy as np

from twinloop.scheduling.objectives import TERMS, Goal
from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.rich.layout import (
    DUE,
    DURATION,
    EARLINESS,
    END,
    END_FOLLOWER,
    FAR,
    FIRM,
    FIRST,
    FIRST_FOLLOWER,
    FIRST_ROW,
    FIXED,
    LINKED,
    MACHINE,
    POWER,
    WEIGHT,
    Longs,
    Tables,
)
from twinloop.scheduling.solvers.rich.placing import set_up

MAKESPAN, TARDINESS, WEIGHTED_TARDINESS, EARLY, SET_UP, ENERGY, STABILITY = range(len(TERMS))
# What stands before the goal's levels: broken rules, and lateness of firm jobs.
BEFORE = 2


def weights(goal: Goal) -> Longs:
    """[levels, terms] weight of every term on every level."""
    return np.array([[level.get(term, 0) for term in TERMS] for level in goal.levels], dtype=np.int64)


def reference(tables: Tables, goal: Goal) -> Longs:
    """[n] start of every operation in the plan that stability compares with, -1 where it is not there."""
    found = np.full(tables.count, -1, dtype=np.int64)
    for a in goal.reference or ():
        if (a.job, a.operation) in tables.number:
            found[tables.number[a.job, a.operation]] = a.start
    return found


@machine_code
def broken(layout, state):  # type: ignore[no-untyped-def]
    """Operations that do not follow a frozen one, or are followed by one, or wait for none, as they have to."""
    found = 0
    for j in range(len(layout.jobs)):
        first, end = layout.jobs[j, FIRST], layout.jobs[j, END]
        for v in range(first + 1, end):
            linked = layout.operations[v, LINKED] == 1
            if linked or layout.operations[v, FIXED] >= 0 or layout.operations[v - 1, FIXED] >= 0:
                here, there = layout.modes[state.mode[v - 1], MACHINE], layout.modes[state.mode[v], MACHINE]
                due = state.end[v - 1] + layout.transport[here, there]
                if state.start[v] < due or (linked and state.start[v] > due):
                    found += 1
        for k in range(layout.jobs[j, FIRST_FOLLOWER], layout.jobs[j, END_FOLLOWER]):
            if state.start[layout.jobs[layout.followers[k], FIRST]] < state.end[end - 1]:
                found += 1
    return found


@machine_code
def evaluate(layout, state, level_weights, before, values):  # type: ignore[no-untyped-def]
    """Fill values [2 + levels]; before: [n] reference starts or -1."""
    terms = np.zeros(level_weights.shape[1], np.int64)
    values[0], values[1] = broken(layout, state), 0
    for j in range(len(layout.jobs)):
        due, end = layout.jobs[j, DUE], state.end[layout.jobs[j, END] - 1]
        if due < FAR:
            late = max(0, end - due)
            terms[TARDINESS] += late
            terms[WEIGHTED_TARDINESS] += layout.jobs[j, WEIGHT] * late
            terms[EARLY] += layout.jobs[j, EARLINESS] * max(0, due - end)
            if layout.jobs[j, FIRM]:
                values[1] += late
        terms[MAKESPAN] = max(terms[MAKESPAN], end)
    for v in range(len(state.start)):
        k = state.mode[v]
        terms[ENERGY] += layout.machines[layout.modes[k, MACHINE], POWER] * layout.modes[k, DURATION]
        if before[v] >= 0:
            terms[STABILITY] += abs(state.start[v] - before[v])
    if level_weights[:, SET_UP].any():
        for m in range(len(layout.machines)):
            first = layout.machines[m, FIRST_ROW]
            for place in range(first + 1, first + state.row_count[m]):
                a, b = state.mode[state.row[place - 1]], state.mode[state.row[place]]
                terms[SET_UP] += set_up(layout.machines, layout.modes, layout.setups, a, b)
    for level in range(len(level_weights)):
        values[BEFORE + level] = (level_weights[level] * terms).sum()
