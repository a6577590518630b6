"""What moves parts and wakes machines: engine/entities.py and the scheduling of SimPy as machine code."""

from twinloop.simulation.compiled.agenda import push, replace_first
from twinloop.simulation.compiled.records import NONE, Ints, Record, Records, World
from twinloop.simulation.events.log import LOSE, NOTHING, QUEUE, SHIP, UNKNOWN
from twinloop.simulation.jit import machine_code


@machine_code
def write(
    rows: Records, run: Record, time: float, event: int, entity: int, part: int, condition: int, value: float
) -> None:
    """EventLog.record: the next row of the log."""
    row = rows[run.rows]
    row.time, row.event, row.entity, row.part, row.condition, row.value = time, event, entity, part, condition, value
    run.rows += 1


@machine_code
def wake(ready: Ints, run: Record, who: int) -> None:
    """Event.succeed: a machine's turn comes at this moment, after all whose turn has come already."""
    place = run.ready_first + run.ready
    if place >= len(ready):
        place -= len(ready)
    ready[place] = who
    run.ready += 1


@machine_code
def plan(world: World, run: Record, who: int, delay: float) -> None:
    """Environment.timeout: a machine's turn comes after `delay` minutes."""
    time = run.now + delay
    if time <= run.now:
        wake(world.ready, run, who)
        return
    if run.taken:
        replace_first(world.agenda, run.planned, time, run.order, who)
        run.taken = 0
    else:
        push(world.agenda, run.planned, time, run.order, who)
        run.planned += 1
    run.order += 1


@machine_code
def queued(parts: Records, first: int, last: int, slot: int) -> tuple[int, int]:
    """First and last of a line of parts when one has joined it, behind all that come before it by priority."""
    parts[slot].next = NONE
    if first == NONE:
        return slot, slot
    if parts[last].priority <= parts[slot].priority:
        parts[last].next = slot
        return first, slot
    if parts[first].priority > parts[slot].priority:
        parts[slot].next = first
        return slot, last
    before = first
    while parts[parts[before].next].priority <= parts[slot].priority:
        before = parts[before].next
    parts[slot].next = parts[before].next
    parts[before].next = slot
    return first, last


@machine_code
def rest(world: World, rows: Records, run: Record, place: int, slot: int) -> None:
    """A part comes to rest in a buffer."""
    buffer = world.buffers[place]
    buffer.first, buffer.last = queued(world.parts, buffer.first, buffer.last, slot)
    buffer.count += 1
    write(rows, run, run.now, QUEUE, buffer.entity, world.parts[slot].number, UNKNOWN, NOTHING)


@machine_code
def put(world: World, rows: Records, run: Record, place: int, slot: int) -> bool:
    """Buffer.put and Shipping.put: hand the part to who waits for it, let it rest, ship it, or say that it cannot."""
    buffer = world.buffers[place]
    taker = buffer.first_taker
    if taker != NONE:
        buffer.first_taker = world.machines[taker].next
        world.machines[taker].part = slot
        wake(world.ready, run, taker)
        return True
    if buffer.ships:
        leave(world, rows, run, SHIP, buffer.entity, slot)
        return True
    if buffer.count < buffer.capacity:
        rest(world, rows, run, place, slot)
        return True
    return False


@machine_code
def leave(world: World, rows: Records, run: Record, event: int, entity: int, slot: int) -> None:
    """A part leaves the line, shipped or scrapped, and its slot is free."""
    part = world.parts[slot]
    write(rows, run, run.now, event, entity, part.number, part.condition, NOTHING)
    world.vacant[run.vacant] = slot
    run.vacant += 1
    run.left += event != LOSE


@machine_code
def wait_for_room(world: World, place: int, slot: int, giver: int, first: bool) -> None:
    """Buffer.room: the part waits until it is taken in, before all others if it is `first`."""
    buffer, parts = world.buffers[place], world.parts
    parts[slot].giver = giver
    if first:
        parts[slot].next = buffer.first_giver
        if buffer.first_giver == NONE:
            buffer.last_giver = slot
        buffer.first_giver = slot
        return
    buffer.first_giver, buffer.last_giver = queued(parts, buffer.first_giver, buffer.last_giver, slot)


@machine_code
def relieve(world: World, run: Record, place: int) -> int:
    """The part that has waited longest for room, or -1; the machine that held it goes on."""
    slot = world.buffers[place].first_giver
    if slot != NONE:
        part = world.parts[slot]
        world.buffers[place].first_giver = part.next
        if part.giver != NONE:
            wake(world.ready, run, part.giver)
    return int(slot)


@machine_code
def take(world: World, rows: Records, run: Record, place: int) -> int:
    """Buffer.take: the oldest part, or -1."""
    buffer = world.buffers[place]
    if buffer.count == 0:
        return relieve(world, run, place)
    slot = buffer.first
    buffer.first = world.parts[slot].next
    if buffer.first == NONE:
        buffer.last = NONE
    buffer.count -= 1
    waiting = relieve(world, run, place)
    if waiting != NONE:
        rest(world, rows, run, place, waiting)
    return int(slot)
