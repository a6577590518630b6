"""The best plan that several searches of one problem know, whatever thread they are on."""

import threading

from twinloop.contracts import Plan
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.solution import Trace


class Shared:
    """A valid plan with its values, and a bound of the goal's first level.

    closed: nothing better is sought any more, since one search has proved that there is none.
    """

    def __init__(self, shop: JobShop, goal: Goal, trace: Trace, bound: int, plan: Plan | None = None) -> None:
        self.shop, self.goal, self.bound, self.closed = shop, goal, bound, False
        self.trace = trace
        self.plan: Plan | None = None
        self.values: tuple[int, ...] | None = None
        self._lock = threading.Lock()
        if plan is not None:
            self.offer(plan)

    def offer(self, plan: Plan) -> None:
        """Take the plan if it is the best."""
        values = self.goal.values(self.shop, plan)
        with self._lock:
            if self.values is None or values < self.values:
                self.plan, self.values = plan, values
                self.trace.add(values[0], self.bound)

    def better_than(self, values: tuple[int, ...]) -> Plan | None:
        """The best plan if it is better than one of these values."""
        with self._lock:
            return self.plan if self.values is not None and self.values < values else None

    def worse_than(self, values: tuple[int, ...]) -> bool:
        """Whether no plan as good as one of these values is known."""
        with self._lock:
            return self.values is None or values < self.values

    @property
    def proved(self) -> bool:
        """Whether a search or the bound says that nothing is better."""
        return self.closed or (self.values is not None and len(self.values) == 1 and self.values[0] <= self.bound)
