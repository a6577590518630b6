"""The engine as machine code: machines are small programs whose next step is a number, events come from the agenda.

It mirrors engine/ event for event. Whatever SimPy would schedule for this very moment (a succeeded event, a delay
of 0) goes to the end of the line of machines that are ready; the rest goes on the agenda. Entries of the agenda for
this moment are older than what is ready, so they come first: that is SimPy's order (time, priority, insertion).

Every step that draws looks first whether its streams hold enough. If not, the kernel returns, is given more, and
begins the step again: nothing has happened yet.
"""

from twinloop.simulation.compiled.agenda import drop_first, push
from twinloop.simulation.compiled.beginning import begin
from twinloop.simulation.compiled.making import draw, make, missing_for_a_part, spent
from twinloop.simulation.compiled.moves import leave, plan, put, take, wait_for_room, write
from twinloop.simulation.compiled.people import answer, answer_calls, leave_machine, send
from twinloop.simulation.compiled.records import (
    ARRIVE,
    ARRIVED,
    BEGIN,
    BRANCHES,
    BROKEN,
    CALL,
    CHANGED,
    CLOCK,
    CLOCK_OFF,
    CLOCK_ON,
    CREW,
    DELAY,
    DONE,
    DRY,
    ENDED,
    FETCH,
    FULL,
    GO_ON,
    INSPECTOR,
    LEAVER,
    MEND,
    MENDED,
    MENDING,
    NEEDS,
    NO_SLOT,
    NO_TIMER,
    NONE,
    PASS_ON,
    PREPARE,
    PROCESS,
    RELEASE,
    RELEASED,
    REPAIRED,
    REPAIRER,
    ROUTES,
    SETTLE,
    SETTLED,
    STUCK,
    UNKNOWN_LUCK,
    WORK,
    WORKED,
    Ints,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.compiled.stocks import deliver, order, orders_more, use, wait_for
from twinloop.simulation.compiled.visits import begin_delay, come, cycle_minutes, end_delay, end_spans, enter
from twinloop.simulation.engine.materials import ROUNDING
from twinloop.simulation.events.log import (
    ACCEPT,
    BLOCKED,
    DOWN,
    IDLE,
    LOSE,
    NO_PART,
    NOTHING,
    REINSPECT,
    REJECT,
    RUNNING,
    SCRAP,
    SETUP,
    SOURCE,
    STARVED,
    UNKNOWN,
)
from twinloop.simulation.jit import machine_code

GOOD = 0
NEVER = float("inf")


@machine_code
def next_turn(machines: Records, agenda: Records, ready: Ints, run: Record, count: int) -> int:
    """Whose turn it is, with the clock set; after the horizon the `count` machines in a row, to be settled, then -1."""
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
    while run.finishing < count:
        run.finishing += 1
        machine = machines[run.finishing]
        if machine.calendar and (machine.state == STARVED or machine.state == BLOCKED or machine.state == IDLE):
            machine.step = SETTLE
            return int(run.finishing)
    return NONE


@machine_code
def go(world: World, rules: Rules, rows: Records) -> int:
    """Run on until the horizon (DONE) or until something is needed: see records.py. `run.dry` says which."""
    run, machines, buffers, parts = world.run[0], world.machines, world.buffers, world.parts
    vacant, agenda, calls, ready = world.vacant, world.agenda, world.calls, world.ready
    streams, draws, luck, known = world.streams, world.draws, world.luck, world.known
    most, actors = len(rows) - run.most_rows, len(machines)
    while True:
        if run.current == NONE:
            if run.rows > most:
                return FULL
            run.current = next_turn(machines, agenda, ready, run, rules.machines)
            if run.current == NONE:
                return DONE
        me = run.current
        if me >= actors:
            if world.timers[me - actors].leaver == NONE:
                deliver(world, rows, run, rules, me - actors)
                run.current = NONE
                continue
            me = run.current = end_delay(world, run, me - actors)
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
                    step = PROCESS if decision == REINSPECT else RELEASE
                else:
                    if machine.kind == REPAIRER:
                        row = part.reworks
                        if part.number >= known[row]:
                            machine.step, run.dry = step, row
                            return UNKNOWN_LUCK
                        part.reworks += 1
                        if luck[row, part.number] < rules.success[part.condition]:
                            part.condition = GOOD
                    step = RELEASE
            if step == RELEASE:
                if machine.operator != NONE:
                    person, machine.operator = machine.operator, NONE
                    leave_machine(world, rows, run, rules, person)
                step = PASS_ON
            if step == PASS_ON:
                slot = machine.part
                part = parts[slot]
                place, scraps = machine.outlet, False
                if machine.kind != REPAIRER and not (machine.kind == INSPECTOR and part.rejected):
                    end_spans(world, rows, run, rules, machine.station, slot)
                if machine.kind == INSPECTOR and part.rejected:
                    place = rules.rework_queue if part.reworks < rules.rework_times else NONE
                    scraps = place == NONE or not rules.rework_waits
                elif machine.kind != REPAIRER and rules.routing == ROUTES:
                    place = rules.routes[part.variant, part.step]
                    part.step += 1
                    if part.step == rules.routes.shape[1] or rules.routes[part.variant, part.step] == NONE:
                        part.step = 0
                elif machine.kind != REPAIRER and rules.routing == BRANCHES and rules.branch[machine.station] != NONE:
                    if spent(streams, rules.branch[machine.station]):
                        machine.step, run.dry = step, rules.branch[machine.station]
                        return DRY
                    chance, choice = draw(streams, draws, rules.branch[machine.station]), 0
                    while chance >= rules.limits[machine.station, choice]:
                        choice += 1
                    place = rules.outlets[machine.station, choice]
                if place != NONE:
                    come(world, run, rules, place, slot)
                if place == NONE or not put(machines, buffers, parts, vacant, ready, rows, run, place, slot):
                    if machine.kind == LEAVER:
                        wait_for_room(buffers, parts, place, slot, NONE, False)
                    elif not scraps:
                        machine.state, machine.noted, machine.waits_for = BLOCKED, part.number, place
                        write(rows, run, run.now, BLOCKED, me, part.number, UNKNOWN, NOTHING)
                        wait_for_room(buffers, parts, place, slot, me, machine.kind == REPAIRER)
                        machine.step = SETTLE if machine.calendar else FETCH
                        machine.after_wait = FETCH
                        break
                    else:
                        leave(parts, vacant, rows, run, SCRAP, me, slot)
                if machine.kind == LEAVER:
                    break
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
                    enter(world, run, rules, place, slot)
                if slot == NONE:
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
                    break
                machine.part = slot
                step = NEEDS
            if step == NEEDS and machine.kind == DELAY:
                needed = begin_delay(world, rows, run, rules, me, most)
                if needed != NONE:
                    machine.step = step
                    return needed
                step = FETCH
                continue
            if step == NEEDS:
                waits = False
                while not waits and machine.need < rules.needed.shape[1] and rules.needed[me, machine.need] != NONE:
                    number, quantity = rules.needed[me, machine.need], rules.per_part[me, machine.need]
                    stock = world.stocks[number]
                    if orders_more(stock, quantity):
                        if spent(streams, stock.lead):
                            machine.step, run.dry = step, stock.lead
                            return DRY
                        if run.free_timer == NONE:
                            machine.step = step
                            return NO_TIMER
                    machine.need += 1
                    stock.position -= quantity
                    if stock.first_waiting == NONE and stock.level >= quantity - ROUNDING:
                        use(world, rows, run, rules, number, quantity)
                    elif stock.lead == NONE:
                        return STUCK
                    else:
                        wait_for(world, rows, run, rules, number, me, quantity)
                        waits = True
                    order(world, draws, run, number)
                if waits:
                    machine.state, machine.noted = STARVED, parts[machine.part].number
                    write(rows, run, run.now, STARVED, me, machine.noted, UNKNOWN, NOTHING)
                    machine.step = SETTLE if machine.calendar else NEEDS
                    machine.after_wait = NEEDS
                    break
                machine.need = 0
                step = CALL
            if step == CALL:
                step = PREPARE
                if machine.staffed:
                    machine.operator = send(world.teams, world.busy, rows, run, rules, machine.station)
                    if machine.operator == NONE:
                        world.staff_calls[run.staff_calls] = me
                        run.staff_calls += 1
                        machine.state, machine.noted = IDLE, parts[machine.part].number
                        write(rows, run, run.now, IDLE, me, machine.noted, UNKNOWN, NOTHING)
                        machine.step = SETTLE if machine.calendar else PREPARE
                        machine.after_wait = PREPARE
                        break
            if step == PREPARE:
                machine.look = 0
                step = PROCESS
                variant = parts[machine.part].variant
                if machine.sets_up and variant != machine.variant:
                    change = NONE if machine.variant == NONE else rules.setups[me, machine.variant, variant]
                    if change == NONE:
                        machine.variant = variant
                    elif spent(streams, change):
                        machine.step, run.dry = PREPARE, change
                        return DRY
                    else:
                        machine.minutes = draw(streams, draws, change)
                        machine.doing, machine.after_work = SETUP, CHANGED
                        step = WORK
            if step == PROCESS:
                variant = parts[machine.part].variant
                cycle = rules.cycles[me, variant]
                if spent(streams, cycle):
                    machine.step, run.dry = step, cycle
                    return DRY
                machine.minutes = cycle_minutes(world, run, rules, me, machine.part) + machine.extra
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
                if run.crew and (run.crew_free == 0 or not run.crew_on_shift):
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
                run.crew_free += 1
                answer_calls(calls, ready, run)
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
                enter(world, run, rules, place, slot)
                if not put(machines, buffers, parts, vacant, ready, rows, run, place, slot):
                    if rules.loses:
                        leave(parts, vacant, rows, run, LOSE, SOURCE, slot)
                    else:
                        wait_for_room(buffers, parts, place, slot, NONE, False)
                step = ARRIVE
            elif step == RELEASED:
                if run.orders_done == len(rules.order_min):
                    machine.step = NONE
                    break
                if run.parts_done == rules.order_parts[run.orders_done]:
                    run.orders_done += 1
                    run.parts_done = NONE
                    continue
                if run.parts_done == NONE:
                    run.parts_done = 0
                    machine.step = step
                    plan(agenda, ready, run, me, rules.order_min[run.orders_done] - run.now)
                    break
                run.dry = missing_for_a_part(streams, rules)
                if run.dry != NONE or run.vacant == 0 or run.rows > most:
                    machine.step = step
                    return DRY if run.dry != NONE else NO_SLOT if run.vacant == 0 else FULL
                slot = make(parts, vacant, streams, draws, rows, run, rules)
                place = rules.entries[parts[slot].variant]
                enter(world, run, rules, place, slot)
                if not put(machines, buffers, parts, vacant, ready, rows, run, place, slot):
                    wait_for_room(buffers, parts, place, slot, NONE, False)
                run.parts_done += 1
            elif step == CLOCK:
                if machine.look == world.spans.shape[1]:
                    break
                machine.step = CLOCK_ON
                plan(agenda, ready, run, me, world.spans[machine.inlet, machine.look, 0] - run.now)
                break
            elif step == CLOCK_ON:
                if machine.kind == CREW:
                    run.crew_on_shift = 1
                    answer_calls(calls, ready, run)
                else:
                    world.teams[machine.outlet].on_shift = 1
                    answer(world, rows, run, rules)
                machine.step = CLOCK_OFF
                until = world.spans[machine.inlet, machine.look, 1]
                if until < NEVER:
                    plan(agenda, ready, run, me, until - run.now)
                break
            elif step == CLOCK_OFF:
                if machine.kind == CREW:
                    run.crew_on_shift = 0
                else:
                    world.teams[machine.outlet].on_shift = 0
                machine.look += 1
                step = CLOCK
            elif step == BEGIN:
                needed = begin(world, rows, run, rules, machine, most)
                if needed != NONE:
                    machine.step = step
                    return needed
                machine.step = machine.after_work
                break
        run.current = NONE
