"""Stocks of material: taken part by part, ordered again in time, and missed where they are not.

A stock is an entity of the log. Every change is a deliver row of it, negative where a station takes some, so that
the level is their sum; it is starved while a station waits for it, else idle.
"""

import math
from collections import deque
from collections.abc import Callable

import simpy

from twinloop.errors import RunError
from twinloop.simulation.events.log import DELIVER, IDLE, NO_PART, STARVED, UNKNOWN, EventLog
from twinloop.simulation.model.materials import Material

# Of sums of quantities such as 0.1, in units of the material.
ROUNDING = 1e-9


class Stock:
    """One material; `lead` draws the minutes of its next delivery (null: no more ever comes)."""

    def __init__(
        self,
        env: simpy.Environment,
        log: EventLog,
        entity: int,
        *,
        material: Material,
        lead: Callable[[], float] | None,
    ) -> None:
        self._env, self._log, self._entity = env, log, entity
        self._lead, self._material, self.name = lead, material, material.name
        self.level = self._position = material.initial
        self._waiting: deque[tuple[float, simpy.Event]] = deque()
        log.record(env.now, IDLE, entity)
        if material.initial:
            self._book(material.initial)
        self._order()

    def take(self, quantity: float, *, station: str) -> simpy.Event | None:
        """None when the quantity was there and is taken, else the event that fires when it is.

        Raises RunError when it will never be there.
        """
        self._position -= quantity
        if not self._waiting and self.level >= quantity - ROUNDING:
            self._use(quantity)
            self._order()
            return None
        if self._lead is None:
            raise RunError(
                f"simulate: {station} needs {quantity:g} of {self.name} in minute {self._env.now:.1f}, {self.level:g} "
                f"is left and no more comes: give {self.name} a lead_time or a larger initial stock"
            )
        if not self._waiting:
            self._log.record(self._env.now, STARVED, self._entity)
        self._waiting.append((quantity, self._env.event()))
        self._order()
        return self._waiting[-1][1]

    def _order(self) -> None:
        missing = self._material.reorder_at - self._position
        if self._lead is None or missing < 0:
            return
        quantity = (math.floor(missing / self._material.order_quantity) + 1) * self._material.order_quantity
        self._position += quantity
        self._env.timeout(self._lead()).callbacks.append(lambda _: self._deliver(quantity))

    def _deliver(self, quantity: float) -> None:
        self.level += quantity
        self._book(quantity)
        starved = bool(self._waiting)
        while self._waiting and self.level >= self._waiting[0][0] - ROUNDING:
            wanted, event = self._waiting.popleft()
            self._use(wanted)
            event.succeed()
        if starved and not self._waiting:
            self._log.record(self._env.now, IDLE, self._entity)

    def _use(self, quantity: float) -> None:
        self.level = max(self.level - quantity, 0.0)
        self._book(-quantity)

    def _book(self, quantity: float) -> None:
        self._log.record(self._env.now, DELIVER, self._entity, NO_PART, UNKNOWN, quantity)
