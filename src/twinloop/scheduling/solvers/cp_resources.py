"""What operations share in the CP-SAT model: machines, pools and materials.

Materials need no reservoir: before each delivery the use is limited.
"""

import itertools
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ortools.sat.python import cp_model

from twinloop.contracts import Assignment
from twinloop.scheduling.problem import Pool
from twinloop.scheduling.problem.hours import Hours
from twinloop.scheduling.question import in_time
from twinloop.scheduling.solvers.cp_draft import Draft, Expression, Visit
from twinloop.scheduling.solvers.cp_setups import fixed, keep_crews, set_up


def limit_resources(model: Draft, *, until: float = math.inf) -> None:
    """One visit at a time on every machine, set up in between; no more of a pool than there is."""
    _add_kept(model)
    for machine, row in model.rows.items():
        in_time(until)
        if machine in model.shop.ovens:
            _charges(model, row, model.shop.ovens[machine])
            continue
        model.cp.add_no_overlap([visit.interval for visit in row])
        if any(model.shop.setups.get(machine, {}).values()):
            set_up(model, machine, row)
    keep_crews(model)
    for pool in model.shop.pools:
        _limit_pool(model, pool)


def _limit_pool(model: Draft, pool: Pool) -> None:
    """No more at a time than are there; whoever needs more than are there pauses, and then holds none.

    So each number of units that can be there limits those operations alone that run with so few.
    """
    held = model.pools[pool.name]
    last = max((end for _, _, end in held), default=0)
    steps = Hours.of_pool(pool).steps(0, last) if last else []
    levels = {units for _, units in steps if units} if pool.calendar is not None else {pool.capacity}
    for level in sorted(levels):
        some = [(interval, needed) for interval, needed, _ in held if needed <= level]
        if sum(needed for _, needed in some) <= level:
            continue
        capacity = level
        if levels != {level}:
            capacity = max(sum(needed for _, needed in some), pool.capacity)
            for (time, units), until in zip(steps, [*(time for time, _ in steps[1:]), last], strict=True):
                if level <= units < capacity:
                    missing = model.cp.new_fixed_size_interval_var(time, until - time, "")
                    some.append((missing, capacity - units))
        model.cp.add_cumulative([interval for interval, _ in some], [needed for _, needed in some], capacity)


def _charges(model: Draft, row: Sequence[Visit], capacity: int) -> None:
    """An oven: what is of one family may go in together, as many as there is room for; all else one after the other."""
    cp, shop = model.cp, model.shop
    cp.add_cumulative([visit.interval for visit in row], [1] * len(row), capacity)
    for v, w in itertools.combinations(row, 2):
        families = {shop.by_name[visit.key[0]].operations[visit.key[1]].family for visit in (v, w)}
        # None of the three is asked where one of the visits is elsewhere.
        choices = [model.choice(None), model.choice(None)]
        cp.add(w.start >= v.end).only_enforce_if(choices[0])
        cp.add(v.start >= w.end).only_enforce_if(choices[1])
        if len(families) == 1 and None not in families:
            choices.append(model.choice(None))
            cp.add(v.start == w.start).only_enforce_if(choices[2])
            cp.add(v.end == w.end).only_enforce_if(choices[2])
        both = [visit.present for visit in (v, w) if visit.present is not True]
        cp.add_bool_or(choices).only_enforce_if(both)


def _add_kept(model: Draft) -> None:
    """Kept operations that could meet a free one on its machine or in its pools."""
    opens = {machine: min(visit.first for visit in row) for machine, row in model.rows.items()}
    closes = {machine: max(visit.last_end for visit in row) for machine, row in model.rows.items()}
    first, last = min(opens.values(), default=0), max(closes.values(), default=0)
    by_machine: dict[str, list[Assignment]] = defaultdict(list)
    for a in model.kept.values():
        if a.machine in model.rows and not model.shop.by_name[a.job].operations[a.operation].milestone:
            by_machine[a.machine].append(a)
        if a.end > first and a.start < last:
            for pool, needed in model.shop.by_name[a.job].operations[a.operation].pools.items():
                if pool in model.pools:
                    model.pools[pool].append((fixed(model, a), needed, a.end))
    for machine, kept in by_machine.items():
        kept.sort(key=lambda a: a.start)
        # With the neighbours on either side whose families decide about a set-up.
        low = max(0, sum(a.end <= opens[machine] for a in kept) - 1)
        high = sum(a.start < closes[machine] for a in kept) + 1
        while 0 < high < len(kept) and model.family((kept[high - 1].job, kept[high - 1].operation)) is None:
            high += 1
        families = [family for a in kept[:low] if (family := model.family((a.job, a.operation))) is not None]
        if families:
            model.settings[machine] = families[-1]
        model.rows[machine] += [
            Visit((a.job, a.operation), fixed(model, a), a.start, a.end, True, a.start, a.start, a.end, a.end)
            for a in kept[low:high]
        ]


class _User(NamedTuple):
    """An operation that takes `needed` of a material at its start, between first and last; hint: where it starts.

    where: what must hold for it to be done.
    """

    needed: int
    start: Expression
    first: int
    last: int
    hint: int | None
    where: list[cp_model.IntVar]


def limit_materials(model: Draft) -> None:
    """Before each delivery no more is used than has come until then."""
    cp = model.cp
    for material in model.shop.materials:
        users = list(_users(model, material.name))
        undecided = [user for user in users if user.first < user.last]
        # What is used for certain, by when at the latest.
        last = sorted((user.last, user.needed) for user in users if not user.where)
        certain = [0, *itertools.accumulate(needed for _, needed in last)]
        supply = material.initial
        for time, arrivals in itertools.groupby(sorted(material.deliveries), key=lambda delivery: delivery[0]):
            used: list[Expression] = [certain[bisect_left(last, time, key=lambda use: use[0])]]
            for user in undecided:
                if user.first < time <= user.last:
                    early = model.choice(None if user.hint is None else user.hint < time)
                    cp.add(user.start >= time).only_enforce_if([~early, *user.where])
                    cp.add(user.start < time).only_enforce_if(early)
                    used.append(user.needed * early)
            used += [user.needed * user.where[0] for user in users if user.where and user.last < time]
            cp.add(sum(used) <= supply)
            supply += sum(quantity for _, quantity in arrivals)
        if model.done:
            # All that is needed together may be more than ever comes.
            cp.add(sum(user.needed * (user.where[0] if user.where else 1) for user in users) <= supply)


def _users(model: Draft, material: str) -> Iterator[_User]:
    for key in dict.fromkeys([*model.placed, *model.kept]):
        needed = model.shop.by_name[key[0]].operations[key[1]].materials.get(material, 0)
        if needed and key in model.kept:
            at = model.kept[key].start
            yield _User(needed, at, at, at, at, [])
        elif needed:
            modes, hint = model.spans[key], model.hint.get(key)
            first, last = min(mode.first for mode in modes), max(mode.last for mode in modes)
            where = model.where(key[0])
            yield _User(needed, model.placed[key].start, first, last, hint.start if hint else None, where)
