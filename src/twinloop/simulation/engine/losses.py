"""What becomes of a part that is turned away or gives up: it leaves, or begins again where nobody ever leaves."""

from collections.abc import Sequence

import simpy

from twinloop.simulation.engine.entities import Part
from twinloop.simulation.engine.visits import Door, Visits
from twinloop.simulation.events.log import ENTER, LOSE, SOURCE, EventLog
from twinloop.simulation.model.line import Line


class Losses:
    """Who is lost on a line. doors: what leads to every station, set when there are any."""

    doors: Sequence[Door] = ()

    def __init__(self, env: simpy.Environment, log: EventLog, line: Line, visits: Visits | None) -> None:
        self._env, self._log, self._line, self._visits = env, log, line, visits

    def __call__(self, part: Part, entity: int) -> None:
        """The part is lost at `entity`."""
        self._log.record(self._env.now, LOSE, entity, part.number, part.condition)
        if self._visits is not None:
            self._visits.forget(part)
        if self._line.closed:
            entry = self._line.entries[part.variant]
            part.step = 0
            self._log.record(self._env.now, ENTER, SOURCE, part.number, part.condition, part.variant)
            if self._visits is not None:
                self._visits.come(part, entry)
            self.doors[entry].put(part)
