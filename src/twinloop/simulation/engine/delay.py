"""Stations of unlimited servers: a part begins when it comes and goes on when its time is over (M/G/∞).

No machine is busy, so none tells its states: a part's row queue says that it rests here.
"""

from functools import partial

import simpy

from twinloop.simulation.engine.entities import Part
from twinloop.simulation.engine.machines import Machine, Process
from twinloop.simulation.events.log import QUEUE


class Delay(Machine):
    """All servers of an unlimited station; it takes whoever comes, and its parts go on by themselves."""

    def _run(self) -> Process:
        while True:
            part = self.inlet.take()
            if part is None:
                part = yield self.inlet.arrival()
            self.log.record(self.env.now, QUEUE, self.entity, part.number)
            over = self.env.timeout(self._minutes(part))
            over.callbacks.append(partial(self._over, part))

    def _over(self, part: Part, _: simpy.Event) -> None:
        outlet = self.outlet if self._outlet_of is None else self._outlet_of(part)
        if not outlet.put(part):
            outlet.room(part)
