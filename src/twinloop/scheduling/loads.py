"""When machines and pools can have done all that only they can do: head + work + tail (Carlier 1982), with set-ups.

For operations with alternatives the sets of machines count that some operation is confined to. A set-up needs open time
of its machine, as work does, so the least that the families ask for is added to the work. A pool can do as much as its
units have open time together; what needs more than half of it goes one after the other.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from twinloop.scheduling.heads import Heads
from twinloop.scheduling.least_setups import each_entry, least_setups
from twinloop.scheduling.problem import Changeover, JobShop, Pool
from twinloop.scheduling.problem.calendar import ALWAYS, NEVER, Closures, OpenTime
from twinloop.scheduling.problem.hours import Hours

# Sets of machines that a bound is tried on where operations are confined to more, those with most work of their own.
SETS = 60


class Task(NamedTuple):
    """What one operation asks for: its least head, work and tail, its machines, family and pools."""

    head: int
    work: int
    tail: int
    machines: frozenset[str]
    family: str | None
    pools: Mapping[str, int]


class Load(NamedTuple):
    """Several tasks together: least head, sum of work, least tail; how many are of each family."""

    head: int
    work: int
    tail: int
    families: Counter[str]

    @classmethod
    def of(cls, tasks: Collection[Task]) -> "Load":
        """All of them."""
        families = Counter(task.family for task in tasks if task.family is not None)
        head, tail = min(task.head for task in tasks), min(task.tail for task in tasks)
        return cls(head, sum(task.work for task in tasks), tail, families)

    @classmethod
    def joined(cls, loads: Collection["Load"]) -> "Load":
        """Several loads as one."""
        families = sum((load.families for load in loads), Counter[str]())
        head, tail = min(load.head for load in loads), min(load.tail for load in loads)
        return cls(head, sum(load.work for load in loads), tail, families)


def tasks_of(shop: JobShop, earliest: Heads) -> Iterator[Task]:
    """Every operation that takes time and must be done."""
    for job in shop.required:
        tail = 0
        for number in reversed(range(len(job.operations))):
            row, operation = earliest[job.name, number], job.operations[number]
            # Pauses keep the machine but are no work; a frozen operation lasts as long as it lasts.
            work = min(head.work for head in row)
            if work:
                machines = frozenset(head.machine for head in row)
                first = min(head.first for head in row)
                yield Task(first, work, tail, machines, operation.family, operation.pools)
            tail += work


def worked_off(shop: JobShop, earliest: Heads) -> int:
    """When the last machine or pool can have done its work, with what must come behind it; 0 without work."""
    tasks = list(tasks_of(shop, earliest))
    return max(_by_machines(shop, tasks), 0 if shop.frozen else _by_pools(shop, tasks))


def set_up_time(shop: JobShop, earliest: Heads) -> int:
    """The least sum of set-ups that the families on every machine ask for."""
    if shop.frozen or not shop.setups:
        return 0  # what has begun before time 0 needs none
    families: dict[str, Counter[str]] = defaultdict(Counter)
    for task in tasks_of(shop, earliest):
        if len(task.machines) == 1 and task.family is not None:
            families[next(iter(task.machines))][task.family] += 1
    possible = _possible_families(shop)
    return sum(
        least_setups(shop.setups.get(machine, {}), counts, possible[machine], initial=_initial(shop, machine))
        for machine, counts in families.items()
    )


def _initial(shop: JobShop, machine: str) -> str | None:
    return shop.changeovers[machine].initial if machine in shop.changeovers else None


def _possible_families(shop: JobShop) -> dict[str, set[str]]:
    """By machine, what it can be set up for."""
    families: dict[str, set[str]] = defaultdict(set)
    for job in shop.jobs:
        for operation in job.operations:
            if operation.family is not None:
                for mode in operation.modes:
                    families[mode.machine].add(operation.family)
    for machine, changeover in shop.changeovers.items():
        if changeover.initial is not None:
            families[machine].add(changeover.initial)
    return families


def _by_machines(shop: JobShop, tasks: Sequence[Task]) -> int:
    confined: dict[frozenset[str], list[Task]] = defaultdict(list)
    for task in tasks:
        if not task.machines & shop.ovens.keys():
            confined[task.machines].append(task)
    loads = {machines: Load.of(some) for machines, some in confined.items()}
    closures = Closures(shop)
    # A frozen operation may run through closed windows.
    hours = {machine: ALWAYS if shop.frozen else closures.on(machine) for machine in shop.machines}
    possible = _possible_families(shop) if shop.setups else {}
    most = sorted(loads, key=lambda machines: (-loads[machines].work / len(machines), sorted(machines)))[:SETS]
    best = 0
    for machines in [*most, frozenset(shop.machines) - shop.ovens.keys()]:
        inside = [load for confined_to, load in loads.items() if confined_to <= machines]
        if inside:
            whole = Load.joined(inside)
            work = whole.work + _set_ups(shop, machines, whole.families, possible, hours)
            best = max(best, _done([hours[m] for m in machines], whole.head, work) + whole.tail)
    return best


def _set_ups(
    shop: JobShop,
    machines: frozenset[str],
    families: Counter[str],
    possible: Mapping[str, set[str]],
    hours: Mapping[str, OpenTime],
) -> int:
    """The least set-up time behind the first operation of each machine that takes open time of these machines."""
    if shop.frozen or not families or not all(_takes_time(shop, machine, hours[machine]) for machine in machines):
        return 0
    if len(machines) == 1:
        [machine] = machines
        return least_setups(shop.setups[machine], families, possible[machine])
    entries = [each_entry(shop.setups[machine], families, possible.get(machine, set())) for machine in machines]
    costs = sorted(min(some) for some in zip(*entries, strict=True))
    # Each machine's first operation may need none.
    return sum(costs[: max(0, len(costs) - len(machines))])


def _takes_time(shop: JobShop, machine: str, hours: OpenTime) -> bool:
    set_up = any(shop.setups.get(machine, {}).values())
    return set_up and (hours.always or not shop.changeovers.get(machine, Changeover()).unattended)


def _by_pools(shop: JobShop, tasks: Sequence[Task]) -> int:
    best = 0
    for pool in shop.pools:
        users = [task._replace(work=task.pools[pool.name] * task.work) for task in tasks if pool.name in task.pools]
        if users:
            units = [OpenTime([(Hours.of_pool(pool), unit)]) for unit in range(1, pool.capacity + 1)]
            whole = Load.of(users)
            best = max(best, _done(units, whole.head, whole.work) + whole.tail, _one_by_one(pool, tasks))
    return best


def _one_by_one(pool: Pool, tasks: Sequence[Task]) -> int:
    """The same of what needs more than half of the pool."""
    large = [task for task in tasks if 2 * task.pools.get(pool.name, 0) > pool.capacity]
    if not large:
        return 0
    units, whole = min(task.pools[pool.name] for task in large), Load.of(large)
    return _done([OpenTime([(Hours.of_pool(pool), units)])], whole.head, whole.work) + whole.tail


def _done(hours: Sequence[OpenTime], begin: int, work: int) -> int:
    """When machines (or units of a pool) of these hours together can have done `work` from `begin` on."""
    always = sum(one.always for one in hours)
    others = [one for one in hours if not one.always]
    if not others:
        return begin - (-work // always)

    def enough(until: int) -> bool:
        return always * (until - begin) + sum(one.between(begin, until) for one in others) >= work

    until = begin - (-work // len(hours))
    if until >= NEVER:
        return NEVER  # some operation has no place at all
    while not enough(until) and until < NEVER:
        until = min(2 * until - begin + 1, NEVER)
    return begin + bisect_left(range(begin, until), True, key=enough)
