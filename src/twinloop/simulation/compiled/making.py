"""What draws, and what makes parts of draws: engine/source.py as machine code."""

from twinloop.simulation.compiled.moves import write
from twinloop.simulation.compiled.records import DRY, NONE, Floats, Record, Records, Rules, World
from twinloop.simulation.events.log import ENTER, SOURCE
from twinloop.simulation.jit import machine_code

NEVER = float("inf")


@machine_code
def first_bad(draws: Floats, stream: int, count: int) -> int:
    """The place of the first number that is negative, infinite or NaN; `count` when all are durations."""
    bad = False
    for place in range(count):
        bad |= not 0 <= draws[stream, place] < NEVER
    if bad:  # looked for only where there is one, so that several numbers are judged at once
        for place in range(count):
            if not 0 <= draws[stream, place] < NEVER:
                return place
    return count


@machine_code
def spent(world: World, stream: int) -> bool:
    """Whether a stream, if there is one, holds no further number."""
    return stream != NONE and world.streams[stream].position >= world.streams[stream].end


@machine_code
def lacks(run: Record, machine: Record, step: int, stream: int) -> int:
    """The machine begins this step again when its stream has been drawn on."""
    machine.step, run.dry = step, stream
    return DRY


@machine_code
def draw(world: World, stream: int) -> float:
    """The next number of a stream."""
    position = world.streams[stream].position
    world.streams[stream].position = position + 1
    return float(world.draws[stream, position])


@machine_code
def missing_for_a_part(world: World, rules: Rules) -> int:
    """A stream that making a part would find empty, or -1."""
    if spent(world, rules.condition):
        return rules.condition
    if spent(world, rules.variant):
        return rules.variant
    if spent(world, rules.difficulty):
        return rules.difficulty
    return NONE


@machine_code
def make(world: World, rows: Records, run: Record, rules: Rules) -> int:
    """source.maker: the next part, in a free slot."""
    run.vacant -= 1
    slot = world.vacant[run.vacant]
    part = world.parts[slot]
    part.number = run.made
    part.condition = part.variant = part.step = part.visit = part.looks = part.reworks = part.rejected = 0
    if rules.condition != NONE:
        luck = draw(world, rules.condition)
        while luck >= rules.upper_share[part.condition]:
            part.condition += 1
    if rules.variant != NONE:
        part.variant = int(draw(world, rules.variant))
    if rules.difficulty != NONE:
        part.difficulty = draw(world, rules.difficulty)
    ordered = part.number - len(rules.initial)
    if 0 <= ordered < len(rules.order_priorities):
        part.priority = rules.order_priorities[ordered]
    else:
        part.priority = rules.priorities[part.variant]
    write(rows, run, run.now, ENTER, SOURCE, part.number, part.condition, float(part.variant))
    run.made += 1
    return int(slot)
