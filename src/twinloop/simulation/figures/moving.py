"""Pieces of a moving SVG: what changes over a stretch of time, written as SMIL so that no script is needed.

A picture shows either all of it, again and again, or one moment of it: the still that is printed.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Clock:
    """The stretch from minute `start` to `end`, shown in `seconds`; `at`: the one moment of a still, else None."""

    start: float
    end: float
    seconds: float
    at: float | None = None

    def share(self, minute: float) -> str:
        """A minute as a share of the stretch, as keyTimes take it."""
        return f"{min(max((minute - self.start) / (self.end - self.start), 0.0), 1.0):.5g}"


class Steps(Generic[T]):
    """A value that jumps at certain minutes."""

    def __init__(self, first: T, changes: Iterable[tuple[float, T]]) -> None:
        """`changes`: (minute, value) in the order of time; of those at one minute the last counts."""
        kept = [list(group)[-1] for _, group in groupby(changes, key=lambda change: change[0])]
        times, values = [float("-inf")], [first]
        for minute, value in kept:
            if value != values[-1]:
                times.append(minute)
                values.append(value)
        self.times, self.values = times, values

    def mapped(self, names: Mapping[T, str]) -> "Steps[str]":
        """The same with a name for each value."""
        return Steps(names[self.values[0]], zip(self.times[1:], map(names.__getitem__, self.values[1:]), strict=True))

    def at(self, minute: float) -> T:
        """The value at a minute."""
        return self.values[bisect_right(self.times, minute) - 1]

    def during(self, clock: Clock) -> list[tuple[float, T]]:
        """The value at the stretch's start and its changes up to the end."""
        inside = [(t, v) for t, v in zip(self.times, self.values, strict=True) if clock.start < t < clock.end]
        return [(clock.start, self.at(clock.start)), *inside]


def jumping(clock: Clock, attribute: str, steps: Steps[str]) -> tuple[str, str]:
    """The attribute's value to begin with (or at the still's moment), and the element that changes it."""
    if clock.at is not None:
        return steps.at(clock.at), ""
    during = steps.during(clock)
    if len(during) == 1:
        return during[0][1], ""
    return during[0][1], (
        f'<animate attributeName="{attribute}" calcMode="discrete" dur="{clock.seconds:g}s" '
        f'repeatCount="indefinite" keyTimes="{";".join(clock.share(t) for t, _ in during)}" '
        f'values="{";".join(value for _, value in during)}"/>'
    )


def word(clock: Clock, texts: Steps[str], *, x: float, y: float, width: float, size: float, style: str) -> str:
    """A text that changes, centred on (x, y): a strip of all its texts, of which a window shows one at a time."""
    if clock.at is not None:
        strip, places = [texts.at(clock.at)], Steps(0, ())
    else:
        during = texts.during(clock)
        strip = list(dict.fromkeys(text for _, text in during))
        places = Steps(strip.index(during[0][1]), [(t, strip.index(text)) for t, text in during[1:]])
    high = 1.5 * size
    rows = "".join(
        f'<text x="{width / 2:g}" y="{high * row + 1.1 * size:g}">{text}</text>'
        for row, text in enumerate(strip)
        if text
    )
    moves = _shifts(clock, [(t, f"0,{0 - high * place:g}") for t, place in places.during(clock)], discrete=True)
    return (
        f'<svg x="{x - width / 2:g}" y="{y - high / 2:g}" width="{width:g}" height="{high:g}" {style} '
        f'text-anchor="middle" font-size="{size:g}"><g>{rows}{moves}</g></svg>'
    )


@dataclass(frozen=True)
class Stop:
    """A thing is at (x, y) from minute `since` on, having taken `via` there for `minutes`."""

    since: float
    x: float
    y: float
    minutes: float = 0.0
    via: tuple[tuple[float, float], ...] = ()


def travel(clock: Clock, stops: Sequence[Stop]) -> tuple[tuple[float, float], str]:
    """Where something that goes from stop to stop is to begin with, and the element that moves it.

    `stops` in the order of time; a move has ended when the next begins.
    """
    if clock.at is not None:
        before = [stop for stop in stops if stop.since <= clock.at] or [stops[0]]
        return (before[-1].x, before[-1].y), ""
    frames: list[tuple[float, tuple[float, float]]] = [(clock.start, (stops[0].x, stops[0].y))]
    for stop in stops:
        arrives = stop.since + stop.minutes
        if arrives <= clock.start:
            frames = [(clock.start, (stop.x, stop.y))]
        elif stop.since < clock.end:
            leaves = max(stop.since, clock.start)
            steps = [*stop.via, (stop.x, stop.y)]
            frames.append((leaves, frames[-1][1]))
            frames += [
                (leaves + (arrives - leaves) * place / len(steps), point) for place, point in enumerate(steps, start=1)
            ]
    return frames[0][1], _shifts(clock, [(t, f"{x:.4g},{y:.4g}") for t, (x, y) in frames], discrete=False)


def _shifts(clock: Clock, frames: Sequence[tuple[float, str]], *, discrete: bool) -> str:
    if len(frames) < 2:
        return ""
    times, values = [clock.share(t) for t, _ in frames], [value for _, value in frames]
    if not discrete:
        times, values = [*times, "1"], [*values, values[-1]]
    mode = ' calcMode="discrete"' if discrete else ""
    return (
        f'<animateTransform attributeName="transform" type="translate"{mode} dur="{clock.seconds:g}s" '
        f'repeatCount="indefinite" keyTimes="{";".join(times)}" values="{";".join(values)}"/>'
    )
