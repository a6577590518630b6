"""The goal in a CP-SAT model: every level a weighted sum of terms, each with the tightest domains known."""

from typing import NamedTuple

from ortools.sat.python import cp_model

from twinloop.errors import InputError
from twinloop.scheduling.objectives import Goal, Term
from twinloop.scheduling.problem import LARGEST_COST, Job
from twinloop.scheduling.solvers.cp_draft import Draft, Expression, Sum


def levels(found: Draft, goal: Goal) -> tuple[Sum, ...]:
    """One sum for each level; of a neighbourhood, the part that its free operations decide.

    Raises InputError where a sum could grow past 2^53, up to which CP-SAT's bounds are exact.
    """
    terms = {term: _term(found, term, goal) for term in goal.terms}
    sums = []
    for level in goal.levels:
        total = Sum()
        for term, weight in level.items():
            total.constant += weight * terms[term].constant
            total.parts += [(weight * w, variable) for w, variable in terms[term].parts]
        largest = total.constant + sum(weight * max(variable.proto.domain) for weight, variable in total.parts)
        if largest > LARGEST_COST:
            raise InputError(
                f"objective: {' + '.join(level)} could reach {largest}, expected at most {LARGEST_COST}: "
                "use smaller weights or a coarser time unit"
            )
        sums.append(total)
    return tuple(sums)


def _term(found: Draft, term: Term, goal: Goal) -> Sum:
    if term == "makespan":
        return _makespan(found)
    if term in ("tardiness", "weighted_tardiness", "earliness"):
        return _dates(found, term)
    if term == "setup":
        return Sum(0, list(found.follows))
    return _energy(found) if term == "energy" else _stability(found, goal)


class _End(NamedTuple):
    """End of a job, its least and largest value, and its value in the hint."""

    end: Expression
    low: int
    high: int
    hint: int | None


def _end(found: Draft, job: Job) -> _End | None:
    """None for a job that is not in the model."""
    key = (job.name, len(job.operations) - 1)
    if key not in found.placed:
        return None
    modes, hint = found.spans[key], found.hint.get(key)
    low, high = min(mode.first_end for mode in modes), max(mode.last_end for mode in modes)
    return _End(found.placed[key].end, low, high, hint.end if hint else None)


def _makespan(found: Draft) -> Sum:
    ends = [end for job in found.shop.jobs if (end := _end(found, job))]
    kept = max((a.end for a in found.kept.values()), default=0)
    domain = cp_model.Domain(max([kept, *(end.low for end in ends)]), max([kept, *(end.high for end in ends)]))
    hints = [end.hint for end in ends if end.hint is not None]
    makespan = found.number(domain, max([kept, *hints]) if len(hints) == len(ends) else None)
    for end in ends:
        found.cp.add(makespan >= end.end)
    return Sum(0, [(1, makespan)])


def _dates(found: Draft, term: Term) -> Sum:
    total = Sum()
    for job in found.shop.jobs:
        weight = {"tardiness": 1, "weighted_tardiness": job.weight, "earliness": job.earliness_weight}[term]
        end = _end(found, job)
        if job.due is None or not weight or end is None:
            continue
        sign = -1 if term == "earliness" else 1
        least, most = sorted(max(0, sign * (time - job.due)) for time in (end.low, end.high))
        if least == most:
            total.constant += weight * least
            continue
        hint = None if end.hint is None else max(0, sign * (end.hint - job.due))
        distance = found.number(cp_model.Domain(least, most), hint)
        found.cp.add(distance >= sign * (end.end - job.due))
        total.parts.append((weight, distance))
    return total


def _energy(found: Draft) -> Sum:
    total = Sum()
    for key, placed in found.placed.items():
        for mode in found.spans[key]:
            chosen, used = placed.machines[mode.machine], found.shop.power.get(mode.machine, 0) * mode.duration
            if isinstance(chosen, bool):
                total.constant += used
            elif used:
                total.parts.append((used, chosen))
    return total


def _stability(found: Draft, goal: Goal) -> Sum:
    total = Sum()
    for a in goal.reference or ():
        placed = found.placed.get((a.job, a.operation))
        if placed is None:
            continue
        modes, hint = found.spans[a.job, a.operation], found.hint.get((a.job, a.operation))
        low, high = min(mode.first for mode in modes), max(mode.last for mode in modes)
        if low == high:
            total.constant += abs(low - a.start)
            continue
        most = max(abs(low - a.start), abs(high - a.start))
        moved = found.number(cp_model.Domain(0, most), None if hint is None else abs(hint.start - a.start))
        found.cp.add(moved >= placed.start - a.start)
        found.cp.add(moved >= a.start - placed.start)
        total.parts.append((1, moved))
    return total
