"""The whole state of a running line in arrays of records, so that machine code can stop anywhere and go on later.

World is what the kernel works on. Machine 0 is the source. Parts lie in slots that are used again; waiting lines are
linked through the records themselves. -1 is "none" throughout.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Records = NDArray[Any]
Record = Any
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE = -1
UNLIMITED = 2**62
PLAIN, INSPECTOR, REPAIRER, DELAY, LEAVER, TEAM, CREW = range(7)
SERIAL, ROUTES, BRANCHES = range(3)

# What a machine does when it is its turn; the kernel goes through them in this order.
STEPS = range(25)
(
    ENDED,
    WORKED,
    RELEASE,
    PASS_ON,
    FETCH,
    NEEDS,
    CALL,
    PREPARE,
    PROCESS,
    WORK,
    CHANGED,
    BROKEN,
    MEND,
    MENDING,
    MENDED,
    REPAIRED,
    SETTLE,
    SETTLED,
    BEGIN,
    CLOCK,
    CLOCK_ON,
    CLOCK_OFF,
    ARRIVE,
    ARRIVED,
    RELEASED,
) = STEPS
# What a step gives in place of the next one: the machine's turn is over. Or why the kernel returns: the end; a stream
# or the numbers by part to be drawn on, the log to be read, room for parts, room for timers; or that the run cannot go
# on, of which the SimPy engine says why.
TURN_OVER, DONE, DRY, UNKNOWN_LUCK, FULL, NO_SLOT, NO_TIMER, STUCK = range(len(STEPS), len(STEPS) + 8)

# planned, ready, calls: entries on the agenda, in the line of those ready, among those who wait for the crew. taken:
# whether the agenda's first entry is the one whose turn it is: most turns plan another, which takes its place. order,
# called: how many there have been. finishing: the machine that is settled after the horizon. rows: written to the log
# and not yet read. left: parts that have left or ended a span. dry: the stream or row of luck that is needed. row_key:
# the replication's key to the rows of the joint table.
RUN = np.dtype(
    [
        ("now", np.float64),
        ("horizon", np.float64),
        ("order", np.int64),
        ("planned", np.int64),
        ("taken", np.int64),
        ("ready_first", np.int64),
        ("ready", np.int64),
        ("current", np.int64),
        ("finishing", np.int64),
        ("made", np.int64),
        ("vacant", np.int64),
        ("rows", np.int64),
        ("left", np.int64),
        ("dry", np.int64),
        ("crew", np.int64),
        ("crew_free", np.int64),
        ("calls", np.int64),
        ("called", np.int64),
        ("crew_on_shift", np.int64),
        ("staff_calls", np.int64),
        ("free_timer", np.int64),
        ("orders_done", np.int64),
        ("parts_done", np.int64),
        ("most_rows", np.int64),
        ("row_key", np.int64),
    ],
    align=True,
)
# extra: minutes that every cycle takes longer. cycle, failure, repair, setup: streams. minutes: of the work still to
# do; doing: its state. left: minutes to the next failure. watched_to, repaired_at: as in engine/machines.py.
# noted: the part's number in the last row. next: the machine that waits behind for a part. leaver: of a delay, who
# passes its parts on.
MACHINE = np.dtype(
    [
        # what it is
        ("priority", np.float64),
        ("extra", np.float64),
        ("kind", np.int64),
        ("calendar", np.int64),
        ("station", np.int64),
        ("inlet", np.int64),
        ("outlet", np.int64),
        ("failure", np.int64),
        ("repair", np.int64),
        ("speed", np.float64),
        ("sets_up", np.int64),
        ("staffed", np.int64),
        ("leaver", np.int64),
        # where it stands
        ("minutes", np.float64),
        ("left", np.float64),
        ("watched_to", np.float64),
        ("repaired_at", np.float64),
        ("step", np.int64),
        ("after_work", np.int64),
        ("after_repair", np.int64),
        ("after_wait", np.int64),
        ("state", np.int64),
        ("doing", np.int64),
        ("noted", np.int64),
        ("part", np.int64),
        ("variant", np.int64),
        ("look", np.int64),
        ("waits_for", np.int64),
        ("next", np.int64),
        ("need", np.int64),
        ("wanted", np.float64),
        ("operator", np.int64),
    ],
    align=True,
)
# first, last: parts at rest, linked by `next`; giver: parts that wait for room; taker: machines that wait for a part.
BUFFER = np.dtype(
    [
        ("capacity", np.int64),
        ("entity", np.int64),
        ("ships", np.int64),
        ("saturated", np.int64),
        ("count", np.int64),
        ("first", np.int64),
        ("last", np.int64),
        ("first_giver", np.int64),
        ("last_giver", np.int64),
        ("first_taker", np.int64),
        ("last_taker", np.int64),
    ],
    align=True,
)
PART = np.dtype(
    [
        ("difficulty", np.float64),
        ("number", np.int64),
        ("next", np.int64),
        ("giver", np.int64),
        ("variant", np.int64),
        ("priority", np.int64),
        ("condition", np.int64),
        ("step", np.int64),
        ("visit", np.int64),
        ("looks", np.int64),
        ("reworks", np.int64),
        ("rejected", np.int64),
    ],
    align=True,
)
# first: the number of the first of them, from 0. free: how many are not busy, so that nobody looks for one in vain.
TEAM_RECORD = np.dtype([(name, np.int64) for name in ("on_shift", "first", "count", "free")], align=True)
# lead: stream. waiting: machines that wait, linked by `next`.
STOCK = np.dtype(
    [
        ("level", np.float64),
        ("position", np.float64),
        ("reorder_at", np.float64),
        ("order_quantity", np.float64),
        ("lead", np.int64),
        ("first_waiting", np.int64),
        ("last_waiting", np.int64),
    ],
    align=True,
)
# What comes beyond the actors: a delivery of so much to a stock, or, with a leaver, the end of a part's delay.
TIMER = np.dtype(
    [
        ("quantity", np.float64),
        ("stock", np.int64),
        ("leaver", np.int64),
        ("part", np.int64),
        ("next", np.int64),
    ],
    align=True,
)
STREAM = np.dtype([("position", np.int64), ("end", np.int64)], align=True)


class Rules(NamedTuple):
    """What never changes during a run, beyond the machines and buffers.

    factors, cycles: [machines, V] on cycle times, and their streams. setups: [machines, V, V] streams of changes, -1
    for none. priorities: [V]. order_priorities: of ordered parts by number. order_min, order_parts: [orders].
    initial, initial_steps: [parts] stations, and steps of their routes. population: parts that are there besides, each
    where its variant enters. skills: [teams, stations]. needed, per_part:
    [machines, materials] stocks, -1 behind the last, and what a part takes. first_person, first_stock: entities.
    machines: how many there are. upper_share, accept_z, reject_z, success: [C] by class. routes: [V, steps] outlets.
    limits, outlets: [stations, branches] of the branching. branch: [stations] streams. entries: [V] inlets.
    arrival, variant, condition, difficulty: the streams of these, -1 where nothing is drawn.
    span_starts, span_ends, span_variants: [spans] the inlet and the station, the variant or -1. first_span: entity.
    renewed_at: the inlet at which a part takes a new row of the joint table, -1 without one. columns: [stations] of it.
    """

    factors: Floats
    cycles: Ints
    setups: Ints
    priorities: Ints
    order_priorities: Ints
    order_min: Floats
    order_parts: Ints
    initial: Ints
    initial_steps: Ints
    population: int
    loses: int
    skills: Ints
    needed: Ints
    per_part: Floats
    first_person: int
    first_stock: int
    machines: int
    upper_share: Floats
    accept_z: Floats
    reject_z: Floats
    success: Floats
    part_weight: float
    look_weight: float
    max_looks: int
    undecided_rejects: int
    rework_queue: int
    rework_times: int
    rework_waits: int
    routing: int
    routes: Ints
    limits: Floats
    outlets: Ints
    branch: Ints
    entries: Ints
    arrival: int
    variant: int
    condition: int
    difficulty: int
    span_starts: Ints
    span_ends: Ints
    span_variants: Ints
    first_span: int
    renewed_at: int
    columns: Ints


class World(NamedTuple):
    """Everything the kernel reads and writes.

    draws: [streams, width] durations and luck still to be used. luck: [rows, parts] numbers by part, first those of
    each rework visit, then those of each look; known[row] of them are drawn. vacant: slots of parts that are free.
    ready: actors whose turn it is now. machines: the source, the machines of the line, the clocks of shifts, then the
    leavers of delays. begun: [slots, spans] when a part began a span, NaN outside. table: [rows, columns] minutes.
    spans: [clocks, shifts, 2] from when to when somebody is there. busy: [people]. staff_calls: machines that wait for
    somebody.
    """

    run: Records
    machines: Records
    buffers: Records
    parts: Records
    vacant: Ints
    agenda: Records
    calls: Records
    ready: Ints
    streams: Records
    draws: Floats
    luck: Floats
    known: Ints
    spans: Floats
    teams: Records
    busy: Ints
    staff_calls: Ints
    stocks: Records
    timers: Records
    begun: Floats
    table: Floats
