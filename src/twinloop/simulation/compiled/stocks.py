"""Stocks of material: engine/materials.py as machine code.

A delivery on its way is an entry of the agenda beyond all actors, by its slot in `timers`.
"""

import math

from twinloop.simulation.compiled.making import draw
from twinloop.simulation.compiled.moves import plan, wake, write
from twinloop.simulation.compiled.records import NONE, Floats, Record, Records, Rules, World
from twinloop.simulation.engine.materials import ROUNDING
from twinloop.simulation.events.log import DELIVER, IDLE, NO_PART, NOTHING, STARVED, UNKNOWN
from twinloop.simulation.jit import machine_code


@machine_code
def orders_more(stock: Record, quantity: float) -> bool:
    """Whether a delivery is ordered when so much more is wanted."""
    return bool(stock.lead != NONE and stock.reorder_at - (stock.position - quantity) >= 0)


@machine_code
def order(world: World, draws: Floats, run: Record, number: int) -> None:
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
    plan(world.agenda, world.ready, run, len(world.machines) + slot, draw(world.streams, draws, stock.lead))


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
