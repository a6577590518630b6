"""Stocks of material, and the step of a machine that takes from them: engine/materials.py as machine code.

A delivery on its way is an entry of the agenda beyond all actors, by its slot in `timers`.
"""

import math

from twinloop.simulation.compiled.making import draw, lacks, spent
from twinloop.simulation.compiled.moves import plan, wake, write
from twinloop.simulation.compiled.records import (
    CALL,
    NEEDS,
    NO_TIMER,
    NONE,
    SETTLE,
    STUCK,
    TURN_OVER,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.engine.materials import ROUNDING
from twinloop.simulation.events.log import DELIVER, IDLE, NO_PART, NOTHING, STARVED, UNKNOWN
from twinloop.simulation.jit import machine_code


@machine_code
def orders_more(stock: Record, quantity: float) -> bool:
    """Whether a delivery is ordered when so much more is wanted."""
    return bool(stock.lead != NONE and stock.reorder_at - (stock.position - quantity) >= 0)


@machine_code
def order(world: World, run: Record, number: int) -> None:
    """Stock._order: as much as brings the position above the reorder point, if it is not above it."""
    stock = world.stocks[number]
    if not orders_more(stock, 0.0):
        return
    missing = stock.reorder_at - stock.position
    quantity = (math.floor(missing / stock.order_quantity) + 1) * stock.order_quantity
    stock.position += quantity
    slot = run.free_timer
    run.free_timer = world.timers[slot].next
    world.timers[slot].leaver, world.timers[slot].stock, world.timers[slot].quantity = NONE, number, quantity
    plan(world, run, len(world.machines) + slot, draw(world, stock.lead))


@machine_code
def book(rows: Records, run: Record, rules: Rules, number: int, quantity: float) -> None:
    """Stock._book: a change of the level."""
    write(rows, run, run.now, DELIVER, rules.first_stock + number, NO_PART, UNKNOWN, quantity)


@machine_code
def use(world: World, rows: Records, run: Record, rules: Rules, number: int, quantity: float) -> None:
    """Stock._use: a station takes so much."""
    world.stocks[number].level = max(world.stocks[number].level - quantity, 0.0)
    book(rows, run, rules, number, -quantity)


@machine_code
def wait_for(world: World, rows: Records, run: Record, rules: Rules, number: int, me: int, quantity: float) -> None:
    """The machine waits for material, behind those that wait already."""
    stock, machines = world.stocks[number], world.machines
    machines[me].wanted, machines[me].next = quantity, NONE
    if stock.first_waiting == NONE:
        write(rows, run, run.now, STARVED, rules.first_stock + number, NO_PART, UNKNOWN, NOTHING)
        stock.first_waiting = me
    else:
        machines[stock.last_waiting].next = me
    stock.last_waiting = me


@machine_code
def deliver(world: World, rows: Records, run: Record, rules: Rules, slot: int) -> None:
    """Stock._deliver: what was ordered is there, and those who waited take it."""
    delivery, machines = world.timers[slot], world.machines
    number, quantity = delivery.stock, delivery.quantity
    delivery.next, run.free_timer = run.free_timer, slot
    stock = world.stocks[number]
    stock.level += quantity
    book(rows, run, rules, number, quantity)
    starved = stock.first_waiting != NONE
    while stock.first_waiting != NONE and stock.level >= machines[stock.first_waiting].wanted - ROUNDING:
        me = stock.first_waiting
        stock.first_waiting = machines[me].next
        use(world, rows, run, rules, number, machines[me].wanted)
        wake(world.ready, run, me)
    if starved and stock.first_waiting == NONE:
        write(rows, run, run.now, IDLE, rules.first_stock + number, NO_PART, UNKNOWN, NOTHING)


@machine_code
def take_materials(world: World, rules: Rules, rows: Records, run: Record, machine: Record, me: int) -> int:
    """What the machine needs for its part, one material after the other; waits for what is not there."""
    while machine.need < rules.needed.shape[1] and rules.needed[me, machine.need] != NONE:
        number, quantity = rules.needed[me, machine.need], rules.per_part[me, machine.need]
        stock = world.stocks[number]
        if orders_more(stock, quantity):
            if spent(world, stock.lead):
                return lacks(run, machine, NEEDS, stock.lead)
            if run.free_timer == NONE:
                machine.step = NEEDS
                return NO_TIMER
        machine.need += 1
        stock.position -= quantity
        waits = stock.first_waiting != NONE or stock.level < quantity - ROUNDING
        if not waits:
            use(world, rows, run, rules, number, quantity)
        elif stock.lead == NONE:
            return STUCK
        else:
            wait_for(world, rows, run, rules, number, me, quantity)
        order(world, run, number)
        if waits:
            machine.state, machine.noted = STARVED, world.parts[machine.part].number
            write(rows, run, run.now, STARVED, me, machine.noted, UNKNOWN, NOTHING)
            machine.step = SETTLE if machine.calendar else NEEDS
            machine.after_wait = NEEDS
            return TURN_OVER
    machine.need = 0
    return CALL
