"""What is there at minute 0: people, stocks with their first deliveries, parts that wait, and a population."""

from twinloop.simulation.compiled.making import make, missing_for_a_part, spent
from twinloop.simulation.compiled.moves import put, write
from twinloop.simulation.compiled.records import DRY, FULL, NO_SLOT, NONE, Record, Records, Rules, World
from twinloop.simulation.compiled.stocks import book, order
from twinloop.simulation.compiled.visits import enter
from twinloop.simulation.events.log import IDLE, NO_PART, NOTHING, UNKNOWN
from twinloop.simulation.jit import machine_code


@machine_code
def begin(world: World, rows: Records, run: Record, rules: Rules, source: Record, most: int) -> int:
    """Go on until all is there; or what is needed first, -1 for nothing. source: counts who has begun."""
    while source.look < len(world.busy):
        write(rows, run, run.now, IDLE, rules.first_person + source.look, NO_PART, UNKNOWN, NOTHING)
        source.look += 1
    while source.need < len(world.stocks):
        stock = world.stocks[source.need]
        if stock.lead != NONE and spent(world.streams, stock.lead):
            run.dry = stock.lead
            return DRY
        write(rows, run, run.now, IDLE, rules.first_stock + source.need, NO_PART, UNKNOWN, NOTHING)
        if stock.level:
            book(rows, run, rules, source.need, stock.level)
        order(world, world.draws, run, source.need)
        source.need += 1
    while run.made < len(rules.initial) + rules.population:
        run.dry = missing_for_a_part(world.streams, rules)
        if run.dry != NONE:
            return DRY
        if run.vacant == 0:
            return NO_SLOT
        if run.rows > most:
            return FULL
        slot = make(world.parts, world.vacant, world.streams, world.draws, rows, run, rules)
        place = rules.entries[world.parts[slot].variant]
        if run.made <= len(rules.initial):
            world.parts[slot].step = rules.initial_steps[run.made - 1]
            place = rules.initial[run.made - 1]
        enter(world, run, rules, place, slot)
        put(world.machines, world.buffers, world.parts, world.vacant, world.ready, rows, run, place, slot)
    return NONE
