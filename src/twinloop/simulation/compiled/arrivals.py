"""Parts that come to the line from outside, at random intervals or as orders release them: engine/source.py."""

from twinloop.simulation.compiled.making import draw, lacks, make, missing_for_a_part, spent
from twinloop.simulation.compiled.moves import leave, plan, put, wait_for_room
from twinloop.simulation.compiled.records import (
    ARRIVE,
    ARRIVED,
    FULL,
    NO_SLOT,
    NONE,
    RELEASED,
    TURN_OVER,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.compiled.visits import enter
from twinloop.simulation.events.log import LOSE, SOURCE
from twinloop.simulation.jit import machine_code


@machine_code
def await_arrival(world: World, rules: Rules, run: Record, source: Record, me: int) -> int:
    """The time to the next arrival."""
    if spent(world, rules.arrival):
        return lacks(run, source, ARRIVE, rules.arrival)
    source.step = ARRIVED
    plan(world, run, me, draw(world, rules.arrival))
    return TURN_OVER


@machine_code
def arrive(world: World, rules: Rules, rows: Records, run: Record, source: Record) -> int:
    """A part arrives; one that finds no room waits before the line, or is lost."""
    missing = missing_for_a_part(world, rules)
    if missing != NONE:
        return lacks(run, source, ARRIVED, missing)
    if run.vacant == 0:
        source.step = ARRIVED
        return NO_SLOT
    _bring(world, rules, rows, run, bool(rules.loses))
    return ARRIVE


@machine_code
def release(world: World, rules: Rules, rows: Records, run: Record, source: Record, me: int) -> int:
    """The next part of the order book, at its order's time."""
    source.step = RELEASED
    if run.orders_done == len(rules.order_min):
        source.step = NONE
        return TURN_OVER
    if run.parts_done == rules.order_parts[run.orders_done]:
        run.orders_done += 1
        run.parts_done = NONE
        return RELEASED
    if run.parts_done == NONE:
        run.parts_done = 0
        plan(world, run, me, rules.order_min[run.orders_done] - run.now)
        return TURN_OVER
    missing = missing_for_a_part(world, rules)
    if missing != NONE:
        return lacks(run, source, RELEASED, missing)
    if run.vacant == 0:
        return NO_SLOT
    if run.rows > len(rows) - run.most_rows:
        return FULL
    _bring(world, rules, rows, run, False)
    run.parts_done += 1
    return RELEASED


@machine_code
def _bring(world: World, rules: Rules, rows: Records, run: Record, loses: bool) -> None:
    slot = make(world, rows, run, rules)
    place = rules.entries[world.parts[slot].variant]
    enter(world, run, rules, place, slot)
    if not put(world, rows, run, place, slot):
        if loses:
            leave(world, rows, run, LOSE, SOURCE, slot)
        else:
            wait_for_room(world, place, slot, NONE, False)
