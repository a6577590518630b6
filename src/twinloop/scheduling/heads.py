"""Earliest start and end of every operation when machines are never busy: what routes, calendars and deliveries leave.

One pass along the routes, with a look into the calendar for each machine; no list of all possible starts.
"""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from twinloop.scheduling.problem import Alternative, JobShop, Operation
from twinloop.scheduling.problem.calendar import NEVER, Closures

Key = tuple[str, int]


class Supply:
    """When material comes, each delivery summed up once."""

    def __init__(self, shop: JobShop) -> None:
        self._come: dict[str, tuple[list[int], list[int]]] = {}
        for material in shop.materials:
            deliveries = sorted(material.deliveries)
            stock = list(accumulate((quantity for _, quantity in deliveries), initial=material.initial))
            self._come[material.name] = stock, [0, *(time for time, _ in deliveries)]

    def of(self, operation: Operation) -> int:
        """When enough of every material has come for this operation alone."""
        latest = 0
        for name, quantity in operation.materials.items():
            stock, times = self._come[name]
            latest = max(latest, times[min(bisect_left(stock, quantity), len(times) - 1)])
        return latest


class Head(NamedTuple):
    """A machine for an operation: earliest start and end there; work: how long it keeps the machine at least."""

    machine: str
    duration: int
    first: int
    first_end: int
    work: int


Heads = Mapping[Key, tuple[Head, ...]]


def heads(shop: JobShop) -> Heads:
    """For every operation the earliest start and end on each of its machines, when these are never busy."""
    fixed = {(a.job, a.operation): a for a in shop.frozen}
    closed, supply, transport = Closures(shop), Supply(shop), shop.transport
    heads_of: dict[Key, tuple[Head, ...]] = {}
    for name in shop.order:
        job = shop.by_name[name]
        opens, before = job.opens, tuple[Head, ...]()
        for other in job.after:
            last = heads_of[other, len(shop.by_name[other].operations) - 1]
            opens = max(opens, min(head.first_end for head in last))
        for number, operation in enumerate(job.operations):
            row: tuple[Head, ...]
            a = fixed.get((name, number))
            if a is not None:
                row = (Head(a.machine, operation.on(a.machine), a.start, a.end, a.end - a.start),)
            else:
                row = tuple(
                    _head(
                        closed,
                        operation,
                        mode,
                        max(supply.of(operation), _ready(before, mode.machine, transport, opens)),
                    )
                    for mode in operation.modes
                )
            heads_of[name, number] = before = row
    return heads_of


def _ready(before: tuple[Head, ...], machine: str, transport: Mapping[tuple[str, str], int], opens: int) -> int:
    if not before:
        return opens
    if not transport:
        return max(0, min(head.first_end for head in before))
    return max(0, min(head.first_end + transport.get((head.machine, machine), 0) for head in before))


def _head(closed: Closures, operation: Operation, mode: Alternative, ready: int) -> Head:
    machine, duration = mode.machine, mode.duration
    hours = closed.of(operation, machine)
    if hours.always:
        return Head(machine, duration, ready, ready + duration, duration)
    least = operation.unbroken(duration)
    first = int(hours.first(ready, duration, least=least))
    end = int(hours.done(first, duration, least=least)) if first < NEVER else NEVER
    return Head(machine, duration, first, end, duration)
