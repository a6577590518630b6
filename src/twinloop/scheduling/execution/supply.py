"""People, tools and materials on the floor: taken all at once or not at all, in the order of the plan.

Before its planned start an operation takes only what no earlier one of the plan still waits for; from then on, what
is there. So a calm floor never falls behind its plan, and one that stands still elsewhere does not hold up the rest.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import simpy

from twinloop.contracts import Assignment
from twinloop.scheduling.problem import JobShop, Operation

Process = Generator[simpy.Event, Any, None]
Deliveries = Mapping[str, list[tuple[float, int]]]


@dataclass
class _Stock:
    """What is free of one pool or material, and who is still to take from it, in the order of the plan."""

    level: int
    queue: list[Assignment]


class Supply:
    """All pools and materials of a shop; `waiting` are operations that could start but for them."""

    def __init__(self, env: simpy.Environment, shop: JobShop, deliveries: Deliveries) -> None:
        self._env = env
        self._stocks = {("pool", pool.name): _Stock(pool.capacity, []) for pool in shop.pools}
        self._stocks |= {("material", material.name): _Stock(material.initial, []) for material in shop.materials}
        self._waiting: list[Assignment] = []
        self._change = env.event()
        self._sources: list[simpy.Process] = []
        self.expect(deliveries)

    def expect(self, deliveries: Deliveries) -> None:
        """What comes from now on; replaces what was expected before."""
        for process in self._sources:
            if process.is_alive:
                process.interrupt()
        coming = {name: [d for d in planned if d[0] >= self._env.now] for name, planned in deliveries.items()}
        self._sources = [self._env.process(self._source(name, planned)) for name, planned in coming.items() if planned]

    def plan(self, shop: JobShop, rest: Iterable[Assignment]) -> None:
        """Who will take, in the order of planned starts."""
        for stock in self._stocks.values():
            stock.queue = []
        for a in rest:
            for key, _ in _needs(shop.by_name[a.job].operations[a.operation]):
                self._stocks[key].queue.append(a)
        self._announce()

    def take(self, shop: JobShop, a: Assignment) -> bool:
        """Take all that the operation needs, if it is there and its turn."""
        needs = list(_needs(shop.by_name[a.job].operations[a.operation]))
        if not all(self._granted(a, key, quantity) for key, quantity in needs):
            return False
        for key, quantity in needs:
            self._stocks[key].level -= quantity
            self._stocks[key].queue.remove(a)
        if needs:
            self._announce()
        return True

    def give_back(self, shop: JobShop, a: Assignment) -> None:
        """Release the operation's pools."""
        pools = shop.by_name[a.job].operations[a.operation].pools
        for name, quantity in pools.items():
            self._stocks["pool", name].level += quantity
        if pools:
            self._announce()

    def changed(self, a: Assignment) -> Process:
        """Wait until something is there for the operation, or the time from which it may go ahead of others."""
        self._waiting.append(a)
        try:
            if a.start > self._env.now:
                yield self._change | self._env.timeout(a.start - self._env.now)
            else:
                yield self._change
        finally:
            self._waiting.remove(a)

    def step_aside(self) -> None:
        """Let others go ahead: somebody who waited could not have started anyhow."""
        if any(stock.queue for stock in self._stocks.values()):
            self._announce()

    def missing(self, shop: JobShop, a: Assignment) -> str:
        """What the operation waits for, in words."""
        needs = list(_needs(shop.by_name[a.job].operations[a.operation]))
        return " and ".join(f"{kind} {name}" for (kind, name), n in needs if not self._granted(a, (kind, name), n))

    def _granted(self, a: Assignment, key: tuple[str, str], quantity: int) -> bool:
        stock = self._stocks[key]
        if stock.level < quantity:
            return False
        earlier = stock.queue[: stock.queue.index(a)]
        if a.start > self._env.now:
            return not earlier
        return not any(b in self._waiting for b in earlier)

    def _source(self, name: str, deliveries: list[tuple[float, int]]) -> Process:
        try:
            for time, quantity in deliveries:
                yield self._env.timeout(time - self._env.now)
                self._stocks["material", name].level += quantity
                self._announce()
        except simpy.Interrupt:
            return

    def _announce(self) -> None:
        self._change.succeed()
        self._change = self._env.event()


def _needs(operation: Operation) -> Iterator[tuple[tuple[str, str], int]]:
    for name, quantity in operation.pools.items():
        yield ("pool", name), quantity
    for name, quantity in operation.materials.items():
        yield ("material", name), quantity
