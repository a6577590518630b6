"""What is there at minute 0: people, stocks with their first deliveries, parts that wait, and a population."""

from twinloop.simulation.compiled.making import make, missing_for_a_part, spent
from twinloop.simulation.compiled.moves import put, write
from twinloop.simulation.compiled.records import (
    DRY,
    FULL,
    NO_SLOT,
    NONE,
    TURN_OVER,
    Record,
    Records,
    Rules,
    World,
)
from twinloop.simulation.compiled.stocks import book, order
from twinloop.simulation.compiled.visits import enter
from twinloop.simulation.events.log import IDLE, NO_PART, NOTHING, UNKNOWN
from twinloop.simulation.jit import machine_code


@machine_code
def begin(world: World, rules: Rules, rows: Records, run: Record, source: Record) -> int:
    """Go on until all is there. source: counts who has begun; its step after this one is its work."""
    while source.look < len(world.busy):
        write(rows, run, run.now, IDLE, rules.first_person + source.look, NO_PART, UNKNOWN, NOTHING)
        source.look += 1
    while source.need < len(world.stocks):
        stock = world.stocks[source.need]
        if stock.lead != NONE and spent(world, stock.lead):
            run.dry = stock.lead
            return DRY
        write(rows, run, run.now, IDLE, rules.first_stock + source.need, NO_PART, UNKNOWN, NOTHING)
        if stock.level:
            book(rows, run, rules, source.need, stock.level)
        order(world, run, source.need)
        source.need += 1
    while run.made < len(rules.initial) + rules.population:
        run.dry = missing_for_a_part(world, rules)
        if run.dry != NONE:
            return DRY
        if run.vacant == 0:
            return NO_SLOT
        if run.rows > len(rows) - run.most_rows:
            return FULL
        slot = make(world, rows, run, rules)
        place = rules.entries[world.parts[slot].variant]
        if run.made <= len(rules.initial):
            world.parts[slot].step = rules.initial_steps[run.made - 1]
            place = rules.initial[run.made - 1]
        enter(world, run, rules, place, slot)
        put(world, rows, run, place, slot)
    source.step = source.after_work
    return TURN_OVER
