"""What operations share in the CP-SAT model: machines with their set-ups, pools and materials.

Set-ups by sequence are a circuit on each machine that has any (an arc between two visits says that nothing lies
between them), without the arcs that time forbids. Materials need no reservoir: before each delivery the use is limited.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ortools.sat.python import cp_model

from twinloop.contracts import Assignment
from twinloop.scheduling.question import in_time
from twinloop.scheduling.solvers.cp_draft import Draft, Expression, Visit


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
            _set_up(model, machine, row)
    for pool in model.shop.pools:
        held = model.pools[pool.name]
        if sum(needed for _, needed in held) > pool.capacity:
            model.cp.add_cumulative([interval for interval, _ in held], [needed for _, needed in held], pool.capacity)


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
                    model.pools[pool].append((_fixed(model, a), needed))
    for machine, kept in by_machine.items():
        kept.sort(key=lambda a: a.start)
        # With the neighbour on either side, whose family decides about a set-up.
        low = max(0, sum(a.end <= opens[machine] for a in kept) - 1)
        high = sum(a.start < closes[machine] for a in kept) + 1
        model.rows[machine] += [
            Visit((a.job, a.operation), _fixed(model, a), a.start, a.end, True, a.start, a.start, a.end, a.end)
            for a in kept[low:high]
        ]


def _fixed(model: Draft, a: Assignment) -> cp_model.IntervalVar:
    return model.cp.new_fixed_size_interval_var(a.start, a.end - a.start, "")


def _set_up(model: Draft, machine: str, row: Sequence[Visit]) -> None:
    """A circuit through everything on the machine; each arc between two visits keeps their set-up time."""
    shop, cp = model.shop, model.cp
    families = [shop.by_name[v.key[0]].operations[v.key[1]].family for v in row]
    before = _hinted_neighbours(model, machine, row)
    arcs: list[tuple[int, int, cp_model.LiteralT]] = []
    for i, j in _possible(row):
        inside = i >= 0 and j >= 0
        time = shop.setup(machine, families[i], families[j]) if inside else 0
        if inside and row[i].first_end + time > row[j].last:
            continue
        arc = model.choice(None if before is None else before.get(j) == i)
        arcs.append((i + 1, j + 1, arc))
        if inside:
            cp.add(row[j].start >= row[i].end + time).only_enforce_if(arc)
        if time:
            model.follows.append((time, arc))
    for i, visit in enumerate(row):
        if visit.present is not True:
            arcs.append((i + 1, i + 1, ~visit.present))
    if not any(visit.present is True for visit in row):
        arcs.append((0, 0, model.choice(None if before is None else not before)))
    if arcs:
        cp.add_circuit(arcs)
    else:
        cp.add_bool_or([])  # no order is possible, which an empty circuit would not say


def _possible(row: Sequence[Visit]) -> Iterator[tuple[int, int]]:
    """Pairs that can be neighbours, none where a third visit must lie between; -1 is the row's beginning and end."""
    must = sorted((visit.last, k) for k, visit in enumerate(row) if visit.present is True)
    yield from ((-1, j) for j, visit in enumerate(row) if _next(must[:2], j, visit))
    for i, visit in enumerate(row):
        # The two that surely come behind i and start first: one of them may be j itself.
        behind = itertools.islice((m for m in must if m[1] != i and row[m[1]].first_end > visit.last), 2)
        nearest = list(behind)
        if not nearest:
            yield i, -1
        yield from ((i, j) for j, other in enumerate(row) if i != j and _next(nearest, j, other))


def _next(nearest: Sequence[tuple[int, int]], j: int, visit: Visit) -> bool:
    """Whether no other of the `nearest` surely comes before visit j."""
    limit = next((last for last, k in nearest if k != j), None)
    return limit is None or visit.first_end <= limit


def _hinted_neighbours(model: Draft, machine: str, row: Sequence[Visit]) -> dict[int, int] | None:
    """By visit the one before it in the hint; -1 stands for both ends of the row. None without a hint for all."""
    at = []
    for k, visit in enumerate(row):
        a = model.hint.get(visit.key)
        if a is None:
            return None
        if a.machine == machine:
            at.append((a.start, k))
    circle = [-1, *(k for _, k in sorted(at)), -1]
    return {behind: before for before, behind in itertools.pairwise(circle)} if at else {}


class _User(NamedTuple):
    """An operation that takes `needed` of a material at its start, between first and last; hint: where it starts."""

    needed: int
    start: Expression
    first: int
    last: int
    hint: int | None


def limit_materials(model: Draft) -> None:
    """Before each delivery no more is used than has come until then."""
    cp = model.cp
    for material in model.shop.materials:
        users = list(_users(model, material.name))
        supply = material.initial
        for time, arrivals in itertools.groupby(sorted(material.deliveries), key=lambda delivery: delivery[0]):
            used: list[Expression] = [user.needed for user in users if user.last < time]
            for user in users:
                if user.first < time <= user.last:
                    early = model.choice(None if user.hint is None else user.hint < time)
                    cp.add(user.start >= time).only_enforce_if(~early)
                    cp.add(user.start < time).only_enforce_if(early)
                    used.append(user.needed * early)
            cp.add(sum(used) <= supply)
            supply += sum(quantity for _, quantity in arrivals)


def _users(model: Draft, material: str) -> Iterator[_User]:
    for key in dict.fromkeys([*model.placed, *model.kept]):
        needed = model.shop.by_name[key[0]].operations[key[1]].materials.get(material, 0)
        if needed and key in model.kept:
            at = model.kept[key].start
            yield _User(needed, at, at, at, at)
        elif needed:
            modes, hint = model.spans[key], model.hint.get(key)
            first, last = min(mode.first for mode in modes), max(mode.last for mode in modes)
            yield _User(needed, model.placed[key].start, first, last, hint.start if hint else None)
