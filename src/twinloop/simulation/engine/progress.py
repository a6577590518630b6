"""A line that can only wait is not an idle line: says what waits for what when nothing can go on.

Machines that are blocked for good are the largest set in which each waits for room that only machines of the set
could make, or gathers parts for an assembly that only machines of the set could bring. A line that has no event to
come, though its source is not at its end, stands still for another reason.
"""

from collections.abc import Sequence

import numpy as np

from twinloop.errors import RunError
from twinloop.simulation.engine.assembly import Shelf
from twinloop.simulation.engine.build import Plant
from twinloop.simulation.engine.entities import Buffer
from twinloop.simulation.engine.machines import WAITING, Machine
from twinloop.simulation.engine.transport import Dock
from twinloop.simulation.events.log import BLOCKED, EVENTS, NO_PART, SCRAP, SHIP, SPAN, STARVED

NEVER = float("inf")
THROUGH = (SHIP, SCRAP, SPAN)


def check_progress(plant: Plant) -> None:
    """Raises RunError when machines wait for each other, when nothing can happen any more, and when no part left."""
    line, log, machines = plant.line, plant.log, plant.machines
    stuck = waiting_for_each_other(machines)
    if stuck:
        part = "" if len(stuck) == len(machines) else "part of "
        remedy = f"enlarge a {'queue' if line.routed else 'buffer'} of the loop"
        if any(_gathers(machine) for machine in stuck):
            remedy = "let parts come in the numbers that are assembled (source.plan: levelled, or orders)"
        elif line.rework and line.rework.when_full == "wait":
            remedy += " or set rework.when_full: scrap"
        raise RunError(
            f"simulate: {part}{line.name} stands still from minute {_last_change(stuck):.1f} on: {who_waits(stuck)}: "
            f"{remedy}"
        )
    holding = any(machine.state in WAITING and machine.part != NO_PART for machine in machines)
    if plant.env.peek() == NEVER and (holding or line.saturated or line.closed):
        raise RunError(
            f"simulate: {line.name} stands still from minute {_last_change(machines):.1f} on: {who_waits(machines)}: "
            "nothing more can happen: check what they wait for"
        )
    if not log.silent and not np.isin(log.event, THROUGH).any():
        raise RunError(
            f"simulate: no part {'went through a span of' if line.closed else 'left'} {line.name} within "
            f"{log.horizon:g} minutes: {who_waits(machines)}: "
            "simulate more days, or check cycle, repair and interarrival times"
        )


def waiting_for_each_other(machines: Sequence[Machine]) -> list[Machine]:
    """The machines that are blocked for good, in the order given; empty when there are none."""
    stuck = [machine for machine in machines if _wanted(machine) is not None or _gathers(machine)]
    while True:
        kept = [machine for machine in stuck if _only_among(stuck, machine, machines)]
        if len(kept) == len(stuck):
            return stuck
        stuck = kept


def _wanted(machine: Machine) -> Buffer | None:
    """The buffer that a blocked machine waits for room in, None for one that waits for something else."""
    place = machine.waits_for
    if machine.state != BLOCKED:
        return None
    if isinstance(place, Dock):
        return place.place if place.place.waits_for_room(machine.part) else None
    return place if isinstance(place, Buffer) else None


def _gathers(machine: Machine) -> bool:
    """Whether the machine waits for parts of an assembly, none of which is on its way."""
    return machine.state == STARVED and isinstance(machine.inlet, Shelf) and not machine.inlet.expects


def _only_among(stuck: Sequence[Machine], machine: Machine, machines: Sequence[Machine]) -> bool:
    """Whether only machines of `stuck` could end the machine's wait: those that take parts away, or bring them."""
    if machine.state == BLOCKED:
        helpers = [other for other in machines if other.inlet is _wanted(machine)]
    else:
        helpers = [other for other in machines if machine.inlet in (other.outlet, getattr(other.outlet, "place", None))]
    return bool(helpers) and all(helper in stuck for helper in helpers)


def _last_change(machines: Sequence[Machine]) -> float:
    return max(machine.since for machine in machines)


def who_waits(machines: Sequence[Machine]) -> str:
    """Every machine that works, and what the others wait for; of these those that hold a part if there are any."""
    working = [machine for machine in machines if machine.state not in WAITING]
    waiting = [machine for machine in machines if machine.state in WAITING]
    holding = [machine for machine in waiting if machine.part != NO_PART]
    lines = [f"{machine.name} is still {EVENTS[machine.state]}" for machine in working]
    lines += [f"{machine.name} waits for {_reason(machine)}" for machine in holding or waiting]
    return "; ".join(lines)


def _reason(machine: Machine) -> str:
    if isinstance(machine.waits_for, Buffer | Dock):
        return f"a part from {machine.waits_for.name}" if machine.state == STARVED else f"room in {machine.waits_for}"
    return str(machine.waits_for)
