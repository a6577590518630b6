"""The goal in a CP-SAT model: every level a weighted sum of terms, each with the tightest domains known."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ortools.sat.python import cp_model

from twinloop.errors import InputError
from twinloop.scheduling.objectives import LEFT_OUT, Goal, Term
from twinloop.scheduling.problem import LARGEST_COST, Job
from twinloop.scheduling.solvers.cp_draft import Draft, Expression, Sum


def levels(model: Draft, goal: Goal) -> tuple[Sum, ...]:
    """One sum for each level; of a neighbourhood, the part that its free operations decide.

    Raises InputError where a sum could grow past 2^53, up to which CP-SAT's bounds are exact.
    """
    terms = {term: SUMS[term](model, goal) for term in goal.terms}
    sums = []
    for level in goal.levels:
        total = Sum()
        for term, weight in level.items():
            total.constant += weight * terms[term].constant
            total.parts += [(weight * w, variable) for w, variable in terms[term].parts]
        largest = total.constant + sum(max(0, weight) * max(variable.proto.domain) for weight, variable in total.parts)
        if largest > LARGEST_COST:
            raise InputError(
                f"objective: {' + '.join(level)} could reach {largest}, expected at most {LARGEST_COST}: "
                "use smaller weights or a coarser time unit"
            )
        sums.append(total)
    return tuple(sums)


class _End(NamedTuple):
    """End of a job, its least and largest value, its value in the hint, and what must hold for the job to be done."""

    end: Expression
    low: int
    high: int
    hint: int | None
    where: list[cp_model.IntVar]


def _end(model: Draft, job: Job) -> _End | None:
    """None for a job that is not in the model."""
    key = (job.name, len(job.operations) - 1)
    if key not in model.placed:
        return None
    modes, hint = model.spans[key], model.hint.get(key)
    low, high = min(mode.first_end for mode in modes), max(mode.last_end for mode in modes)
    return _End(model.placed[key].end, low, high, hint.end if hint else None, model.where(job.name))


def _where(total: Sum, value: int, where: Sequence[cp_model.IntVar]) -> None:
    """Add a value that counts for certain, or where a job is done."""
    if where:
        total.parts.append((value, where[0]))
    else:
        total.constant += value


def _makespan(model: Draft, _: Goal) -> Sum:
    ends = [end for job in model.shop.jobs if (end := _end(model, job))]
    kept = max((a.end for a in model.kept.values()), default=0)
    low = max([kept, *(end.low for end in ends if not end.where)])
    domain = cp_model.Domain(low, max([low, *(end.high for end in ends)]))
    hints = [end.hint for end in ends if end.hint is not None]
    makespan = model.number(domain, max([kept, *hints]) if len(hints) == len(ends) else None)
    for end in ends:
        model.cp.add(makespan >= end.end).only_enforce_if(end.where)
    return Sum(0, [(1, makespan)])


def _tardiness(model: Draft, _: Goal) -> Sum:
    return _dates(model, lambda job: 1)


def _weighted_tardiness(model: Draft, _: Goal) -> Sum:
    return _dates(model, lambda job: job.weight)


def _earliness(model: Draft, _: Goal) -> Sum:
    return _dates(model, lambda job: job.earliness_weight, sign=-1)


def _completion(model: Draft, _: Goal) -> Sum:
    return _dates(model, lambda job: 1, date_of=lambda job: 0)


def _weighted_completion(model: Draft, _: Goal) -> Sum:
    return _dates(model, lambda job: job.weight, date_of=lambda job: 0)


def _dates(
    model: Draft,
    weight_of: Callable[[Job], int],
    *,
    date_of: Callable[[Job], int | None] = lambda job: job.due,
    sign: int = 1,
) -> Sum:
    """Σ weight × time behind a date, or before it with sign −1."""
    total = Sum()
    for job in model.shop.jobs:
        weight, date, end = weight_of(job), date_of(job), _end(model, job)
        if date is None or not weight or end is None:
            continue
        least, most = sorted(max(0, sign * (time - date)) for time in (end.low, end.high))
        if least == most:
            _where(total, weight * least, end.where)
            continue
        hint = None if end.hint is None else max(0, sign * (end.hint - date))
        distance = model.number(cp_model.Domain(0 if end.where else least, most), hint)
        model.cp.add(distance >= sign * (end.end - date)).only_enforce_if(end.where)
        total.parts.append((weight, distance))
    return total


def _max_tardiness(model: Draft, _: Goal) -> Sum:
    dated = [(job.due, end) for job in model.shop.jobs if job.due is not None and (end := _end(model, job))]
    due = {job.name: job.due for job in model.shop.jobs if job.due is not None}
    kept = max((a.end - due[a.job] for a in model.kept.values() if a.job in due), default=0)
    low = max([0, kept, *(end.low - date for date, end in dated if not end.where)])
    high = max([low, *(end.high - date for date, end in dated)])
    if low == high:
        return Sum(low)
    hints = [end.hint - date for date, end in dated if end.hint is not None]
    latest = model.number(cp_model.Domain(low, high), max([low, *hints]) if len(hints) == len(dated) else None)
    for date, end in dated:
        model.cp.add(latest >= end.end - date).only_enforce_if(end.where)
    return Sum(0, [(1, latest)])


def _late_jobs(model: Draft, _: Goal) -> Sum:
    total = Sum()
    for job in model.shop.jobs:
        end = _end(model, job)
        if job.due is None or end is None or end.high <= job.due:
            continue
        if end.low > job.due:
            _where(total, 1, end.where)
            continue
        late = model.choice(None if end.hint is None else end.hint > job.due)
        model.cp.add(end.end <= job.due).only_enforce_if([~late, *end.where])
        total.parts.append((1, late))
    return total


def _setup(model: Draft, _: Goal) -> Sum:
    return Sum(0, list(model.follows))


def _energy(model: Draft, _: Goal) -> Sum:
    total = Sum()
    for key, placed in model.placed.items():
        for mode in model.spans[key]:
            chosen, used = placed.machines[mode.machine], model.shop.power.get(mode.machine, 0) * mode.duration
            if isinstance(chosen, bool):
                total.constant += used
            elif used:
                total.parts.append((used, chosen))
    return total


def _stability(model: Draft, goal: Goal) -> Sum:
    total = Sum()
    for a in goal.reference or ():
        placed = model.placed.get((a.job, a.operation))
        if placed is None:
            continue
        modes, hint = model.spans[a.job, a.operation], model.hint.get((a.job, a.operation))
        low, high = min(mode.first for mode in modes), max(mode.last for mode in modes)
        where = model.where(a.job)
        if low == high:
            _where(total, abs(low - a.start), where)
            continue
        most = max(abs(low - a.start), abs(high - a.start))
        moved = model.number(cp_model.Domain(0, most), None if hint is None else abs(hint.start - a.start))
        model.cp.add(moved >= placed.start - a.start).only_enforce_if(where)
        model.cp.add(moved >= a.start - placed.start).only_enforce_if(where)
        total.parts.append((1, moved))
    return total


def _left_out(model: Draft, _: Goal) -> Sum:
    total = Sum()
    for order in model.shop.optional:
        price = model.shop.by_name[order].price or 0
        total.constant += price
        total.parts += [(-price, done) for done in model.where(order)]
    return total


SUMS: Mapping[Term, Callable[[Draft, Goal], Sum]] = {
    "makespan": _makespan,
    "tardiness": _tardiness,
    "weighted_tardiness": _weighted_tardiness,
    "max_tardiness": _max_tardiness,
    "late_jobs": _late_jobs,
    "completion": _completion,
    "weighted_completion": _weighted_completion,
    "earliness": _earliness,
    "setup": _setup,
    "energy": _energy,
    "stability": _stability,
    LEFT_OUT: _left_out,
}
