"""The memory of a running line: made once, used for one replication after the other, grown where one needs more.

Numbers are drawn by NumPy from the very streams of the SimPy engine, ahead of their use and in larger blocks: drawing
n and then m gives the same numbers as drawing n + m. Whether a duration can be one is told in the engine's blocks.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from twinloop.replication.streams import BLOCK, Streams
from twinloop.simulation.compiled.agenda import ENTRY
from twinloop.simulation.compiled.kernel import go
from twinloop.simulation.compiled.layout import Layout, Sampler
from twinloop.simulation.compiled.making import first_bad
from twinloop.simulation.compiled.records import (
    DONE,
    DRY,
    FULL,
    NO_SLOT,
    NO_TIMER,
    NONE,
    PART,
    RUN,
    STREAM,
    STUCK,
    TIMER,
    Floats,
    Log,
    Records,
    World,
)
from twinloop.simulation.events.log import ROW
from twinloop.simulation.events.tally import Tally
from twinloop.simulation.model.distributions import guarded
from twinloop.simulation.model.resources import spans

WIDTH = 16 * BLOCK
# Enough that handing a portion to whoever reads it costs little beside reading it, and few enough for the cache.
ROWS = 32768
TIMERS = 64
NOTHING_COUNTED = Tally(0, start=0.0, horizon=0.0, first_rework=0).counted
Reader = Callable[[Records, int, int], object]


class Memory:
    """Room for one line. `world.run[0]` holds its clock and counters, `world.machines` its machines."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        actors, streams = len(layout.machines), len(layout.streams)
        # A turn may wake everybody: its rows must fit in what is left of the log's portion.
        self._most_rows = 16 + 2 * actors + 2 * layout.people + 4 * len(layout.stocks) + len(layout.rules.span_starts)
        self.world = World(
            run=np.zeros(1, dtype=RUN),
            machines=layout.machines.copy(),
            buffers=layout.buffers.copy(),
            parts=np.zeros(BLOCK, dtype=PART),
            vacant=np.arange(BLOCK),
            agenda=np.zeros(actors + TIMERS, dtype=ENTRY),
            calls=np.zeros(actors, dtype=ENTRY),
            ready=np.zeros(1 + actors + TIMERS, dtype=np.int64),
            streams=np.zeros(streams, dtype=STREAM),
            draws=np.zeros((streams, WIDTH)),
            luck=np.zeros((layout.rules.rework_times + 1, BLOCK)),
            known=np.zeros(layout.rules.rework_times + 1, dtype=np.int64),
            spans=np.zeros((len(layout.shifts), 0, 2)),
            teams=layout.teams.copy(),
            busy=np.zeros(layout.people, dtype=np.int64),
            staff_calls=np.zeros(actors, dtype=np.int64),
            stocks=layout.stocks.copy(),
            timers=np.zeros(TIMERS, dtype=TIMER),
            begun=np.zeros((BLOCK, len(layout.rules.span_starts))),
            table=np.zeros((0, 0)),
        )
        self.rows = np.zeros(max(ROWS, 8 * self._most_rows), dtype=ROW)
        self.stuck = False
        self._samplers: list[Sampler | None] = []
        self._luck: dict[int, Sampler] = {}
        self._bad: dict[int, Floats] = {}

    def play(
        self, streams: Streams, *, minutes: float, read: Reader, drawn: bool = True, tally: Tally | None = None
    ) -> None:
        """Run one replication; `read` is given the log in portions: rows, how many of them count, parts made so far.

        drawn: whether a joint table that is resampled is drawn anew. tally: counts what happens at once; then only the
        ends of spans are rows.
        `stuck` says that the line could not go on: why, the SimPy engine says, which runs into the same. Raises
        RunError for a duration that is not a finite number ≥ 0.
        """
        self._begin(streams, minutes, drawn=drawn)
        run = self.world.run[0]
        run["tallied"] = tally is not None
        while True:
            counted = NOTHING_COUNTED if tally is None else tally.counted
            why = go(self.world, self.layout.rules, Log(self.rows, counted))
            if why in (FULL, DONE):
                read(self.rows, int(run["rows"]), int(run["made"]))
                run["rows"] = 0
            if why in (DONE, STUCK):
                self.stuck = why == STUCK
                return
            if why == DRY:
                self._draw(streams, int(run["dry"]), WIDTH)
            elif why == NO_SLOT:
                if not run["vacant"]:
                    self._more_parts()
                if tally is not None:
                    tally.make_room(int(run["made"]) + 1)
            elif why == NO_TIMER:
                self._more_timers()
            elif why != FULL:
                self._draw_luck(streams, int(run["dry"]))

    def _begin(self, streams: Streams, minutes: float, *, drawn: bool) -> None:
        world, layout = self.world, self.layout
        world.machines[:], world.buffers[:] = layout.machines, layout.buffers
        world.known[:] = 0
        world.streams["position"] = world.streams["end"] = 0
        world.vacant[:] = np.arange(len(world.vacant))
        world.teams[:], world.busy[:], world.stocks[:] = layout.teams, 0, layout.stocks
        world.timers["next"] = np.arange(1, len(world.timers) + 1)
        world.timers["next"][-1] = NONE
        # What is there at minute 0 first (the source's first turn), then processes start: the clocks of shifts, the
        # machines in their order, and the source, where parts arrive or are released.
        machines = layout.rules.machines
        turns = [0, *range(machines + 1, machines + 1 + len(layout.shifts)), *range(1, machines + 1)]
        turns += [0] if layout.machines[0]["after_work"] != NONE else []
        world.ready[: len(turns)] = turns
        run = np.zeros(1, dtype=RUN)
        run["horizon"], run["current"], run["parts_done"] = minutes, NONE, NONE
        run["ready"] = len(turns)
        run["vacant"] = len(world.vacant)
        run["crew"] = run["crew_free"] = layout.crew
        run["crew_on_shift"], run["most_rows"] = layout.crew_on_shift, self._most_rows
        run["row_key"], table = layout.rows(streams, drawn)
        world.run[:] = run
        self.world = world = world._replace(spans=self._spans(minutes), table=table)
        self._samplers, self._luck, self._bad = [None] * len(layout.streams), {}, {}
        for number, stream in enumerate(layout.streams):
            self._draw(streams, number, min(WIDTH, BLOCK * (1 + int(stream.per_minute * minutes) // BLOCK)))
        for machine in world.machines[1:]:
            if machine["failure"] != NONE:
                number = machine["failure"]
                if not world.streams[number]["end"]:
                    self._draw(streams, number, BLOCK)
                machine["left"] = world.draws[number, world.streams[number]["position"]]
                world.streams[number]["position"] += 1

    def _draw(self, streams: Streams, number: int, count: int) -> None:
        """The next `count` numbers of a stream, up to the first block that holds one that is no duration."""
        stream, world = self.layout.streams[number], self.world
        if number in self._bad:
            guarded(self._bad[number], stream.source)
        sampler = self._samplers[number]
        if sampler is None:
            sampler = self._samplers[number] = stream.sampler(streams)
        world.draws[number, :count] = sampler(count)
        if stream.source:
            bad = first_bad(world.draws, number, count)
            if bad < count:
                count = bad // BLOCK * BLOCK
                self._bad[number] = world.draws[number, count : count + BLOCK].copy()
        world.streams[number]["position"], world.streams[number]["end"] = 0, count

    def _draw_luck(self, streams: Streams, row: int) -> None:
        """More numbers by part of one row, or the first of a new row."""
        luck, known = self.world.luck, self.world.known
        rows, parts = luck.shape
        wider = row < rows and known[row] == parts
        if row >= rows or wider:
            grown = np.zeros((max(rows, row + 1), 2 * parts if wider else parts))
            grown[:rows, :parts] = luck
            luck, known = grown, np.concatenate([known, np.zeros(len(grown) - rows, dtype=np.int64)])
            self.world = self.world._replace(luck=luck, known=known)
        if row not in self._luck:
            self._luck[row] = self.layout.luck(row)(streams)
        luck[row, known[row] :] = self._luck[row](luck.shape[1] - int(known[row]))
        known[row] = luck.shape[1]

    def _spans(self, minutes: float) -> Floats:
        """[clocks, shifts, 2] from when to when somebody is there, up to the first beyond the horizon; then never."""
        known = [list(_until(spans(shifts, self.layout.day), minutes)) for shifts in self.layout.shifts]
        longest = max(map(len, known), default=0)
        padded = [times + [(np.inf, np.inf)] * (longest - len(times)) for times in known]
        return np.array(padded, dtype=np.float64).reshape(len(known), longest, 2)

    def _more_timers(self) -> None:
        world, run = self.world, self.world.run[0]
        count = len(world.timers)
        more = np.zeros(count, dtype=TIMER)
        more["next"] = np.arange(count + 1, 2 * count + 1)
        more["next"][-1] = NONE
        run["free_timer"] = count
        # The line of those who are ready begins anew at place 0.
        ready = np.concatenate([np.roll(world.ready, -int(run["ready_first"])), np.zeros(count, dtype=np.int64)])
        run["ready_first"] = 0
        self.world = world._replace(
            timers=np.concatenate([world.timers, more]),
            agenda=np.concatenate([world.agenda, np.zeros(count, dtype=ENTRY)]),
            ready=ready,
        )

    def _more_parts(self) -> None:
        count = len(self.world.parts)
        vacant = np.zeros(2 * count, dtype=np.int64)
        vacant[:count] = np.arange(count, 2 * count)
        parts = np.concatenate([self.world.parts, np.zeros(count, dtype=PART)])
        begun = np.concatenate([self.world.begun, np.zeros_like(self.world.begun)])
        self.world = self.world._replace(parts=parts, vacant=vacant, begun=begun)
        self.world.run["vacant"] = count


def _until(times: Iterable[tuple[float, float]], minutes: float) -> Iterator[tuple[float, float]]:
    """Spans up to the first that begins beyond `minutes`, which is among them."""
    for start, end in times:
        yield start, end
        if start > minutes or end == np.inf:
            return
