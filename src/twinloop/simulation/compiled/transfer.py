"""Parts from machine to machine: where each goes on, blocking after service, and who waits for the next part."""

from twinloop.simulation.compiled.making import draw, lacks, make, missing_for_a_part, spent
from twinloop.simulation.compiled.moves import leave, put, take, wait_for_room, write
from twinloop.simulation.compiled.records import (
    BRANCHES,
    DELAY,
    FETCH,
    INSPECTOR,
    LEAVER,
    NEEDS,
    NO_SLOT,
    NONE,
    PASS_ON,
    REPAIRER,
    ROUTES,
    SETTLE,
    TURN_OVER,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.compiled.visits import come, end_spans, enter
from twinloop.simulation.events.log import BLOCKED, NO_PART, NOTHING, SCRAP, STARVED, UNKNOWN
from twinloop.simulation.jit import machine_code


@machine_code
def pass_on(world: World, rules: Rules, rows: Records, run: Record, machine: Record, me: int) -> int:
    """Machine._pass_on: the part goes where its way leads, or waits in the machine for room there."""
    slot = machine.part
    part = world.parts[slot]
    place, scraps = machine.outlet, False
    rejects = machine.kind == INSPECTOR and part.rejected
    if machine.kind != REPAIRER and not rejects:
        end_spans(world, rows, run, rules, machine.station, slot)
    if rejects:
        place = rules.rework_queue if part.reworks < rules.rework_times else NONE
        scraps = place == NONE or not rules.rework_waits
    elif machine.kind != REPAIRER and rules.routing == ROUTES:
        place = rules.routes[part.variant, part.step]
        part.step += 1
        if part.step == rules.routes.shape[1] or rules.routes[part.variant, part.step] == NONE:
            part.step = 0
    elif machine.kind != REPAIRER and rules.routing == BRANCHES and rules.branch[machine.station] != NONE:
        if spent(world, rules.branch[machine.station]):
            return lacks(run, machine, PASS_ON, rules.branch[machine.station])
        chance, choice = draw(world, rules.branch[machine.station]), 0
        while chance >= rules.limits[machine.station, choice]:
            choice += 1
        place = rules.outlets[machine.station, choice]
    if place != NONE:
        come(world, run, rules, place, slot)
    if place == NONE or not put(world, rows, run, place, slot):
        if machine.kind == LEAVER:
            wait_for_room(world, place, slot, NONE, False)
        elif not scraps:
            machine.state, machine.noted, machine.waits_for = BLOCKED, part.number, place
            write(rows, run, run.now, BLOCKED, me, part.number, UNKNOWN, NOTHING)
            wait_for_room(world, place, slot, me, machine.kind == REPAIRER)
            machine.step = SETTLE if machine.calendar else FETCH
            machine.after_wait = FETCH
            return TURN_OVER
        else:
            leave(world, rows, run, SCRAP, me, slot)
    return TURN_OVER if machine.kind == LEAVER else FETCH


@machine_code
def fetch(world: World, rules: Rules, rows: Records, run: Record, machine: Record, me: int) -> int:
    """Machine._fetch: the next part, waited for if there is none."""
    buffers, machines = world.buffers, world.machines
    place = machine.inlet
    slot = NONE
    if buffers[place].count or buffers[place].first_giver != NONE:
        slot = take(world, rows, run, place)
    elif buffers[place].saturated:
        missing = missing_for_a_part(world, rules)
        if missing != NONE:
            return lacks(run, machine, FETCH, missing)
        if run.vacant == 0:
            machine.step = FETCH
            return NO_SLOT
        slot = make(world, rows, run, rules)
        enter(world, run, rules, place, slot)
    if slot != NONE:
        machine.part = slot
        return NEEDS
    if machine.kind != DELAY:
        machine.state, machine.noted = STARVED, NO_PART
        write(rows, run, run.now, STARVED, me, NO_PART, UNKNOWN, NOTHING)
    machine.next = NONE
    if buffers[place].first_taker == NONE:
        buffers[place].first_taker = me
    else:
        machines[buffers[place].last_taker].next = me
    buffers[place].last_taker = me
    machine.step = SETTLE if machine.calendar else NEEDS
    machine.after_wait = NEEDS
    return TURN_OVER
