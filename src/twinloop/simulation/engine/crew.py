"""The maintenance crew: people who repair, fewer than the machines that may need them.

Whoever becomes free goes to the waiting machine with the lowest priority number, then to the one that called first
(the machine interference problem; Cox and Smith, Queues, 1961, is its case of equal priorities).
"""

import heapq

import simpy


class RepairCrew:
    """`size` equal people; one works on one machine at a time and finishes what was begun."""

    __slots__ = ("_calls", "_count", "_env", "free", "size")

    def __init__(self, env: simpy.Environment, size: int) -> None:
        self._env, self.size, self.free, self._count = env, size, size, 0
        self._calls: list[tuple[int, int, simpy.Event]] = []

    def call(self, priority: int) -> simpy.Event | None:
        """None when somebody comes at once, else the event that fires when somebody does."""
        if self.free:
            self.free -= 1
            return None
        event = self._env.event()
        self._count += 1
        heapq.heappush(self._calls, (priority, self._count, event))
        return event

    def leave(self) -> None:
        """One of them has finished: goes to the next who called, if there is one."""
        if self._calls:
            heapq.heappop(self._calls)[2].succeed()
        else:
            self.free += 1
