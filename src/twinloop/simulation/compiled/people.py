"""Operators and the crew: engine/operators.py and engine/crew.py as machine code."""

from twinloop.simulation.compiled.agenda import drop_first
from twinloop.simulation.compiled.moves import wake, write
from twinloop.simulation.compiled.records import NONE, Ints, Record, Records, Rules, World
from twinloop.simulation.events.log import IDLE, NO_PART, NOTHING, RUNNING, UNKNOWN
from twinloop.simulation.jit import machine_code


@machine_code
def send(teams: Records, busy: Ints, rows: Records, run: Record, rules: Rules, station: int) -> int:
    """Staff._send: the operator (from 0) who goes to the station, or -1."""
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
        person = send(world.teams, world.busy, rows, run, rules, world.machines[me].station)
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
def answer_calls(calls: Records, ready: Ints, run: Record) -> None:
    """RepairCrew._answer: who is free goes to the machines that called, by priority."""
    while run.crew_free and run.crew_on_shift and run.calls:
        run.crew_free -= 1
        wake(ready, run, calls[0].who)
        drop_first(calls, run.calls)
        run.calls -= 1
