"""The maintenance crew: people who repair, fewer than the machines that may need them.

Whoever becomes free goes to the waiting machine with the lowest priority number, then to the one that called first
(the machine interference problem; Cox and Smith, Queues, 1961, is its case of equal priorities).
"""

import heapq
from collections.abc import Generator, Sequence

import simpy

from twinloop.simulation.model.resources import Crew, Shift, spans


class RepairCrew:
    """`size` equal people; one works on one machine at a time and finishes what was begun, also after their shift."""

    __slots__ = ("_calls", "_count", "_env", "free", "on_shift", "size")

    def __init__(self, env: simpy.Environment, crew: Crew, *, day: float) -> None:
        self._env, self.size, self.free, self._count = env, crew.size, crew.size, 0
        self.on_shift = not crew.shifts
        self._calls: list[tuple[int, int, simpy.Event]] = []
        if crew.shifts:
            env.process(self._clock(crew.shifts, day))

    def call(self, priority: int) -> simpy.Event | None:
        """None when somebody comes at once, else the event that fires when somebody does."""
        if self.free and self.on_shift:
            self.free -= 1
            return None
        event = self._env.event()
        self._count += 1
        heapq.heappush(self._calls, (priority, self._count, event))
        return event

    def leave(self) -> None:
        """One of them has finished: goes to the next who called, if there is one."""
        self.free += 1
        self._answer()

    def _answer(self) -> None:
        while self.free and self.on_shift and self._calls:
            self.free -= 1
            heapq.heappop(self._calls)[2].succeed()

    def _clock(self, shifts: Sequence[Shift], day: float) -> Generator[simpy.Event, None, None]:
        for start, end in spans(shifts, day):
            if end <= self._env.now:
                continue
            yield self._env.timeout(max(start - self._env.now, 0.0))
            self.on_shift = True
            self._answer()
            if end == float("inf"):
                return
            yield self._env.timeout(end - self._env.now)
            self.on_shift = False
