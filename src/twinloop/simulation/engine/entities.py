"""What moves and what holds it: parts, buffers, the source's queue and the way out.

Buffers know nothing of machines: a machine that finds no part, or no room, is given an event and waits
for it. Whoever waits first is served first; repaired parts come before those waiting for room.
"""

from collections import deque
from collections.abc import Callable

import simpy

from twinloop.simulation.events.log import QUEUE, SHIP, EventLog


class Part:
    """A part: its number, variant, true class (0 is good) and latent difficulty u; `step` counts its route.

    priority: 0 goes first. visit: counts the rows of the joint table that it has had.
    """

    __slots__ = (
        "condition",
        "difficulty",
        "looks",
        "number",
        "priority",
        "rejected",
        "reworks",
        "step",
        "variant",
        "visit",
    )

    def __init__(self, number: int, *, variant: int, condition: int, difficulty: float, priority: int = 0) -> None:
        self.number, self.variant, self.condition, self.difficulty = number, variant, condition, difficulty
        self.priority = priority
        self.looks = self.reworks = self.step = self.visit = 0
        self.rejected = False


# Has a part that is lost, at the entity of that number.
Lose = Callable[[Part, int], None]


class Buffer:
    """Room for `capacity` parts before the machines of the station whose first is `entity`.

    They go by priority, then first in, first out. A part that comes to rest here is a QUEUE row; capacity 0 hands over
    directly.
    """

    __slots__ = ("_env", "_givers", "_log", "_takers", "capacity", "entity", "name", "parts")

    def __init__(self, env: simpy.Environment, log: EventLog, entity: int, *, name: str, capacity: float) -> None:
        self._env, self._log, self.entity, self.name, self.capacity = env, log, entity, name, capacity
        self.parts: deque[Part] = deque()
        self._takers: deque[simpy.Event] = deque()
        self._givers: deque[tuple[Part, simpy.Event]] = deque()

    @property
    def empty(self) -> bool:
        """Whether `take` would give nothing."""
        return not (self.parts or self._givers)

    def admits(self, part: Part) -> bool:
        """Whether `put` would take the part in."""
        return bool(self._takers) or len(self.parts) < self.capacity

    def put(self, part: Part) -> bool:
        """Take the part in, or return False when there is no room."""
        if self._takers:
            self._takers.popleft().succeed(part)
            return True
        if len(self.parts) < self.capacity:
            self._rest(part)
            return True
        return False

    def _rest(self, part: Part) -> None:
        parts = self.parts
        if parts and parts[-1].priority > part.priority:
            parts.insert(next(place for place, other in enumerate(parts) if other.priority > part.priority), part)
        else:
            parts.append(part)
        self._log.record(self._env.now, QUEUE, self.entity, part.number)

    def room(self, part: Part, *, first: bool = False) -> simpy.Event:
        """An event that fires when the part has been taken in."""
        event = self._env.event()
        if first:
            self._givers.appendleft((part, event))
        else:
            place = len(self._givers)
            while place and self._givers[place - 1][0].priority > part.priority:
                place -= 1
            self._givers.insert(place, (part, event))
        return event

    def take(self) -> Part | None:
        """The oldest part, or None when there is none."""
        if self.parts:
            part = self.parts.popleft()
            if self._givers:
                waiting, event = self._givers.popleft()
                self._rest(waiting)
                event.succeed()
            return part
        if self._givers:
            part, event = self._givers.popleft()
            event.succeed()
            return part
        return None

    def arrival(self) -> simpy.Event:
        """An event that fires with the next part."""
        event = self._env.event()
        self._takers.append(event)
        return event

    def __str__(self) -> str:
        return f"{self.name} ({len(self.parts)} of {self.capacity:g})"


class ImpatientQueue(Buffer):
    """A buffer whose parts are lost when they have waited as long as they have `patience` for; `lose` has them."""

    __slots__ = ("_lose", "_patience", "_stays")

    def __init__(
        self,
        env: simpy.Environment,
        log: EventLog,
        entity: int,
        *,
        name: str,
        capacity: float,
        patience: Callable[[], float],
        lose: Lose,
    ) -> None:
        super().__init__(env, log, entity, name=name, capacity=capacity)
        self._patience, self._lose = patience, lose
        # Of every part that waits the number of its stay, as a part may come back.
        self._stays: dict[int, int] = {}

    def _rest(self, part: Part) -> None:
        super()._rest(part)
        stay = self._stays[part.number] = self._stays.get(part.number, 0) + 1
        self._env.timeout(self._patience()).callbacks.append(lambda _: self._give_up(part, stay))

    def _give_up(self, part: Part, stay: int) -> None:
        if self._stays[part.number] != stay or part not in self.parts:
            return
        self.parts.remove(part)
        self._lose(part, self.entity)
        if self._givers:
            waiting, event = self._givers.popleft()
            self._rest(waiting)
            event.succeed()


class SaturatedQueue(Buffer):
    """The queue of a source that never runs dry: a part is made when one is asked for and none has come back."""

    __slots__ = ("_make",)

    def __init__(
        self,
        env: simpy.Environment,
        log: EventLog,
        entity: int,
        *,
        name: str,
        capacity: float,
        make: Callable[[], Part],
    ) -> None:
        super().__init__(env, log, entity, name=name, capacity=capacity)
        self._make = make

    @property
    def empty(self) -> bool:
        """Never: one more can always be made."""
        return False

    def take(self) -> Part | None:
        return super().take() or self._make()


class Shipping:
    """The way out behind the station whose last machine is `entity`: always has room."""

    __slots__ = ("_env", "_log", "entity", "name")

    def __init__(self, env: simpy.Environment, log: EventLog, entity: int) -> None:
        self._env, self._log, self.entity, self.name = env, log, entity, "shipping"

    def put(self, part: Part) -> bool:
        """Ship the part."""
        self._log.record(self._env.now, SHIP, self.entity, part.number, part.condition)
        return True

    def room(self, part: Part, *, first: bool = False) -> simpy.Event:
        """Never waited for, as `put` always succeeds."""
        raise AssertionError("shipping always has room")
