"""A time by which some best plan has ended, whatever the hours are.

From the last thing that can only happen once the operations on a critical chain run, are set up or moved, or wait for
an opening. Where all hours that repeat have openings in common that are long enough, the chain gets on in every one
of these, but for less than the longest piece that must not pause; where not, every operation waits for its own.
"""

from twinloop.scheduling.problem.calendar import NEVER, Closures, OpenTime
from twinloop.scheduling.problem.data import ShopData
from twinloop.scheduling.problem.hours import Hours, machine_hours


def horizon(shop: ShopData) -> int:
    """No sensible plan is longer: everything in turn after the last release, delivery and closed window."""
    last = [job.opens for job in shop.jobs]
    last += [time for material in shop.materials for time, _ in material.deliveries]
    last += [a.end for a in shop.frozen]
    hours = [machine_hours(shop, machine) for machine in shop.machines]
    hours += [Hours.of_pool(pool) for pool in shop.pools]
    last += [one.settled for one in hours if not one.period or one.gone < NEVER]
    begin = max(last, default=0)
    setup = {machine: max(times.values(), default=0) for machine, times in shop.setups.items()}
    move = max(shop.transport.values(), default=0)
    work = sum(
        max(mode.duration + setup.get(mode.machine, 0) for mode in operation.modes) + move
        for job in shop.jobs
        for operation in job.operations
    )
    repeating = [one for one in hours if one.period and one.gone == NEVER]
    if not repeating:
        return begin + work
    needed = {pool.name: 1 for pool in shop.pools}
    for job in shop.jobs:
        for operation in job.operations:
            for name, units in operation.pools.items():
                needed[name] = max(needed.get(name, 1), units)
    pools = [(Hours.of_pool(pool), needed[pool.name]) for pool in shop.pools]
    together = [(machine_hours(shop, machine), 1) for machine in shop.machines] + pools
    common = OpenTime((one, units) for one, units in together if one.period and one.gone == NEVER)
    end = _worked_off(common, begin, work, _longest_piece(shop, max(setup.values(), default=0), move))
    return end if end is not None else _one_by_one(shop, begin, setup, move)


def _longest_piece(shop: ShopData, setup: int, move: int) -> int:
    """The longest time in one piece that anything needs, operations that follow without waiting taken together."""
    longest = setup
    for job in shop.jobs:
        block = 0
        for number, operation in enumerate(job.operations):
            waited = [o.longest_wait is not None for o in job.operations[number : number + 2]]
            follows, block = any(waited), block + move if waited[0] else 0
            block += max(mode.duration if follows else operation.unbroken(mode.duration) for mode in operation.modes)
            longest = max(longest, block)
    return longest


def _worked_off(common: OpenTime, begin: int, work: int, piece: int) -> int | None:
    """When `work` is done in openings that each lose less than a `piece`; None where they are too short."""
    time, left = begin, work
    while left > 0:
        start = common.first(time, piece)
        if start >= NEVER:
            return None
        closes = int(common.closes(int(start) + 1))
        room = closes - int(start) - piece + 1
        if left <= room:
            return int(start) + left + piece
        left -= room
        time = closes
    return time


def _one_by_one(shop: ShopData, begin: int, setup: dict[str, int], move: int) -> int:
    closures = Closures(shop)
    end = max([begin, *(closures.on(machine).settled for machine in shop.machines)])
    for job in shop.jobs:
        for operation in job.operations:
            longest = 0
            for mode in operation.modes:
                both = closures.of(operation, mode.machine)
                needed = mode.duration + setup.get(mode.machine, 0)
                settled = max(begin, both.settled)
                room = both.between(settled, settled + both.period) if both.period else 1
                if room:
                    longest = max(longest, needed + (3 + needed // room) * both.period)
            end += longest + move
    return min(end, NEVER)
