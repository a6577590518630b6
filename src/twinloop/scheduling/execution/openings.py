"""When the floor's calendars let an operation, or the set-up before it, begin: each in its hours, a block as a whole.

An operation that cannot pause starts when its planned time fits before the next closed window. The operation before
one that must not wait, or not for long, is held back until the next machine should be free in time.
"""

import itertools
from collections.abc import Iterator, Sequence

from twinloop.contracts import Assignment
from twinloop.errors import RunError
from twinloop.scheduling.execution.progress import Progress
from twinloop.scheduling.problem import Changeover, JobShop
from twinloop.scheduling.problem.calendar import ALWAYS, NEVER, OpenTime


class Openings:
    """The hours of the shop whose plan is followed now."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @property
    def _shop(self) -> JobShop:
        return self._progress.shop

    def hours(self, a: Assignment) -> OpenTime:
        """When the operation can run."""
        if self._progress.plain or self._progress.is_fixed(a):
            return ALWAYS
        return self._progress.closures.of(self._shop.by_name[a.job].operations[a.operation], a.machine)

    def least_run(self, a: Assignment) -> float:
        """Before a pause, 0 where it does not matter; what cannot pause by plan does so where it must."""
        operation = self._shop.by_name[a.job].operations[a.operation]
        return operation.least_run if operation.resumable and operation.least_run > 1 else 0

    def opens(self, a: Assignment, time: float) -> float:
        """Earliest start from some time on. Raises RunError where the calendar has no such opening any more."""
        if self._progress.is_fixed(a):
            return max(time, a.start)
        operation, planned = self._shop.by_name[a.job].operations[a.operation], self._progress.planned_minutes(a)
        opens = self.hours(a).first(time, planned, least=operation.unbroken(planned))
        if opens >= NEVER:
            raise RunError(
                f"execution stands still: job {a.job} operation {a.operation} needs {planned} from {time:g} on, and "
                f"{a.machine} has no such opening any more: check the calendar's end"
            )
        return opens

    def fits(self, a: Assignment) -> float:
        """Earliest start from now on at which the calendar lets it run, and what follows without waiting as well."""
        now = self._progress.env.now
        start = self.opens(a, now)
        block = list(self._block(a))
        if len(block) == 1 or self._patience(a) is not None or self._progress.has_begun(a):
            return start
        start = self.opens(a, max(start, a.start))
        while late := self._lateness(block, start):
            start = self.opens(a, start + late)
        return start

    def set_up(self, a: Assignment, free: float, family: str | None) -> float:
        """When a machine that is free from some time on, set up for a family, can be set up for the operation."""
        progress = self._progress
        needed = self._shop.setup(a.machine, family, progress.family(a)) if self._shop.setups else 0
        if not needed:
            return free
        if a.machine in progress.set_ups and a == progress.rows[a.machine][0]:
            return max(free, progress.set_ups[a.machine].done)
        if self._shop.changeovers.get(a.machine, Changeover()).crew is not None:
            free = max(free, a.start - needed)
        return self.set_up_hours(a).first(free, needed) + needed

    def set_up_hours(self, a: Assignment) -> OpenTime:
        """When the machine can be set up for the operation."""
        crewed = self._shop.changeovers.get(a.machine, Changeover()).crew is not None
        return ALWAYS if crewed and self._progress.is_fixed(a) else self._progress.closures.of_set_up(a.machine)

    def set_up_begin(self, a: Assignment, needed: float) -> float:
        """When a crew should begin from now on, so that the operation should be able to begin when it is done."""
        now = self._progress.env.now
        ready = max(now + needed, a.start, self._progress.arrives(a))
        while True:
            begin = self.set_up_hours(a).first(ready - needed, needed)
            if begin >= NEVER:
                raise RunError(
                    f"execution stands still: the set-up before job {a.job} operation {a.operation} needs {needed} "
                    f"from {now:g} on, and {a.machine} has no such opening any more: check the calendar's end"
                )
            ready = self.opens(a, begin + needed)
            if ready <= begin + needed:
                return begin

    def _block(self, a: Assignment) -> Iterator[Assignment]:
        """The operation, and those behind it that must not wait, or not for long."""
        yield a
        operations = self._shop.by_name[a.job].operations
        for number in range(a.operation + 1, len(operations)):
            if operations[number].longest_wait is None or (a.job, number) not in self._progress.planned:
                return
            yield self._progress.planned[a.job, number]

    def _lateness(self, block: Sequence[Assignment], start: float) -> float:
        """How much longer the block's first operation has to wait so that no other one has to."""
        for before, a in itertools.pairwise(block):
            minutes = self._progress.planned_minutes(before)
            end = self.hours(before).done(start, minutes, least=self.least_run(before))
            start = end + self._shop.transport.get((before.machine, a.machine), 0)
            opens = self.opens(a, max(start, self._free(a, block)))
            if opens > start + (self._patience(a) or 0):
                return opens - start - (self._patience(a) or 0)
            start = opens
        return 0.0

    def _patience(self, a: Assignment) -> int | None:
        return self._shop.by_name[a.job].operations[a.operation].longest_wait

    def _free(self, a: Assignment, block: Sequence[Assignment]) -> float:
        """When the operation's machine should be free for it, if all before it in the row go as planned."""
        progress, now = self._progress, self._progress.env.now
        if progress.is_milestone(a):
            return now
        time, family = now, progress.families.get(a.machine)
        if a.machine in progress.running:
            begun = progress.running[a.machine]
            time, family = progress.expected_end(begun), progress.family(begun.planned) or family
        elif a.machine in progress.last:
            time = progress.last[a.machine].end
        for b in progress.rows[a.machine]:
            time = self.set_up(b, time, family)
            if b == a:
                return time
            if b in block:
                return 0.0  # the block's own order sees to it
            time, family = max(time, b.start, now) + (b.end - b.start), progress.family(b) or family
        return time
