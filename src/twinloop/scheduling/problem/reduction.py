"""What a planner says in short, as the forms every solver knows: groups, pieces, lots and skills.

A group of machines becomes alternatives; a quantity and times for each piece become durations; lots become jobs of
their own, and a milestone behind them carries the order's name, date and weight; skills become pools. What is reduced
says nothing in short any more, so that reducing again changes nothing.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twinloop.errors import InputError
from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.jobs import Alternative, Job, Operation
from twinloop.scheduling.problem.resources import Operator, Pool

# Unions of skills are pools; more skills make too many.
MOST_SKILLS = 10
# Sums of piece times a little above a whole number are that number.
ROUNDING = 1e-9


def reduced(shop: ShopData) -> Mapping[str, Any]:
    """The fields of the shop that change when it is reduced. Raises InputError for what cannot be."""
    _check_groups(shop)
    changes: dict[str, Any] = {}
    unions, pools = _unions(shop.operators), skill_pools(shop.operators)
    missing = [pool for pool in pools if pool.name not in {known.name for known in shop.pools}]
    if missing:
        changes["pools"] = (*shop.pools, *missing)
    jobs = [part for job in shop.jobs for part in _reduced_job(job, shop.groups, unions)]
    if any(new is not old for new, old in itertools.zip_longest(jobs, shop.jobs)):
        changes["jobs"] = tuple(jobs)
    return changes


def _check_groups(shop: ShopData) -> None:
    for name, members in shop.groups.items():
        if name in shop.machines:
            raise InputError(f"group {name!r} has the name of a machine: give it another name")
        if not members or len(set(members)) < len(members):
            raise InputError(f"group {name}: expected machines, each once, got {', '.join(members) or 'none'}")
        for machine in members:
            if machine not in shop.machines:
                known = ", ".join(shop.machines)
                raise InputError(f"group {name}: machine {machine!r} is not in the shop; known: {known}")


def _reduced_job(
    job: Job, groups: Mapping[str, Sequence[str]], unions: Mapping[frozenset[str], frozenset[str]]
) -> Iterator[Job]:
    where = f"job {job.name}"
    for name, value in (("quantity", job.quantity), ("lot", job.lot)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise InputError(f"{where}: {name} = {value!r}: expected a whole number of at least 1")
    in_pieces = any(_piece_times(operation) for operation in job.operations)
    if job.quantity > 1 and not in_pieces:
        raise InputError(
            f"{where}: quantity = {job.quantity}, but no operation has a piece_time: give it to those that do"
        )
    if job.lot is not None and job.lot < job.quantity:
        yield from _lots(job, groups, unions)
        return
    operations = tuple(
        _reduced_operation(operation, f"{where} operation {number}", job.quantity, groups, unions)
        for number, operation in enumerate(job.operations)
    )
    short = job.quantity > 1 or job.lot is not None
    changed = short or any(new is not old for new, old in zip(operations, job.operations, strict=True))
    yield replace(job, operations=operations, quantity=1, lot=None) if changed else job


def _lots(
    job: Job, groups: Mapping[str, Sequence[str]], unions: Mapping[frozenset[str], frozenset[str]]
) -> Iterator[Job]:
    """A job for each lot, whose next operation need not wait for the other lots, and a milestone behind all of them."""
    size = job.lot or job.quantity
    names: list[str] = []
    for first in range(0, job.quantity, size):
        last = min(job.quantity, first + size)
        operations = tuple(
            replace(
                operation,
                materials={
                    name: share
                    for name, quantity in operation.materials.items()
                    if (share := quantity * last // job.quantity - quantity * first // job.quantity)
                },
            )
            for operation in job.operations
        )
        names.append(f"{job.name}/{len(names) + 1}")
        lot = Job(
            names[-1], operations, job.release, weight=0, after=job.after, quantity=last - first, part_of=job.name
        )
        yield from _reduced_job(lot, groups, unions)
    done = job.operations[-1]
    machine = groups[done.machine][0] if done.machine in groups else done.machine
    yield replace(job, operations=(Operation(machine, 0),), quantity=1, lot=None, after=tuple(names))


def _piece_times(operation: Operation) -> bool:
    return bool(operation.piece_time) or any(mode.piece_time for mode in operation.alternatives)


def _reduced_operation(
    operation: Operation,
    where: str,
    quantity: int,
    groups: Mapping[str, Sequence[str]],
    unions: Mapping[frozenset[str], frozenset[str]],
) -> Operation:
    grouped = operation.machine in groups or any(mode.machine in groups for mode in operation.alternatives)
    if _piece_times(operation) or grouped:
        given = (Alternative(operation.machine, operation.duration, operation.piece_time), *operation.alternatives)
        times = [(mode.machine, _duration(mode, quantity, where)) for mode in given]
        # A machine of the group that is named by itself keeps its own time.
        own = {machine: time for machine, time in times if machine not in groups}
        modes = list[Alternative]()
        for name, time in times:
            for machine in groups.get(name, (name,)):
                if name not in groups or machine not in {mode.machine for mode in modes} | own.keys():
                    modes.append(Alternative(machine, time))
        first, *others = modes
        operation = replace(
            operation, machine=first.machine, duration=first.duration, piece_time=0.0, alternatives=tuple(others)
        )
    if operation.skills:
        operation = replace(operation, pools={**operation.pools, **_needs(operation, unions, where)}, skills={})
    return operation


def _duration(mode: Alternative, quantity: int, where: str) -> int:
    piece = mode.piece_time
    if not piece:
        return mode.duration
    number = isinstance(piece, int | float) and not isinstance(piece, bool)
    if not number or not 0 <= piece < math.inf:
        raise InputError(f"{where}: piece_time = {piece!r}: expected a number of at least 0")
    return mode.duration + math.ceil(quantity * piece - ROUNDING)


def _unions(operators: Sequence[Operator]) -> dict[frozenset[str], frozenset[str]]:
    """By set of skills that share people, who has any of them: as many operations as these can go on at once.

    By the marriage theorem (Hall 1935) work that keeps all these limits can be given to people who have the skills,
    at every moment; somebody may take over from somebody else in the middle of an operation. Of sets that the same
    people have the largest says most.
    """
    names = [operator.name for operator in operators]
    if len(set(names)) < len(names):
        raise InputError("operators: one is there twice: give each a name of its own")
    for operator in operators:
        if not operator.skills:
            raise InputError(f"operator {operator.name}: expected at least one skill, got none")
        if operator.calendar is not None and any(s.capacity is not None for s in operator.calendar.every_shift):
            raise InputError(f"operator {operator.name}: a shift of one person has no capacity: remove it")
    skills = sorted({skill for operator in operators for skill in operator.skills})
    if len(skills) > MOST_SKILLS:
        raise InputError(f"operators: {len(skills)} skills, expected at most {MOST_SKILLS}: join some")
    unions: dict[frozenset[str], frozenset[str]] = {}
    for count in range(len(skills), 0, -1):
        for chosen in map(frozenset, itertools.combinations(skills, count)):
            people = frozenset(o.name for o in operators if chosen & set(o.skills))
            larger = any(chosen < other and people == known for other, known in unions.items())
            if not larger and _hang_together(chosen, operators):
                unions[chosen] = people
    return unions


def _hang_together(chosen: frozenset[str], operators: Sequence[Operator]) -> bool:
    """Whether the skills are linked by people who have several of them; otherwise each part is limited by itself."""
    reached, more = set[str](), {min(chosen)}
    while more:
        reached |= more
        more = {s for o in operators if reached & set(o.skills) for s in o.skills if s in chosen} - reached
    return reached == chosen


def skill_pools(operators: Sequence[Operator]) -> list[Pool]:
    """The pools that operators become."""
    by_name = {operator.name: operator for operator in operators}
    pools = []
    for skills, people in _unions(operators).items():
        one, *others = (by_name[name] for name in sorted(people))
        pool = Pool(_pool(skills), len(people), one.closed, one.calendar, one.repeat, one.stops, one.overtime)
        for other in others:
            hours = (other.closed, other.calendar, other.repeat, other.stops, other.overtime)
            if hours != (one.closed, one.calendar, one.repeat, one.stops, one.overtime):
                raise InputError(
                    f"operators {one.name} and {other.name} share skills and are away at different times: expected "
                    "the same times"
                )
        pools.append(pool)
    return pools


def _pool(skills: frozenset[str]) -> str:
    return f"skill {'+'.join(sorted(skills))}"


def _needs(operation: Operation, unions: Mapping[frozenset[str], frozenset[str]], where: str) -> dict[str, int]:
    known = {skill for skills in unions for skill in skills}
    for skill, number in operation.skills.items():
        if skill not in known:
            raise InputError(f"{where}: unknown skill {skill!r}; known: {', '.join(sorted(known)) or 'none'}")
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InputError(f"{where}: {number!r} people of skill {skill}: expected a whole number of at least 1")
    needs = {_pool(skills): sum(operation.skills.get(skill, 0) for skill in skills) for skills in unions}
    return {pool: number for pool, number in needs.items() if number}
