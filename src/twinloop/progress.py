"""Progress that can be watched: rich bars on a terminal, plain lines elsewhere (logs, CI, notebooks' kernels).

Everything here goes to stderr; stdout is for results.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from twinloop.errors import masked

T = TypeVar("T")
PLAIN_INTERVAL_S = 5.0
INDENT = " " * 11


def clock(seconds: float) -> str:
    """Minutes and seconds, `mm:ss`."""
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"


def headline(twin: str, verb: str, text: str, elapsed: str = "") -> str:
    """One stage's line: twin, verb, what happened, how long it took."""
    return f"{twin:<10} {verb:<9} {text:<76} {elapsed}".rstrip()


def say(line: str) -> None:
    """One line of talk on stderr, passwords of addresses left out."""
    print(masked(line), file=sys.stderr, flush=True)


class Bar:
    """Advances as work is done; `note` is the newest figure worth seeing (a score, a level)."""

    def __init__(self, label: str, total: int, *, after_s: float = 0.0) -> None:
        self.label, self.total, self.done, self.note = label, total, 0, ""
        self._after_s = after_s
        self._start = self._last_line = time.monotonic()

    def step(self, count: int = 1, *, note: str | None = None) -> None:
        """Report `count` finished units."""
        self.done += count
        self.note = self.note if note is None else note
        self._show()

    def _show(self) -> None:
        now = time.monotonic()
        unfinished = self.done < self.total and now - self._last_line < PLAIN_INTERVAL_S
        if unfinished or now - self._start < self._after_s:
            return
        self._last_line = now
        left = (now - self._start) / self.done * (self.total - self.done) if self.done else 0.0
        remaining = f"  {clock(left)} left" if 0 < self.done < self.total else ""
        say(f"{INDENT}{self.label} {self.done}/{self.total}  {self.note}{remaining}".rstrip())


class _RichBar(Bar):
    def __init__(self, label: str, total: int, display: Progress) -> None:
        super().__init__(label, total)
        self._display = display
        self._task = display.add_task(label, total=total, note="")

    def _show(self) -> None:
        self._display.update(self._task, completed=self.done, note=self.note)


@contextmanager
def bar(label: str, total: int, *, after_s: float = 0.0) -> Iterator[Bar]:
    """A progress bar over `total` units of `label` (epoch, trial, replication).

    after_s: work that is done sooner says no line; on a terminal a bar leaves none anyway.

    >>> with bar("trial", 2) as trials:
    ...     trials.step(2, note="best AP 0.98")
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Bar(label, total, after_s=after_s)
        return
    columns = (
        TextColumn(INDENT + "{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as display:
        yield _RichBar(label, total, display)


def track(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Iterate with a bar: one step per item."""
    with bar(label, total) as shown:
        for item in items:
            yield item
            shown.step()
