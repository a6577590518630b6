"""Is the problem one at all? Every mistake is named with its place before a solver sees it."""

import graphlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from twinloop.errors import InputError
from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.hours import NEVER
from twinloop.scheduling.problem.jobs import Job, Operation
from twinloop.scheduling.problem.opening_checks import check_hours, check_openings, check_whole

# Sums of times stay within 32 bits and weighted sums within a double, so no solver can overflow.
LARGEST_TIME = NEVER
LARGEST_COST = 2**53


def check_shop(shop: ShopData) -> None:
    """Raise InputError for the first thing that makes `shop` no valid problem."""
    check_names(shop.machines, "machine")
    check_names([job.name for job in shop.jobs], "job")
    check_names([pool.name for pool in shop.pools], "pool", least=0)
    check_names([material.name for material in shop.materials], "material", least=0)
    _check_resources(shop)
    check_hours(shop)
    for job in shop.jobs:
        _check_job(job, shop)
    ordered(shop.jobs)
    _check_optional(shop)
    _check_ovens(shop)
    check_openings(shop)
    _check_supply(shop)
    _check_frozen(shop)


def check_size(shop: ShopData, horizon: int) -> None:
    """Raise InputError where times or costs up to the horizon could grow too large."""
    if horizon > LARGEST_TIME:
        raise InputError(
            f"shop: expected all releases and durations to add up to at most {LARGEST_TIME}, got {horizon}: "
            "use a coarser time unit"
        )
    overdue = max([0, *(-job.due for job in shop.jobs if job.due is not None)])
    if sum(job.price or 0 for job in shop.jobs) > LARGEST_COST:
        raise InputError(f"shop: expected prices of jobs left out of at most {LARGEST_COST} together: use smaller ones")
    if (horizon + overdue) * sum(job.weight + job.earliness_weight for job in shop.jobs) > LARGEST_COST:
        raise InputError(f"shop: expected weights × horizon of at most {LARGEST_COST}: use smaller weights")


def without_ovens(who: str, shop: ShopData) -> str:
    """That somebody cannot plan ovens, and who can."""
    return f"{who}: cannot plan {', '.join(shop.ovens)}, which takes several operations at once: use CP-SAT or auto"


def check_names(names: Iterable[str], kind: str, *, least: int = 1) -> None:
    """Names are texts, different from each other, and at least `least` of them."""
    taken: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not name:
            raise InputError(f"shop: expected a {kind} name (a text), got {name!r}")
        if name in taken:
            raise InputError(f"shop: {kind} {name!r} is there twice: give each {kind} its own name")
        taken.add(name)
    if len(taken) < least:
        raise InputError(f"shop: expected at least one {kind}, got none")


def ordered(jobs: Sequence[Job]) -> tuple[str, ...]:
    """Job names, each behind all it comes after; InputError for an unknown job or a circle."""
    names = {job.name for job in jobs}
    for job in jobs:
        for other in job.after:
            if other not in names:
                raise InputError(f"job {job.name}: comes after {other!r}, which is no job of this shop")
    try:
        return tuple(graphlib.TopologicalSorter({job.name: job.after for job in jobs}).static_order())
    except graphlib.CycleError as error:
        raise InputError(
            f"jobs {' → '.join(error.args[1])} wait for each other in a circle: remove one 'after'"
        ) from None


def _known(name: str, known: Iterable[str], where: str, kind: str) -> None:
    if name not in known:
        raise InputError(f"{where}: unknown {kind} {name!r}; known: {', '.join(sorted(known)) or 'none'}")


def _check_resources(shop: ShopData) -> None:
    for pool in shop.pools:
        check_whole(pool.capacity, 1, f"pool {pool.name}: capacity")
    for machine, times in shop.setups.items():
        _known(machine, shop.machines, "setups", "machine")
        for (before, after), time in times.items():
            check_whole(time, 0, f"set-up on {machine} from {before} to {after}")
    for (start, end), time in shop.transport.items():
        _known(start, shop.machines, "transport", "machine")
        _known(end, shop.machines, "transport", "machine")
        check_whole(time, 0, f"transport from {start} to {end}")
    for machine, watts in shop.power.items():
        _known(machine, shop.machines, "power", "machine")
        check_whole(watts, 0, f"power of {machine}")
    for material in shop.materials:
        check_whole(material.initial, 0, f"material {material.name}: initial stock")
        for time, quantity in material.deliveries:
            check_whole(time, 0, f"material {material.name}: time of a delivery")
            check_whole(quantity, 1, f"material {material.name}: quantity of the delivery at {time}")


def _check_job(job: Job, shop: ShopData) -> None:
    where = f"job {job.name}"
    if not job.operations:
        raise InputError(f"{where}: expected at least one operation, got none")
    check_whole(job.release, -LARGEST_TIME, f"{where}: release")
    check_whole(job.weight, 0, f"{where}: weight")
    check_whole(job.earliness_weight, 0, f"{where}: earliness weight")
    if job.due is not None:
        check_whole(job.due, -LARGEST_TIME, f"{where}: due date")
    elif job.firm:
        raise InputError(f"{where}: expected a due date, because it is firm, got none")
    capacity = {pool.name: pool.capacity for pool in shop.pools}
    materials = {material.name for material in shop.materials}
    for number, operation in enumerate(job.operations):
        _check_operation(operation, number, where, shop.machines, capacity, materials)


