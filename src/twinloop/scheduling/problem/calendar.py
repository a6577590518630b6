"""When an operation may start: the open stretches that closed windows leave, and how long it takes in each.

An operation that cannot pause has to fit between two windows. A resumable one pauses in every window it meets,
so its elapsed time depends on its start; between two changes it is constant, which makes a `Stretch`.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from twinloop.scheduling.problem.jobs import Operation
from twinloop.scheduling.problem.resources import Window
from twinloop.scheduling.problem.shop import JobShop


class Stretch(NamedTuple):
    """Starts from `first` to `last` (both included), each with the same elapsed time, pauses included."""

    first: int
    last: int
    elapsed: int


def closures(shop: JobShop, operation: Operation, machine: str) -> tuple[Window, ...]:
    """Windows, joined and in order, in which `operation` cannot run on `machine`: its own and those of the pools."""
    if operation.milestone:
        return ()
    windows = list(shop.closed.get(machine, ()))
    for pool in shop.pools:
        if pool.name in operation.pools:
            windows += pool.closed
    return joined(windows)


class Closures:
    """The closures of one shop, each worked out once: few machines and pools serve many operations."""

    def __init__(self, shop: JobShop) -> None:
        self._shop = shop
        self._found: dict[tuple[str, tuple[str, ...]], tuple[Window, ...]] = {}

    def of(self, operation: Operation, machine: str) -> tuple[Window, ...]:
        """As `closures`."""
        if operation.milestone:
            return ()
        key = (machine, tuple(sorted(operation.pools)))
        if key not in self._found:
            self._found[key] = closures(self._shop, operation, machine)
        return self._found[key]


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same closed times as windows that neither overlap nor touch, in order."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return tuple(merged)


def stretches(
    windows: Sequence[Window], duration: int, *, resumable: bool, opens: int, closes: int
) -> tuple[Stretch, ...]:
    """Every start from `opens` on that ends by `closes`, in order; windows must be joined.

    >>> stretches((Window(8, 10),), 6, resumable=True, opens=0, closes=20)
    (Stretch(first=0, last=2, elapsed=6), Stretch(first=3, last=7, elapsed=8), Stretch(first=10, last=14, elapsed=6))
    """
    open_stretches: list[Stretch] = []
    for behind in range(bisect_right(windows, opens, key=lambda window: window.start), len(windows) + 1):
        start = max(opens, windows[behind - 1].end) if behind else opens
        if start + duration > closes:
            break
        open_stretches += _from_gap(windows, behind, duration, resumable=resumable, opens=start, closes=closes)
    return tuple(open_stretches)


def _from_gap(
    windows: Sequence[Window], behind: int, duration: int, *, resumable: bool, opens: int, closes: int
) -> Iterable[Stretch]:
    """Starts between `opens` and the window number `behind` (none: for ever)."""
    if behind == len(windows):
        yield Stretch(opens, closes - duration, duration)
        return
    closing = windows[behind].start
    last = min(closing, closes) - duration
    if opens <= last:
        yield Stretch(opens, last, duration)
    if not resumable:
        return
    # `used` is the open time between the first window met and the last one, `paused` all closed time so far.
    used = paused = 0
    for k in range(behind, len(windows)):
        paused += windows[k].end - windows[k].start
        room = windows[k + 1].start - windows[k].end if k + 1 < len(windows) else duration
        # Between used + 1 and used + room of the work is left when the last window ends.
        first = max(opens, closing - duration + used + 1)
        last = min(closing - 1, closing - duration + used + room, closes - duration - paused)
        if first <= last:
            yield Stretch(first, last, duration + paused)
        used += room
        if used >= duration or opens + paused + used > closes:
            return


def opening(windows: Sequence[Window], time: float, duration: float, *, resumable: bool) -> float:
    """Earliest start from `time` on of work that may not touch a window, or may pause in it; windows must be joined.

    >>> opening((Window(8, 10),), 5, 4, resumable=False)
    10
    """
    for window in windows[bisect_right(windows, time, key=lambda window: window.end) :]:
        if window.start > time and (resumable or time + duration <= window.start):
            break
        time = max(time, window.end)
    return time


def worked_until(windows: Sequence[Window], start: float, duration: float) -> float:
    """End of work that starts in open time and pauses in every window it meets; windows must be joined.

    >>> worked_until((Window(8, 10),), 5, 4)
    11
    """
    end = start + duration
    for window in windows[bisect_right(windows, start, key=lambda window: window.end) :]:
        if window.start >= end:
            break
        end += window.end - window.start
    return end
