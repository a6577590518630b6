"""Operators, the crew and their shifts: engine/operators.py and engine/crew.py as machine code."""

from twinloop.simulation.compiled.agenda import drop_first
from twinloop.simulation.compiled.moves import plan, wake, write
from twinloop.simulation.compiled.records import (
    CLOCK,
    CLOCK_OFF,
    CLOCK_ON,
    CREW,
    NONE,
    PASS_ON,
    PREPARE,
    SETTLE,
    TURN_OVER,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.events.log import IDLE, NO_PART, NOTHING, RUNNING, UNKNOWN
from twinloop.simulation.jit import machine_code

NEVER = float("inf")


@machine_code
def send(world: World, rows: Records, run: Record, rules: Rules, station: int) -> int:
    """Staff._send: the operator (from 0) who goes to the station, or -1."""
    teams, busy = world.teams, world.busy
    for number in range(len(teams)):
        team = teams[number]
        if team.on_shift and team.free and rules.skills[number, station]:
            for person in range(team.first, team.first + team.count):
                if not busy[person]:
                    busy[person] = 1
                    team.free -= 1
                    write(rows, run, run.now, RUNNING, rules.first_person + person, NO_PART, UNKNOWN, NOTHING)
                    return int(person)
    return NONE


@machine_code
def answer(world: World, rows: Records, run: Record, rules: Rules) -> None:
    """Staff._answer: those who wait longest first, where somebody can go."""
    waiting, kept = world.staff_calls, 0
    for place in range(run.staff_calls):
        me = waiting[place]
        person = send(world, rows, run, rules, world.machines[me].station)
        if person == NONE:
            waiting[kept] = me
            kept += 1
        else:
            world.machines[me].operator = person
            wake(world.ready, run, me)
    run.staff_calls = kept


@machine_code
def leave_machine(world: World, rows: Records, run: Record, rules: Rules, person: int) -> None:
    """Staff.leave: an operator is free, or goes to the next machine."""
    write(rows, run, run.now, IDLE, rules.first_person + person, NO_PART, UNKNOWN, NOTHING)
    world.busy[person] = 0
    for number in range(len(world.teams)):
        team = world.teams[number]
        if team.first <= person < team.first + team.count:
            team.free += 1
    answer(world, rows, run, rules)


@machine_code
def answer_calls(world: World, run: Record) -> None:
    """RepairCrew._answer: who is free goes to the machines that called, by priority."""
    while run.crew_free and run.crew_on_shift and run.calls:
        run.crew_free -= 1
        wake(world.ready, run, world.calls[0].who)
        drop_first(world.calls, run.calls)
        run.calls -= 1


@machine_code
def call_operator(world: World, rules: Rules, rows: Records, run: Record, machine: Record, me: int) -> int:
    """Staff.call: somebody comes at once, or the machine waits for somebody."""
    if not machine.staffed:
        return PREPARE
    machine.operator = send(world, rows, run, rules, machine.station)
    if machine.operator != NONE:
        return PREPARE
    world.staff_calls[run.staff_calls] = me
    run.staff_calls += 1
    machine.state, machine.noted = IDLE, world.parts[machine.part].number
    write(rows, run, run.now, IDLE, me, machine.noted, UNKNOWN, NOTHING)
    machine.step = SETTLE if machine.calendar else PREPARE
    machine.after_wait = PREPARE
    return TURN_OVER


@machine_code
def release_operator(world: World, rules: Rules, rows: Records, run: Record, machine: Record) -> int:
    """The cycle is done, and who worked at the machine is free."""
    if machine.operator != NONE:
        person, machine.operator = machine.operator, NONE
        leave_machine(world, rows, run, rules, person)
    return PASS_ON


@machine_code
def await_shift(world: World, run: Record, clock: Record, me: int) -> int:
    """The time to the next shift; within the horizon there is always one, or none any more."""
    if clock.look < world.spans.shape[1]:
        clock.step = CLOCK_ON
        plan(world, run, me, world.spans[clock.inlet, clock.look, 0] - run.now)
    return TURN_OVER


@machine_code
def begin_shift(world: World, rules: Rules, rows: Records, run: Record, clock: Record, me: int) -> int:
    """A group comes, and answers those who have called."""
    if clock.kind == CREW:
        run.crew_on_shift = 1
        answer_calls(world, run)
    else:
        world.teams[clock.outlet].on_shift = 1
        answer(world, rows, run, rules)
    clock.step = CLOCK_OFF
    until = world.spans[clock.inlet, clock.look, 1]
    if until < NEVER:
        plan(world, run, me, until - run.now)
    return TURN_OVER


@machine_code
def end_shift(world: World, run: Record, clock: Record) -> int:
    """A group goes; who is at a machine finishes there."""
    if clock.kind == CREW:
        run.crew_on_shift = 0
    else:
        world.teams[clock.outlet].on_shift = 0
    clock.look += 1
    return CLOCK
