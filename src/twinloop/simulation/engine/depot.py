"""A buffer whose room can be promised: what transport, batches and assemblies need beyond a plain buffer.

Room is promised before a vehicle leaves, so that what it brings never has to be dropped. A machine that waits for a
part is room for one more, as it takes the part from the vehicle.
"""

from collections import Counter
from collections.abc import Callable

import simpy

from twinloop.simulation.engine.entities import Buffer, Part
from twinloop.simulation.events.log import EventLog

ANY = 0


class Depot(Buffer):
    """Room for `capacity` parts that wait here or are on their way; `make`: the parts of a source that never runs dry.

    Subclasses tell parts apart (`_sort`) and say who gets an arriving part (`_accept`).
    """

    __slots__ = ("_brought", "_make", "_promised")

    def __init__(
        self,
        env: simpy.Environment,
        log: EventLog,
        entity: int,
        *,
        name: str,
        capacity: float,
        make: Callable[[], Part] | None = None,
    ) -> None:
        super().__init__(env, log, entity, name=name, capacity=capacity)
        self._make = make
        self._promised: Counter[int] = Counter()
        # Numbers of the parts that wait for a promise of room; other parts in `_givers` come in themselves.
        self._brought: set[int] = set()

    @property
    def empty(self) -> bool:
        """Whether `take` would give nothing."""
        return super().empty and self._make is None

    def admits(self, part: Part) -> bool:
        """Whether there is room for the part now."""
        return len(self.parts) + self._promised[ANY] < self.capacity + len(self._takers)

    def put(self, part: Part) -> bool:
        """Take the part in, or return False when there is no room."""
        if not self.admits(part):
            return False
        self._accept(part)
        return True

    def promise(self, part: Part) -> bool:
        """Keep room for a part that `bring` brings later, or return False when there is none."""
        if not self.admits(part):
            return False
        self._promised[self._sort(part)] += 1
        return True

    def promised_room(self, part: Part, *, first: bool = False) -> simpy.Event:
        """An event that fires when room is kept for a part that `bring` brings later."""
        self._brought.add(part.number)
        return self.room(part, first=first)

    def waits_for_room(self, number: int) -> bool:
        """Whether the part of this number waits for a promise of room."""
        return number in self._brought

    @property
    def expects(self) -> bool:
        """Whether a part is on its way here."""
        return self._promised.total() > 0

    def bring(self, part: Part) -> None:
        """Take in a part that room is kept for."""
        self._promised[self._sort(part)] -= 1
        self._accept(part)

    def take(self) -> Part | None:
        """The oldest part, or None when there is none."""
        if self.parts:
            part = self.parts.popleft()
            self._refill()
            return part
        if self._givers and self._givers[0][0].number not in self._brought:
            part, event = self._givers.popleft()
            event.succeed()
            return part
        return self._make() if self._make else None

    def arrival(self) -> simpy.Event:
        """An event that fires with the next part."""
        event = super().arrival()
        self._refill()
        return event

    def _sort(self, part: Part) -> int:
        return ANY

    def _accept(self, part: Part) -> None:
        if self._takers:
            self._takers.popleft().succeed(part)
        else:
            self._rest(part)

    def _refill(self) -> None:
        while self._givers and self.admits(self._givers[0][0]):
            self._enter(*self._givers.popleft())

    def _enter(self, part: Part, event: simpy.Event) -> None:
        if part.number in self._brought:
            self._brought.remove(part.number)
            self._promised[self._sort(part)] += 1
        else:
            self._accept(part)
        event.succeed()