def _check_operation(
    operation: Operation,
    number: int,
    job: str,
    machines: Sequence[str],
    capacity: Mapping[str, int],
    materials: Iterable[str],
) -> None:
    where = f"{job} operation {number}"
    for mode in operation.modes:
        if mode.machine not in machines:
            raise InputError(f"{where}: unknown machine {mode.machine!r}; known: {', '.join(sorted(machines))}")
        check_whole(mode.duration, 0, f"{where}: duration")
    twice = [machine for machine, count in Counter(mode.machine for mode in operation.modes).items() if count > 1]
    if twice:
        raise InputError(f"{where}: machine {twice[0]!r} is named twice among its alternatives: keep one duration")
    for pool, number_needed in operation.pools.items():
        _known(pool, capacity, where, "pool")
        check_whole(number_needed, 1, f"{where}: number needed of {pool}")
        if number_needed > capacity[pool]:
            raise InputError(
                f"{where}: needs {number_needed} of pool {pool}, which has {capacity[pool]}: "
                "enlarge the pool or need fewer"
            )
    for material, quantity in operation.materials.items():
        _known(material, set(materials), where, "material")
        check_whole(quantity, 1, f"{where}: quantity of {material}")
    check_whole(operation.least_run, 1, f"{where}: least run before a pause")
    if operation.least_run > 1 and not operation.resumable:
        raise InputError(f"{where}: least_run = {operation.least_run} is for work that may pause: make it resumable")
    if operation.max_wait is not None:
        check_whole(operation.max_wait, 0, f"{where}: max_wait")
    if operation.longest_wait is not None and number == 0:
        name = "no_wait" if operation.no_wait else "max_wait"
        raise InputError(f"{where}: {name} follows an operation before it, and this is the first one")
    if operation.no_wait and operation.max_wait:
        raise InputError(f"{where}: no_wait and max_wait = {operation.max_wait}: expected one of them")
    if not operation.longest:
        if operation.pools:
            raise InputError(f"{where}: takes no time and holds {next(iter(operation.pools))}: give it a duration")
    elif not operation.shortest:
        raise InputError(f"{where}: takes no time on one machine only: give it a duration, or 0 on all of them")


def _check_optional(shop: ShopData) -> None:
    priced = {job.name for job in shop.jobs if job.price is not None}
    for job in shop.jobs:
        where = f"job {job.name}"
        if job.price is not None:
            check_whole(job.price, 0, f"{where}: price")
            if job.part_of in shop.by_name and job.part_of != job.name:
                raise InputError(f"{where}: is part of {job.part_of} and left out with it: give the price to that one")
        for other in job.after:
            order = shop.by_name[other].order
            if order in priced and job.order not in priced:
                raise InputError(
                    f"{where}: must be done, but comes after {other}, which may be left out: give it a price too, or "
                    f"remove that of {order}"
                )


def _check_ovens(shop: ShopData) -> None:
    for machine, capacity in shop.ovens.items():
        _known(machine, shop.machines, "ovens", "machine")
        check_whole(capacity, 1, f"oven {machine}: capacity")
        if any(shop.setups.get(machine, {}).values()):
            raise InputError(f"oven {machine}: has set-ups as well: expected none; add them to the durations")
        times: dict[str, tuple[str, int]] = {}
        for job in shop.jobs:
            for number, operation in enumerate(job.operations):
                if operation.family is None or machine not in [mode.machine for mode in operation.modes]:
                    continue
                where = f"job {job.name} operation {number}"
                other, time = times.setdefault(operation.family, (where, operation.on(machine)))
                if operation.on(machine) != time:
                    raise InputError(
                        f"oven {machine}: {where} takes {operation.on(machine)}, {other} {time}: expected the same "
                        f"time for all of family {operation.family}, which may go in together"
                    )


def _check_supply(shop: ShopData) -> None:
    needed: Counter[str] = Counter()
    for job in shop.required:
        for operation in job.operations:
            needed.update(operation.materials)
    for material in shop.materials:
        supply = material.initial + sum(quantity for _, quantity in material.deliveries)
        if needed[material.name] > supply:
            raise InputError(
                f"material {material.name}: {needed[material.name]} are needed, but only {supply} are in stock or "
                "ever delivered: add a delivery"
            )


def _check_frozen(shop: ShopData) -> None:
    jobs = shop.by_name
    for a in shop.frozen:
        if a.job not in jobs or not 0 <= a.operation < len(jobs[a.job].operations):
            raise InputError(f"frozen: job {a.job} operation {a.operation} is not in the shop")
        modes = [mode.machine for mode in jobs[a.job].operations[a.operation].modes]
        if a.machine not in modes:
            raise InputError(
                f"frozen: job {a.job} operation {a.operation} is on {a.machine}, expected {' or '.join(modes)}"
            )
        check_whole(a.start, -LARGEST_TIME, f"frozen: job {a.job} operation {a.operation}: start")
        if a.end < a.start or (a.end == a.start) != jobs[a.job].operations[a.operation].milestone:
            raise InputError(f"frozen: job {a.job} operation {a.operation}: expected its end after {a.start}")
    twice = [key for key, count in Counter((a.job, a.operation) for a in shop.frozen).items() if count > 1]
    if twice:
        raise InputError(f"frozen: job {twice[0][0]} operation {twice[0][1]} is there twice: keep one")
