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
PLAIN, INSPECTOR, REPAIRER = range(3)
SERIAL, ROUTES, BRANCHES = range(3)

# What a machine does when it is its turn; the kernel goes through them in this order.
STEPS = range(17)
(
    ENDED,
    WORKED,
    PASS_ON,
    FETCH,
    PREPARE,
    PROCESS,
    WORK,
    GO_ON,
    CHANGED,
    BROKEN,
    MEND,
    MENDING,
    MENDED,
    REPAIRED,
    SETTLE,
    SETTLED,
    ARRIVE,
) = STEPS
ARRIVED = len(STEPS)

# Why the kernel returns: the end, a stream or the numbers by part to be drawn on, the log to be read, room for parts.
DONE, DRY, UNKNOWN_LUCK, FULL, NO_SLOT = range(5)

# planned, ready, calls: entries on the agenda, in the line of those ready, among those who wait for the crew. order,
# called: how many there have been. finishing: the machine that is settled after the horizon. rows: written to the log
# and not yet read. left: parts that have left. dry: the stream or row of luck that is needed.
RUN = np.dtype(
    [
        ("now", np.float64),
        ("horizon", np.float64),
        ("order", np.int64),
        ("planned", np.int64),
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
    ],
    align=True,
)
# extra: minutes that every cycle takes longer. cycle, failure, repair, setup: streams. minutes: of the work still to
# do; doing: its state. left: minutes to the next failure. watched_to, repaired_at: as in engine/machines.py.
# noted: the part's number in the last row. next: the machine that waits behind for a part.
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
        ("cycle", np.int64),
        ("failure", np.int64),
        ("repair", np.int64),
        ("setup", np.int64),
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
        ("condition", np.int64),
        ("step", np.int64),
        ("looks", np.int64),
        ("reworks", np.int64),
        ("rejected", np.int64),
    ],
    align=True,
)
STREAM = np.dtype([("position", np.int64), ("end", np.int64)], align=True)


class Rules(NamedTuple):
    """What never changes during a run, beyond the machines and buffers.

    factors: [V] on cycle times. upper_share, accept_z, reject_z, success: [C] by class. routes: [V, steps] outlets.
    limits, outlets: [stations, branches] of the branching. branch: [stations] streams. entries: [V] inlets.
    arrival, variant, condition, difficulty: the streams of these, -1 where nothing is drawn.
    """

    factors: Floats
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


class World(NamedTuple):
    """Everything the kernel reads and writes.

    draws: [streams, width] durations and luck still to be used. luck: [rows, parts] numbers by part, first those of
    each rework visit, then those of each look; known[row] of them are drawn. vacant: slots of parts that are free.
    ready: machines whose turn it is now.
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
