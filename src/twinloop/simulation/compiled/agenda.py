"""The agenda of coming events: a binary heap of (time, order, who), of which the earliest comes first.

Order counts what was put on the agenda, so that events of the same time happen as SimPy lets them happen.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.simulation.jit import machine_code

ENTRY = np.dtype([("time", np.float64), ("order", np.int64), ("who", np.int64)], align=True)
Records = NDArray[Any]


@machine_code
def push(heap: Records, size: int, time: float, order: int, who: int) -> None:
    """Add an entry to a heap of `size` entries; its order must be above those of all others."""
    place = size
    while place > 0:
        above = (place - 1) >> 1
        if heap[above].time <= time:
            break
        heap[place].time, heap[place].order, heap[place].who = heap[above].time, heap[above].order, heap[above].who
        place = above
    heap[place].time, heap[place].order, heap[place].who = time, order, who


@machine_code
def drop_first(heap: Records, size: int) -> None:
    """Remove the earliest entry, heap[0], from a heap of `size` entries."""
    last = size - 1
    replace_first(heap, last, heap[last].time, heap[last].order, heap[last].who)


@machine_code
def replace_first(heap: Records, size: int, time: float, order: int, who: int) -> None:
    """Put an entry in the place of the earliest one, heap[0], of a heap of `size` entries."""
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        right = below + 1
        if right < size:
            # Added and not branched on: which one is earlier cannot be foreseen.
            below += earlier(heap[right].time, heap[right].order, heap[below].time, heap[below].order)
        if earlier(time, order, heap[below].time, heap[below].order):
            break
        heap[place].time, heap[place].order, heap[place].who = heap[below].time, heap[below].order, heap[below].who
        place = below
    heap[place].time, heap[place].order, heap[place].who = time, order, who


@machine_code
def earlier(time: float, order: int, other_time: float, other_order: int) -> int:
    """1 where an entry comes before another, else 0."""
    return int((time < other_time) | ((time == other_time) & (order < other_order)))
