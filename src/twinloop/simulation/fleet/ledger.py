"""What a run counts after its warm-up: costs by component, lost driving, failures, visits and renewals."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.simulation.fleet.world import World

Floats = NDArray[np.float64]


class Ledger:
    """by_component: [components] euro. lost_min: planned driving that vehicles missed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.by_component: Floats = np.zeros(len(world.fleet.components))
        self.cost, self.lost_min = 0.0, 0.0
        self.failures = self.visits = self.renewals = 0

    def counts(self, time: float) -> bool:
        """Whether what happens now is counted."""
        return time >= self._world.begin_min

    def visit(self, time: float, prices: dict[int, float], *, failed: bool) -> None:
        """A stay begins; prices: component → euro for its renewal."""
        if self.counts(time):
            self.failures += failed
            self.visits += 1
            self.renewals += len(prices)
            for component, euro in prices.items():
                self._charge(component, euro)

    def stand(self, vehicle: int, components: Collection[int], off: float, until: float) -> float:
        """A vehicle stood for these components, which share the price: the minutes of driving that it missed."""
        world = self._world
        first, last = max(off, world.begin_min), min(until, world.end_min)
        if first >= last:
            return 0.0
        lost = world.duties.work(vehicle, last) - world.duties.work(vehicle, first)
        self.lost_min += lost
        for component in components:
            self._charge(component, lost / MINUTES_PER_HOUR * world.fleet.downtime_hour / len(components))
        return lost

    def _charge(self, component: int, euro: float) -> None:
        self.cost += euro
        self.by_component[component] += euro
