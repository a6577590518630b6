"""What is kept of a part's way: the spans it is in, who holds a token of a limited one, and its row of the joint table.

Machines know nothing of it: what says where a finished part goes next is watched.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import simpy

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.entities import Buffer, Lose, Part
from twinloop.simulation.events.log import SPAN, EventLog
from twinloop.simulation.model.joint import drawn_table, row_of
from twinloop.simulation.model.line import Line


class Admission:
    """The way to `inlet` through a span of `limit` tokens; who finds none waits `outside`, or `lose` has them."""

    __slots__ = ("_inlet", "_limit", "_lose", "_outside", "entity", "inside", "name")

    def __init__(
        self, env: simpy.Environment, log: EventLog, inlet: Buffer, limit: int, *, entity: int, lose: Lose | None
    ) -> None:
        self._inlet, self._limit, self._lose, self.entity, self.name = inlet, limit, lose, entity, inlet.name
        self._outside = Buffer(env, log, inlet.entity, name=f"admission to {inlet.name}", capacity=float("inf"))
        self.inside: set[int] = set()

    def put(self, part: Part) -> bool:
        """Let the part in, have it wait or lose it: nobody who brings one ever waits."""
        if part.number in self.inside or len(self.inside) < self._limit:
            self._let_in(part)
        elif self._lose is None:
            self._outside.put(part)
        else:
            self._lose(part, self.entity)
        return True

    def leave(self, part: Part) -> None:
        """The part has been through the span or is lost: who waits first has its token."""
        if part.number in self.inside:
            self.inside.remove(part.number)
            waiting = self._outside.take()
            if waiting is not None:
                self._let_in(waiting)

    def _let_in(self, part: Part) -> None:
        self.inside.add(part.number)
        if not self._inlet.put(part):
            self._inlet.room(part)

    def admits(self, part: Part) -> bool:
        """Always, as `put` always succeeds."""
        return True

    def room(self, part: Part, *, first: bool = False) -> simpy.Event:
        """Never waited for, as `put` always succeeds."""
        raise AssertionError("an admission always takes a part")


# What leads to a station.
Door = Buffer | Admission


class Visits:
    """The parts of a line on their way; spans are entities of the log from number `first` on."""

    def __init__(self, env: simpy.Environment, log: EventLog, line: Line, *, first: int) -> None:
        self._env, self._log, self._first = env, log, first
        names = [station.name for station in line.stations]
        variants = [variant.name for variant in line.source.variants]
        self._starts, self._ends = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
        for number, span in enumerate(line.spans):
            self._starts[names.index(span.start)].append(number)
            self._ends[names.index(span.end)].append(number)
        self._variants = [None if span.variant is None else variants.index(span.variant) for span in line.spans]
        self._renewed_at = names.index(line.joint.renewed_at) if line.joint else None
        self._entries, self._spans = line.entries, line.spans
        self._begun: list[dict[int, float]] = [{} for _ in line.spans]
        self._admissions: dict[int, Admission] = {}

    def door(self, position: int, inlet: Buffer, lose: Lose) -> Door:
        """What leads to the station at `position`: its inlet, or the admission to it."""
        for number in self._starts[position]:
            span = self._spans[number]
            if span.limit is not None:
                turns_away = lose if span.when_full == "lose" else None
                self._admissions[number] = Admission(
                    self._env, self._log, inlet, span.limit, entity=self._first + number, lose=turns_away
                )
                return self._admissions[number]
        return inlet

    def come(self, part: Part, position: int) -> None:
        """The part comes to a station."""
        if position == self._renewed_at:
            part.visit += 1
        for number in self._starts[position]:
            if self._variants[number] in (None, part.variant):
                self._begun[number].setdefault(part.number, self._env.now)

    def done(self, part: Part, position: int) -> None:
        """The work on the part at a station is done."""
        for number in self._ends[position]:
            since = self._begun[number].pop(part.number, None)
            if since is not None:
                now = self._env.now
                self._log.record(now, SPAN, self._first + number, part.number, value=now - since)
                self._leave(number, part)

    def forget(self, part: Part) -> None:
        """The part leaves the line on its way."""
        for number, begun in enumerate(self._begun):
            if begun.pop(part.number, None) is not None:
                self._leave(number, part)

    def _leave(self, number: int, part: Part) -> None:
        if number in self._admissions:
            self._admissions[number].leave(part)

    def entering(self, make: Callable[[], Part]) -> Callable[[], Part]:
        """The same, of parts that come to where their variant enters."""

        def made() -> Part:
            part = make()
            self.come(part, self._entries[part.variant])
            return part

        return made


def rows_of(line: Line, streams: Streams, *, drawn: bool) -> dict[str, Callable[[Part], float]]:
    """Station → the minutes in the row of a part's visit; empty without a joint table.

    drawn: whether a table that is resampled is drawn anew, or taken as it is.
    """
    if line.joint is None:
        return {}
    key, table = drawn_table(line.joint, line.stations, streams, drawn=drawn)
    columns: Sequence[list[float]] = table.T.tolist()

    def column(values: list[float]) -> Callable[[Part], float]:
        return lambda part: values[row_of(key, part.number, part.visit, len(values))]

    return {name: column(values) for name, values in zip(line.joint.stations, columns, strict=True)}
