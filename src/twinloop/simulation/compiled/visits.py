"""Parts on their way from station to station: engine/visits.py and engine/delay.py as machine code.

A part at a station of unlimited servers is a timer; when it rings, the station's leaver, an actor of its own, passes
the part on.
"""

import math

from twinloop.simulation.compiled.making import draw, lacks, spent
from twinloop.simulation.compiled.moves import plan, write
from twinloop.simulation.compiled.records import (
    FETCH,
    FULL,
    NEEDS,
    NO_TIMER,
    NONE,
    PASS_ON,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.events.log import NOTHING, QUEUE, SPAN, UNKNOWN
from twinloop.simulation.jit import machine_code
from twinloop.simulation.model import joint

row_of = machine_code(joint.row_of)


@machine_code
def come(world: World, run: Record, rules: Rules, place: int, slot: int) -> None:
    """Visits.come: a part comes to a station, to `place` before it."""
    part = world.parts[slot]
    if rules.renewed_at != NONE and place == rules.renewed_at:
        part.visit += 1
    for span in range(len(rules.span_starts)):
        if (
            rules.span_starts[span] == place
            and (rules.span_variants[span] == NONE or rules.span_variants[span] == part.variant)
            and math.isnan(world.begun[slot, span])
        ):
            world.begun[slot, span] = run.now


@machine_code
def enter(world: World, run: Record, rules: Rules, place: int, slot: int) -> None:
    """A part that has just been made comes to its first station."""
    for span in range(len(rules.span_starts)):
        world.begun[slot, span] = NOTHING
    come(world, run, rules, place, slot)


@machine_code
def end_spans(world: World, rows: Records, run: Record, rules: Rules, station: int, slot: int) -> None:
    """Visits.done: the work on a part at a station is done."""
    for span in range(len(rules.span_ends)):
        since = world.begun[slot, span]
        if rules.span_ends[span] == station and not math.isnan(since):
            write(rows, run, run.now, SPAN, rules.first_span + span, world.parts[slot].number, UNKNOWN, run.now - since)
            world.begun[slot, span] = NOTHING
            run.left += 1


@machine_code
def cycle_minutes(world: World, run: Record, rules: Rules, me: int, slot: int) -> float:
    """Machine._minutes: what one cycle takes for a part; by its row of the joint table where there is no stream."""
    part, machine = world.parts[slot], world.machines[me]
    cycle = rules.cycles[me, part.variant]
    if cycle == NONE:
        row = row_of(run.row_key, part.number, part.visit, len(world.table))
        minutes = world.table[row, rules.columns[machine.station]]
    else:
        minutes = draw(world, cycle)
    return float(minutes * rules.factors[me, part.variant] / machine.speed)


@machine_code
def begin_delay(world: World, rules: Rules, rows: Records, run: Record, machine: Record, me: int) -> int:
    """Delay._run: a part rests until its time is over, and the next one is fetched."""
    slot = machine.part
    cycle = rules.cycles[me, world.parts[slot].variant]
    machine.step = NEEDS
    if run.rows > len(rows) - run.most_rows:
        return FULL
    if spent(world, cycle):
        return lacks(run, machine, NEEDS, cycle)
    if run.free_timer == NONE:
        return NO_TIMER
    write(rows, run, run.now, QUEUE, me, world.parts[slot].number, UNKNOWN, NOTHING)
    number = run.free_timer
    timer = world.timers[number]
    run.free_timer = timer.next
    timer.leaver, timer.part = machine.leaver, slot
    plan(world, run, len(world.machines) + number, cycle_minutes(world, run, rules, me, slot))
    return FETCH


@machine_code
def end_delay(world: World, run: Record, number: int) -> int:
    """Delay._over: the time of a timer's part is over; gives the actor that passes it on."""
    timer = world.timers[number]
    leaver = timer.leaver
    world.machines[leaver].part, world.machines[leaver].step = timer.part, PASS_ON
    timer.leaver, timer.next, run.free_timer = NONE, run.free_timer, number
    return int(leaver)
