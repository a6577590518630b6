"""Closed windows in a row, and what work meets between them.

Work that pauses works in every opening it meets that is as long as its least run, or long enough to finish; work that
cannot pause has a least run as long as itself. Its elapsed time depends on its start; between two changes it is
constant, which makes a `Stretch`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from twinloop.scheduling.problem.resources import Window


@dataclass(frozen=True)
class Windows:
    """Windows that neither overlap nor touch, in order, as their starts and their ends.

    Numbers and no objects: a calendar of many years has tens of thousands, and those keep the garbage collector busy.
    """

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, windows: Iterable[Window]) -> "Windows":
        """The same as numbers; they must be joined."""
        found = cls()
        for window in windows:
            found.add(window)
        return found

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Window]:
        return map(Window, self.starts, self.ends)

    def within(self, start: float, end: float) -> Iterator[Window]:
        """Those of which something lies in [start, end), in order."""
        some = slice(bisect_right(self.ends, start), bisect_left(self.starts, end))
        return map(Window, self.starts[some], self.ends[some])

    def add(self, window: Window) -> None:
        """One more behind the last."""
        self.starts.append(window.start)
        self.ends.append(window.end)

    def copy(self, windows: "Windows", shifts: Iterable[int]) -> None:
        """Those windows behind the last, later by each of `shifts` in turn."""
        for shift in shifts:
            self.starts.extend(start + shift for start in windows.starts)
            self.ends.extend(end + shift for end in windows.ends)


class Stretch(NamedTuple):
    """Starts from `first` to `last` (both included), each with the same elapsed time, pauses included."""

    first: int
    last: int
    elapsed: int


def stretches(windows: Windows, duration: int, *, least: int, opens: int, closes: int) -> tuple[Stretch, ...]:
    """Every start from `opens` on that ends by `closes`, in order.

    >>> stretches(Windows.of([Window(8, 10)]), 6, least=1, opens=0, closes=20)
    (Stretch(first=0, last=2, elapsed=6), Stretch(first=3, last=7, elapsed=8), Stretch(first=10, last=14, elapsed=6))
    """
    open_stretches: list[Stretch] = []
    for behind in range(bisect_right(windows.starts, opens), len(windows) + 1):
        start = max(opens, windows.ends[behind - 1]) if behind else opens
        if start + duration > closes:
            break
        open_stretches += _from_gap(windows, behind, duration, least=least, opens=start, closes=closes)
    return tuple(open_stretches)


def _from_gap(
    windows: Windows, behind: int, duration: int, *, least: int, opens: int, closes: int
) -> Iterable[Stretch]:
    """Starts between `opens` and the window number `behind` (none: for ever)."""
    if behind == len(windows):
        yield Stretch(opens, closes - duration, duration)
        return
    closing = windows.starts[behind]
    last = min(closing, closes) - duration
    if opens <= last:
        yield Stretch(opens, last, duration)
    if least >= duration or closing - least < opens:
        return
    # `used` is the work done between the first window met and the last one, `most` what could have been finished.
    used = most = 0
    for k in range(behind, len(windows)):
        room = windows.starts[k + 1] - windows.ends[k] if k + 1 < len(windows) else duration
        elapsed = duration + windows.ends[k] - closing - used
        # More than `most` and at most used + room of the work is left when the last window ends.
        first = max(opens, closing - duration + most + 1)
        last = min(closing - least, closing - duration + used + room, closes - elapsed)
        if first <= last:
            yield Stretch(first, last, elapsed)
        most = max(most, used + room)
        used += room if room >= least else 0
        if most >= duration or windows.ends[k] > closes:
            return


def opening(windows: Windows, time: float, least: float) -> float:
    """Earliest time from `time` on at which it stays open for `least`.

    >>> opening(Windows.of([Window(8, 10)]), 5, 4)
    10
    """
    for k in range(bisect_right(windows.ends, time), len(windows)):
        if windows.starts[k] > time and time + least <= windows.starts[k]:
            break
        time = max(time, windows.ends[k])
    return time


def worked_until(windows: Windows, start: float, duration: float, least: float = 0) -> float:
    """End of work that starts in open time and pauses in every window it meets.

    Openings shorter than `least` are not used on the way, but to finish.

    >>> worked_until(Windows.of([Window(8, 10)]), 5, 4)
    11
    """
    time, left = start, duration
    for k in range(bisect_right(windows.ends, start), len(windows)):
        room = windows.starts[k] - time
        if room >= left:
            break
        left -= room if room >= least else 0
        time = windows.ends[k]
    return time + left


def work_by(windows: Windows, start: float, until: float, least: float = 0) -> float:
    """Work done between `start` and `until` as `worked_until` does it, if it is not finished by then."""
    time, done = start, 0.0
    for k in range(bisect_right(windows.ends, start), len(windows)):
        if windows.starts[k] >= until:
            break
        room = windows.starts[k] - time
        done += room if room >= least else 0
        time = windows.ends[k]
    return done + max(0, until - time)
