"""The engine as machine code: machines are small programs whose next step is a number, events come from the agenda.

It mirrors engine/ event for event. Whatever SimPy would schedule for this very moment (a succeeded event, a delay
of 0) goes to the end of the line of machines that are ready; the rest goes on the agenda. Entries of the agenda for
this moment are older than what is ready, so they come first: that is SimPy's order (time, priority, insertion).

Every step that draws looks first whether its streams hold enough. If not, the kernel returns, is given more, and
begins the step again: nothing has happened yet.
"""

from twinloop.simulation.compiled.agenda import drop_first, push
from twinloop.simulation.compiled.making import draw, make, missing_for_a_part, spent
from twinloop.simulation.compiled.moves import leave, plan, put, take, wait_for_room, wake, write
from twinloop.simulation.compiled.records import (
    ARRIVE,
    ARRIVED,
    BRANCHES,
    BROKEN,
    CHANGED,
    DONE,
    DRY,
    ENDED,
    FETCH,
    FULL,
    GO_ON,
    INSPECTOR,
    MEND,
    MENDED,
    MENDING,
    NO_SLOT,
    NONE,
    PASS_ON,
    PREPARE,
    PROCESS,
    REPAIRED,
    REPAIRER,
    ROUTES,
    SETTLE,
    SETTLED,
    UNKNOWN_LUCK,
    WORK,
    WORKED,
    Ints,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.events.log import (
    ACCEPT,
    BLOCKED,
    DOWN,
    NO_PART,
    NOTHING,
    REINSPECT,
    REJECT,
    RUNNING,
    SCRAP,
    SETUP,
    STARVED,
    UNKNOWN,
)
from twinloop.simulation.jit import machine_code

GOOD = 0
NEVER = float("inf")
# The most rows that one turn of a machine can write.
MOST_ROWS = 16


@machine_code
def next_turn(machines: Records, agenda: Records, ready: Ints, run: Record) -> int:
    """Whose turn it is, with the clock set; after the horizon the machines in a row, to be settled, then -1."""
    if run.planned and agenda[0].time <= run.now and not run.finishing:
        who = agenda[0].who
        drop_first(agenda, run.planned)
        run.planned -= 1
        return int(who)
    if run.ready and not run.finishing:
        who = ready[run.ready_first]
        run.ready_first += 1
        if run.ready_first == len(ready):
            run.ready_first = 0
        run.ready -= 1
        return int(who)
    if run.planned and agenda[0].time < run.horizon and not run.finishing:
        run.now = agenda[0].time
        who = agenda[0].who
        drop_first(agenda, run.planned)
        run.planned -= 1
        return int(who)
    run.now = run.horizon
    while run.finishing < len(machines) - 1:
        run.finishing += 1
        machine = machines[run.finishing]
        if machine.calendar and (machine.state == STARVED or machine.state == BLOCKED):
            machine.step = SETTLE
            return int(run.finishing)
    return NONE


@machine_code
def go(world: World, rules: Rules, rows: Records) -> int:
    """Run on until the horizon (DONE) or until something is needed: see records.py. `run.dry` says which."""
    run, machines, buffers, parts = world.run[0], world.machines, world.buffers, world.parts
    vacant, agenda, calls, ready = world.vacant, world.agenda, world.calls, world.ready
    streams, draws, luck, known = world.streams, world.draws, world.luck, world.known
    most = len(rows) - MOST_ROWS
    while True:
        if run.current == NONE:
            if run.rows > most:
                return FULL
            run.current = next_turn(machines, agenda, ready, run)
            if run.current == NONE:
                return DONE
        me = run.current
        machine = machines[me]
        step = machine.step
        while True:
            if step == ENDED:
                if machine.calendar or machine.doing == RUNNING:
                    machine.left -= machine.minutes
                machine.watched_to = run.now
                step = machine.after_work
            if step == WORKED:
                part = parts[machine.part]
                if machine.kind == INSPECTOR:
                    row = rules.rework_times + part.looks
                    if row >= len(known) or part.number >= known[row]:
                        machine.step, run.dry = step, row
                        return UNKNOWN_LUCK
                    noise = luck[row, part.number]
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
                    step = PROCESS if decision == REINSPECT else PASS_ON
                else:
                    if machine.kind == REPAIRER:
                        row = part.reworks
                        if part.number >= known[row]:
                            machine.step, run.dry = step, row
                            return UNKNOWN_LUCK
                        part.reworks += 1
                        if luck[row, part.number] < rules.success[part.condition]:
                            part.condition = GOOD
                    step = PASS_ON
            if step == PASS_ON:
                slot = machine.part
                part = parts[slot]
                place, scraps = machine.outlet, False
                if machine.kind == INSPECTOR and part.rejected:
                    place = rules.rework_queue if part.reworks < rules.rework_times else NONE
                    scraps = place == NONE or not rules.rework_waits
                elif machine.kind != REPAIRER and rules.routing == ROUTES:
                    place = rules.routes[part.variant, part.step]
                    part.step += 1
                elif machine.kind != REPAIRER and rules.routing == BRANCHES and rules.branch[machine.station] != NONE:
                    if spent(streams, rules.branch[machine.station]):
                        machine.step, run.dry = step, rules.branch[machine.station]
                        return DRY
                    chance, choice = draw(streams, draws, rules.branch[machine.station]), 0
                    while chance >= rules.limits[machine.station, choice]:
                        choice += 1
                    place = rules.outlets[machine.station, choice]
                if place == NONE or not put(machines, buffers, parts, vacant, ready, rows, run, place, slot):
                    if not scraps:
                        machine.state, machine.noted, machine.waits_for = BLOCKED, part.number, place
                        write(rows, run, run.now, BLOCKED, me, part.number, UNKNOWN, NOTHING)
                        wait_for_room(buffers, parts, place, slot, me, machine.kind == REPAIRER)
                        machine.step = SETTLE if machine.calendar else FETCH
                        machine.after_wait = FETCH
                        break
                    leave(parts, vacant, rows, run, SCRAP, me, slot)
                step = FETCH
            if step == FETCH:
                place = machine.inlet
                slot = NONE
                if buffers[place].count or buffers[place].first_giver != NONE:
                    slot = take(buffers, parts, ready, rows, run, place)
                elif buffers[place].saturated:
                    run.dry = missing_for_a_part(streams, rules)
                    if run.dry != NONE or run.vacant == 0:
                        machine.step = step
                        return DRY if run.dry != NONE else NO_SLOT
                    slot = make(parts, vacant, streams, draws, rows, run, rules)
                if slot == NONE:
                    machine.state, machine.noted = STARVED, NO_PART
                    write(rows, run, run.now, STARVED, me, NO_PART, UNKNOWN, NOTHING)
                    machine.next = NONE
                    if buffers[place].first_taker == NONE:
                        buffers[place].first_taker = me
                    else:
                        machines[buffers[place].last_taker].next = me
                    buffers[place].last_taker = me
                    machine.step = SETTLE if machine.calendar else PREPARE
                    machine.after_wait = PREPARE
                    break
                machine.part = slot
                step = PREPARE
            if step == PREPARE:
                machine.look = 0
                step = PROCESS
                variant = parts[machine.part].variant
                if machine.setup != NONE and variant != machine.variant:
                    if machine.variant == NONE:
                        machine.variant = variant
                    elif spent(streams, machine.setup):
                        machine.step, run.dry = PREPARE, machine.setup
                        return DRY
                    else:
                        machine.minutes = draw(streams, draws, machine.setup)
                        machine.doing, machine.after_work = SETUP, CHANGED
                        step = WORK
            if step == PROCESS:
                if spent(streams, machine.cycle):
                    machine.step, run.dry = step, machine.cycle
                    return DRY
                factor = rules.factors[parts[machine.part].variant]
                machine.minutes = draw(streams, draws, machine.cycle) * factor + machine.extra
                machine.look += 1
                machine.doing, machine.after_work = RUNNING, WORKED
                step = WORK
            if step == WORK:
                machine.state, machine.noted = machine.doing, parts[machine.part].number
                write(rows, run, run.now, machine.doing, me, machine.noted, UNKNOWN, NOTHING)
                step = GO_ON
            if step == GO_ON:
                if (machine.calendar or machine.doing == RUNNING) and machine.left < machine.minutes:
                    machine.step = BROKEN
                    plan(agenda, ready, run, me, machine.left)
                else:
                    machine.step = ENDED
                    plan(agenda, ready, run, me, machine.minutes)
                break
            if step == CHANGED:
                machine.variant = parts[machine.part].variant
                step = PROCESS
            elif step == BROKEN:
                machine.minutes -= machine.left
                machine.state = DOWN
                write(rows, run, run.now, DOWN, me, machine.noted, UNKNOWN, NOTHING)
                machine.after_repair = REPAIRED
                step = MEND
            elif step == MEND:
                if run.crew and run.crew_free == 0:
                    push(calls, run.calls, machine.priority, run.called, me)
                    run.calls += 1
                    run.called += 1
                    machine.step = MENDING
                    break
                run.crew_free -= 1
                step = MENDING
            elif step == MENDING:
                if spent(streams, machine.repair):
                    machine.step, run.dry = step, machine.repair
                    return DRY
                machine.step = MENDED
                plan(agenda, ready, run, me, draw(streams, draws, machine.repair))
                break
            elif step == MENDED:
                if run.calls:
                    wake(ready, run, calls[0].who)
                    drop_first(calls, run.calls)
                    run.calls -= 1
                else:
                    run.crew_free += 1
                step = machine.after_repair
            elif step == REPAIRED:
                if spent(streams, machine.failure):
                    machine.step, run.dry = step, machine.failure
                    return DRY
                machine.left = draw(streams, draws, machine.failure)
                step = WORK
            elif step == SETTLE:
                if run.rows > most:
                    machine.step = step
                    return FULL
                if machine.repaired_at > machine.watched_to:
                    if machine.repaired_at >= run.now:
                        step = machine.after_wait
                        if run.finishing:
                            break
                        if machine.repaired_at > run.now:
                            machine.state, machine.after_repair = DOWN, SETTLED
                            step = MEND
                            if not run.crew:
                                machine.step = SETTLED
                                plan(agenda, ready, run, me, machine.repaired_at - run.now)
                                break
                        continue
                    write(rows, run, machine.repaired_at, machine.state, me, machine.noted, UNKNOWN, NOTHING)
                    machine.watched_to = machine.repaired_at
                fails = machine.watched_to + machine.left
                if fails >= run.now:
                    machine.left = max(machine.left - (run.now - machine.watched_to), 0.0)
                    machine.watched_to = run.now
                    step = machine.after_wait
                    if run.finishing:
                        break
                    continue
                run.dry = machine.failure if spent(streams, machine.failure) else NONE
                if not run.crew and spent(streams, machine.repair):
                    run.dry = machine.repair
                if run.dry != NONE:
                    machine.step = step
                    return DRY
                write(rows, run, fails, DOWN, me, machine.noted, UNKNOWN, NOTHING)
                machine.repaired_at = NEVER if run.crew else fails + draw(streams, draws, machine.repair)
                machine.left = draw(streams, draws, machine.failure)
            elif step == SETTLED:
                machine.watched_to, machine.repaired_at = run.now, 0.0
                step = machine.after_wait
            elif step == ARRIVE:
                if spent(streams, rules.arrival):
                    machine.step, run.dry = step, rules.arrival
                    return DRY
                machine.step = ARRIVED
                plan(agenda, ready, run, me, draw(streams, draws, rules.arrival))
                break
            elif step == ARRIVED:
                run.dry = missing_for_a_part(streams, rules)
                if run.dry != NONE or run.vacant == 0:
                    machine.step = step
                    return DRY if run.dry != NONE else NO_SLOT
                slot = make(parts, vacant, streams, draws, rows, run, rules)
                place = rules.entries[parts[slot].variant]
                if not put(machines, buffers, parts, vacant, ready, rows, run, place, slot):
                    wait_for_room(buffers, parts, place, slot, NONE, False)
                step = ARRIVE
        run.current = NONE
