"""What draws, and what makes parts of draws: engine/source.py as machine code."""

from twinloop.simulation.compiled.moves import write
from twinloop.simulation.compiled.records import NONE, Floats, Ints, Record, Records, Rules
from twinloop.simulation.events.log import ENTER, SOURCE
from twinloop.simulation.jit import machine_code

NEVER = float("inf")


@machine_code
def first_bad(draws: Floats, stream: int, count: int) -> int:
    """The place of the first number that is negative, infinite or NaN; `count` when all are durations."""
    for place in range(count):
        if not 0 <= draws[stream, place] < NEVER:
            return place
    return count


@machine_code
def spent(streams: Records, stream: int) -> bool:
    """Whether a stream, if there is one, holds no further number."""
    return stream != NONE and streams[stream].position >= streams[stream].end


@machine_code
def draw(streams: Records, draws: Floats, stream: int) -> float:
    """The next number of a stream."""
    position = streams[stream].position
    streams[stream].position = position + 1
    return float(draws[stream, position])


@machine_code
def missing_for_a_part(streams: Records, rules: Rules) -> int:
    """A stream that making a part would find empty, or -1."""
    if spent(streams, rules.condition):
        return rules.condition
    if spent(streams, rules.variant):
        return rules.variant
    if spent(streams, rules.difficulty):
        return rules.difficulty
    return NONE


@machine_code
def make(
    parts: Records, vacant: Ints, streams: Records, draws: Floats, rows: Records, run: Record, rules: Rules
) -> int:
    """source.maker: the next part, in a free slot."""
    run.vacant -= 1
    slot = vacant[run.vacant]
    part = parts[slot]
    part.number = run.made
    part.condition = part.variant = part.step = part.visit = part.looks = part.reworks = part.rejected = 0
    if rules.condition != NONE:
        luck = draw(streams, draws, rules.condition)
        while luck >= rules.upper_share[part.condition]:
            part.condition += 1
    if rules.variant != NONE:
        part.variant = int(draw(streams, draws, rules.variant))
    if rules.difficulty != NONE:
        part.difficulty = draw(streams, draws, rules.difficulty)
    ordered = part.number - len(rules.initial)
    if 0 <= ordered < len(rules.order_priorities):
        part.priority = rules.order_priorities[ordered]
    else:
        part.priority = rules.priorities[part.variant]
    write(rows, run, run.now, ENTER, SOURCE, part.number, part.condition, float(part.variant))
    run.made += 1
    return int(slot)
