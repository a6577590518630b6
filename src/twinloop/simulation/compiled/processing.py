"""Work on a part: set-up, process, inspection and repair of parts, each by what it draws; engine/machines.py as code.

A step gives the next one, TURN_OVER, or what it needs first; then it begins again, and nothing has happened yet.
"""

from twinloop.simulation.compiled.making import draw, lacks, spent
from twinloop.simulation.compiled.moves import plan, write
from twinloop.simulation.compiled.records import (
    BROKEN,
    CHANGED,
    ENDED,
    INSPECTOR,
    NONE,
    PREPARE,
    PROCESS,
    RELEASE,
    REPAIRER,
    TURN_OVER,
    UNKNOWN_LUCK,
    WORK,
    WORKED,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.compiled.visits import cycle_minutes
from twinloop.simulation.events.log import ACCEPT, NOTHING, REINSPECT, REJECT, RUNNING, SETUP, UNKNOWN
from twinloop.simulation.jit import machine_code

GOOD = 0


@machine_code
def prepare(world: World, rules: Rules, run: Record, machine: Record, me: int) -> int:
    """Machine._change_over: set up for the part's variant; the very first takes no time."""
    machine.look = 0
    variant = world.parts[machine.part].variant
    if not machine.sets_up or variant == machine.variant:
        return PROCESS
    change = NONE if machine.variant == NONE else rules.setups[me, machine.variant, variant]
    if change == NONE:
        machine.variant = variant
        return PROCESS
    if spent(world, change):
        return lacks(run, machine, PREPARE, change)
    machine.minutes = draw(world, change)
    machine.doing, machine.after_work = SETUP, CHANGED
    return WORK


@machine_code
def change(world: World, machine: Record) -> int:
    """The machine is set up for its part."""
    machine.variant = world.parts[machine.part].variant
    return PROCESS


@machine_code
def process(world: World, rules: Rules, run: Record, machine: Record, me: int) -> int:
    """Machine._process: one cycle."""
    cycle = rules.cycles[me, world.parts[machine.part].variant]
    if spent(world, cycle):
        return lacks(run, machine, PROCESS, cycle)
    machine.minutes = cycle_minutes(world, run, rules, me, machine.part) + machine.extra
    machine.look += 1
    machine.doing, machine.after_work = RUNNING, WORKED
    return WORK


@machine_code
def work(world: World, rows: Records, run: Record, machine: Record, me: int) -> int:
    """Machine._work: until it is done, or fails."""
    machine.state, machine.noted = machine.doing, world.parts[machine.part].number
    write(rows, run, run.now, machine.doing, me, machine.noted, UNKNOWN, NOTHING)
    minutes = machine.minutes
    machine.step = ENDED
    if (machine.calendar or machine.doing == RUNNING) and machine.left < minutes:
        machine.step = BROKEN
        minutes = machine.left
    plan(world, run, me, minutes)
    return TURN_OVER


@machine_code
def end_work(run: Record, machine: Record) -> int:
    """Work that nothing interrupted is done."""
    if machine.calendar or machine.doing == RUNNING:
        machine.left -= machine.minutes
    machine.watched_to = run.now
    return int(machine.after_work)


@machine_code
def judge(world: World, rules: Rules, rows: Records, run: Record, machine: Record, me: int) -> int:
    """What a cycle has made of the part: an inspector's decision, a repairer's luck."""
    if machine.kind == INSPECTOR:
        return _inspect(world, rules, rows, run, machine, me)
    if machine.kind == REPAIRER:
        part = world.parts[machine.part]
        row = part.reworks
        if part.number >= world.known[row]:
            machine.step, run.dry = WORKED, row
            return UNKNOWN_LUCK
        part.reworks += 1
        if world.luck[row, part.number] < rules.success[part.condition]:
            part.condition = GOOD
    return RELEASE


@machine_code
def _inspect(world: World, rules: Rules, rows: Records, run: Record, machine: Record, me: int) -> int:
    part = world.parts[machine.part]
    row = rules.rework_times + part.looks
    if row >= len(world.known) or part.number >= world.known[row]:
        machine.step, run.dry = WORKED, row
        return UNKNOWN_LUCK
    noise = world.luck[row, part.number]
    z = rules.part_weight * part.difficulty + rules.look_weight * noise
    part.looks += 1
    decision = REINSPECT
    if z < rules.accept_z[part.condition]:
        decision = ACCEPT
    elif z >= rules.reject_z[part.condition]:
        decision = REJECT
    if decision == REINSPECT and machine.look == rules.max_looks:
        decision = REJECT if rules.undecided_rejects else ACCEPT
    write(rows, run, run.now, decision, me, part.number, part.condition, NOTHING)
    part.rejected = decision == REJECT
    return PROCESS if decision == REINSPECT else RELEASE
