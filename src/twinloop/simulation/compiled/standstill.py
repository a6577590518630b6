"""Whether a line that has run stands still for good, as engine/progress.py tells it.

Only the question is answered here, rather too often with yes; what waits for what is then said by the SimPy engine,
which runs into the same.
"""

import numpy as np

from twinloop.simulation.compiled.records import Records, World
from twinloop.simulation.events.log import BLOCKED, IDLE, NO_PART, STARVED
from twinloop.simulation.jit import machine_code

NEVER = float("inf")
WAITING = (STARVED, BLOCKED, IDLE)


def stands_still(world: World, count: int, *, endless: bool) -> bool:
    """Whether no part left, nothing more can happen though it should, or some of `count` machines wait for each other.

    endless: whether the source always has one more part.
    """
    run, machines = world.run[0], world.machines[1 : 1 + count]
    nothing_comes = not run["ready"] and (not run["planned"] or world.agenda[0]["time"] == NEVER)
    holding = bool((np.isin(machines["state"], WAITING) & (machines["noted"] != NO_PART)).any())
    return (nothing_comes and (holding or endless)) or not run["left"] or waits_for_itself(world.machines[: 1 + count])


@machine_code
def waits_for_itself(machines: Records) -> bool:
    """Whether there is a set of blocked machines of which each waits for room that only the set could make.

    Marks the machines that may be in it by their step, which nobody needs any more.
    """
    for machine in machines[1:]:
        machine.step = int(machine.state == BLOCKED)
    left = changed = True
    while changed and left:
        left = changed = False
        for machine in machines[1:]:
            if machine.step:
                takers, helpers = 0, 0
                for other in machines[1:]:
                    if other.inlet == machine.waits_for:
                        takers += 1
                        helpers += 1 - other.step
                if helpers or not takers:
                    machine.step, changed = 0, True
                else:
                    left = True
    return left
