"""The engine as machine code: machines are small programs whose next step is a number, events come from the agenda.

It mirrors engine/ event for event. Whatever SimPy would schedule for this very moment (a succeeded event, a delay
of 0) goes to the end of the line of machines that are ready; the rest goes on the agenda. Entries of the agenda for
this moment are older than what is ready, so they come first: that is SimPy's order (time, priority, insertion).

Every step that draws looks first whether its streams hold enough. If not, the kernel returns, is given more, and
begins the step again: nothing has happened yet.
"""

from twinloop.simulation.compiled.agenda import drop_first
from twinloop.simulation.compiled.arrivals import arrive, await_arrival, release
from twinloop.simulation.compiled.beginning import begin
from twinloop.simulation.compiled.breakdowns import call_crew, end_repair, end_settling, fail, mend, resume, settle
from twinloop.simulation.compiled.people import (
    await_shift,
    begin_shift,
    call_operator,
    end_shift,
    release_operator,
)
from twinloop.simulation.compiled.processing import change, end_work, judge, prepare, process, work
from twinloop.simulation.compiled.records import (
    ARRIVE,
    ARRIVED,
    BEGIN,
    BROKEN,
    CALL,
    CHANGED,
    CLOCK,
    CLOCK_OFF,
    CLOCK_ON,
    DELAY,
    DONE,
    ENDED,
    FETCH,
    FULL,
    MEND,
    MENDED,
    MENDING,
    NEEDS,
    NONE,
    PASS_ON,
    PREPARE,
    PROCESS,
    RELEASE,
    RELEASED,
    REPAIRED,
    SETTLE,
    SETTLED,
    TURN_OVER,
    WORK,
    WORKED,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.compiled.stocks import deliver, take_materials
from twinloop.simulation.compiled.transfer import fetch, pass_on
from twinloop.simulation.compiled.visits import begin_delay, end_delay
from twinloop.simulation.events.log import BLOCKED, IDLE, STARVED
from twinloop.simulation.jit import machine_code


@machine_code
def next_turn(world: World, run: Record, count: int) -> int:
    """Whose turn it is, with the clock set; after the horizon the `count` machines in a row, to be settled, then -1."""
    agenda, ready = world.agenda, world.ready
    if run.taken:
        drop_first(agenda, run.planned)
        run.planned -= 1
        run.taken = 0
    if not run.finishing:
        if run.planned and agenda[0].time <= run.now:
            run.taken = 1
            return int(agenda[0].who)
        if run.ready:
            who = ready[run.ready_first]
            run.ready_first += 1
            if run.ready_first == len(ready):
                run.ready_first = 0
            run.ready -= 1
            return int(who)
        if run.planned and agenda[0].time < run.horizon:
            run.now = agenda[0].time
            run.taken = 1
            return int(agenda[0].who)
    run.now = run.horizon
    while run.finishing < count:
        run.finishing += 1
        machine = world.machines[run.finishing]
        if machine.calendar and (machine.state == STARVED or machine.state == BLOCKED or machine.state == IDLE):
            machine.step = SETTLE
            return int(run.finishing)
    return NONE


@machine_code
def go(world: World, rules: Rules, rows: Records) -> int:
    """Run on until the horizon (DONE) or until something is needed: see records.py. `run.dry` says which."""
    run, actors = world.run[0], len(world.machines)
    while True:
        if run.current == NONE:
            if run.rows > len(rows) - run.most_rows:
                return FULL
            run.current = next_turn(world, run, rules.machines)
            if run.current == NONE:
                return DONE
        me = run.current
        if me >= actors:
            if world.timers[me - actors].leaver == NONE:
                deliver(world, rows, run, rules, me - actors)
                run.current = NONE
                continue
            me = run.current = end_delay(world, run, me - actors)
        machine = world.machines[me]
        step = machine.step
        while step < TURN_OVER:
            # In the order of a part's way, so that most turns go through once.
            if step == ENDED:
                step = end_work(run, machine)
            if step == WORKED:
                step = judge(world, rules, rows, run, machine, me)
            if step == RELEASE:
                step = release_operator(world, rules, rows, run, machine)
            if step == PASS_ON:
                step = pass_on(world, rules, rows, run, machine, me)
            if step == FETCH:
                step = fetch(world, rules, rows, run, machine, me)
            if step == NEEDS:
                if machine.kind == DELAY:
                    step = begin_delay(world, rules, rows, run, machine, me)
                else:
                    step = take_materials(world, rules, rows, run, machine, me)
            if step == CALL:
                step = call_operator(world, rules, rows, run, machine, me)
            if step == PREPARE:
                step = prepare(world, rules, run, machine, me)
            if step == PROCESS:
                step = process(world, rules, run, machine, me)
            if step == WORK:
                step = work(world, rows, run, machine, me)
            elif step == CHANGED:
                step = change(world, machine)
            elif step == BROKEN:
                step = fail(rows, run, machine, me)
            elif step == MEND:
                step = call_crew(world, run, machine, me)
            elif step == MENDING:
                step = mend(world, run, machine, me)
            elif step == MENDED:
                step = end_repair(world, run, machine)
            elif step == REPAIRED:
                step = resume(world, run, machine)
            elif step == SETTLE:
                step = settle(world, rows, run, machine, me)
            elif step == SETTLED:
                step = end_settling(run, machine)
            elif step == ARRIVE:
                step = await_arrival(world, rules, run, machine, me)
            elif step == ARRIVED:
                step = arrive(world, rules, rows, run, machine)
            elif step == RELEASED:
                step = release(world, rules, rows, run, machine, me)
            elif step == CLOCK:
                step = await_shift(world, run, machine, me)
            elif step == CLOCK_ON:
                step = begin_shift(world, rules, rows, run, machine, me)
            elif step == CLOCK_OFF:
                step = end_shift(world, run, machine)
            elif step == BEGIN:
                step = begin(world, rules, rows, run, machine)
        if step != TURN_OVER:
            return int(step)
        run.current = NONE
