"""Batch stations: parts wait until so many are there, then are worked on together (ovens, washers, dryers).

The batch is worked on as its slowest part, so that set-up, cycle and breakdowns are those of one part.
"""

from collections import deque
from collections.abc import Callable
from functools import partial

import simpy

from twinloop.simulation.engine.depot import Depot
from twinloop.simulation.engine.entities import Part
from twinloop.simulation.engine.machines import Fetching, Machine
from twinloop.simulation.events.log import RUNNING, STARVED, EventLog

NEVER = float("inf")
TOLERANCE = 1e-9


class BatchQueue(Depot):
    """Where parts wait until `size` are there, or the first of them has waited `patience` minutes."""

    __slots__ = ("_alarm", "_arrived", "_loads", "patience", "size")

    def __init__(
        self,
        env: simpy.Environment,
        log: EventLog,
        entity: int,
        *,
        name: str,
        capacity: float,
        make: Callable[[], Part] | None = None,
        size: int,
        patience: float | None,
    ) -> None:
        super().__init__(env, log, entity, name=name, capacity=capacity, make=make)
        self.size, self.patience = size, NEVER if patience is None else patience
        self._arrived: deque[float] = deque()
        self._loads: deque[simpy.Event] = deque()
        self._alarm = NEVER

    def load(self) -> list[Part] | None:
        """A batch that is ready now, or None."""
        while self._make and len(self.parts) < self.size:
            self.parts.append(self._make())
            self._arrived.append(self._env.now)
        if not self._ready():
            return None
        batch = self._pop()
        self._refill()
        return batch

    def gathered(self) -> simpy.Event:
        """An event that fires with the next batch."""
        event = self._env.event()
        self._loads.append(event)
        self._hand_over()
        return event

    def _rest(self, part: Part) -> None:
        super()._rest(part)
        self._arrived.append(self._env.now)
        self._hand_over()

    def _ready(self) -> bool:
        waited = self._env.now - self._arrived[0] + TOLERANCE if self.parts else -1.0
        return len(self.parts) >= self.size or waited >= self.patience

    def _pop(self) -> list[Part]:
        count = min(self.size, len(self.parts))
        for _ in range(count):
            self._arrived.popleft()
        return [self.parts.popleft() for _ in range(count)]

    def _hand_over(self) -> None:
        while self._loads and self._ready():
            self._loads.popleft().succeed(self._pop())
            self._refill()
        if self._loads and self.parts and self.patience < NEVER:
            due = self._arrived[0] + self.patience
            if due != self._alarm:
                self._alarm = due
                self._env.timeout(due - self._env.now).callbacks.append(partial(self._ring, due))

    def _ring(self, due: float, _: simpy.Event) -> None:
        if due == self._alarm:
            self._alarm = NEVER
            self._hand_over()


class Batches:
    """How a machine is loaded from a BatchQueue; `weight` tells which part takes longest.

    The other parts of a batch are rows of the log as well, as running at the moment they are loaded.
    """

    def __init__(self, queue: BatchQueue, weight: Callable[[Part], float]) -> None:
        self._queue, self._weight = queue, weight

    def __call__(self, machine: Machine) -> Fetching:
        """Load the next batch as the machine's `batch`; returns its slowest part."""
        batch = self._queue.load()
        if batch is None:
            reason = f"{self._queue.size} parts from {self._queue.name}"
            batch = yield from machine.wait(self._queue.gathered(), STARVED, reason)
        slowest: Part = max(batch, key=self._weight)
        machine.batch.extend(batch)
        for part in batch:
            if part is not slowest:
                machine.note(RUNNING, part.number)
        return slowest
