"""The memory of a running line: made once, used for one replication after the other, grown where one needs more.

Numbers are drawn by NumPy from the very streams of the SimPy engine, ahead of their use and in larger blocks: drawing
n and then m gives the same numbers as drawing n + m. Whether a duration can be one is told in the engine's blocks.
"""

from collections.abc import Callable

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
    NONE,
    PART,
    RUN,
    STREAM,
    Floats,
    Records,
    World,
)
from twinloop.simulation.events.log import ROW
from twinloop.simulation.model.distributions import guarded

WIDTH = 16 * BLOCK
ROWS = 8192
Reader = Callable[[Records, int, int], object]


class Memory:
    """Room for one line. `world.run[0]` holds its clock and counters, `world.machines` its machines."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        machines, streams = len(layout.machines), len(layout.streams)
        self.world = World(
            run=np.zeros(1, dtype=RUN),
            machines=layout.machines.copy(),
            buffers=layout.buffers.copy(),
            parts=np.zeros(BLOCK, dtype=PART),
            vacant=np.arange(BLOCK),
            agenda=np.zeros(machines, dtype=ENTRY),
            calls=np.zeros(machines, dtype=ENTRY),
            ready=np.zeros(machines, dtype=np.int64),
            streams=np.zeros(streams, dtype=STREAM),
            draws=np.zeros((streams, WIDTH)),
            luck=np.zeros((layout.rules.rework_times + 1, BLOCK)),
            known=np.zeros(layout.rules.rework_times + 1, dtype=np.int64),
        )
        self.rows = np.zeros(ROWS, dtype=ROW)
        self._samplers: list[Sampler | None] = []
        self._luck: dict[int, Sampler] = {}
        self._bad: dict[int, Floats] = {}

    def play(self, streams: Streams, *, minutes: float, read: Reader) -> None:
        """Run one replication; `read` is given the log in portions: rows, how many of them count, parts made so far.

        Raises RunError for a duration that is not a finite number ≥ 0.
        """
        self._begin(streams, minutes)
        run = self.world.run[0]
        while True:
            why = go(self.world, self.layout.rules, self.rows)
            if why in (FULL, DONE):
                read(self.rows, int(run["rows"]), int(run["made"]))
                run["rows"] = 0
            if why == DONE:
                return
            if why == DRY:
                self._draw(streams, int(run["dry"]), WIDTH)
            elif why == NO_SLOT:
                self._more_parts()
            elif why != FULL:
                self._draw_luck(streams, int(run["dry"]))

    def _begin(self, streams: Streams, minutes: float) -> None:
        world, layout = self.world, self.layout
        world.machines[:], world.buffers[:] = layout.machines, layout.buffers
        world.known[:] = 0
        world.streams["position"] = world.streams["end"] = 0
        world.vacant[:] = np.arange(len(world.vacant))
        machines = len(world.machines)
        # Processes start in the order of the machines, the source (0) last, if parts arrive.
        first = 1 if layout.rules.arrival == NONE else 0
        world.ready[:] = (np.arange(machines) + 1) % machines
        run = np.zeros(1, dtype=RUN)
        run["horizon"], run["current"] = minutes, NONE
        run["ready"] = machines - first
        run["vacant"] = len(world.vacant)
        run["crew"] = run["crew_free"] = layout.crew
        world.run[:] = run
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

    def _more_parts(self) -> None:
        count = len(self.world.parts)
        vacant = np.zeros(2 * count, dtype=np.int64)
        vacant[:count] = np.arange(count, 2 * count)
        parts = np.concatenate([self.world.parts, np.zeros(count, dtype=PART)])
        self.world = self.world._replace(parts=parts, vacant=vacant)
        self.world.run["vacant"] = count
