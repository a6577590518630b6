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
    time, order, who = heap[last].time, heap[last].order, heap[last].who
    place = 0
    while True:
        below = 2 * place + 1
        if below >= last:
            break
        right = below + 1
        if right < last and (
            heap[right].time < heap[below].time
            or (heap[right].time == heap[below].time and heap[right].order < heap[below].order)
        ):
            below = right
        if time < heap[below].time or (time == heap[below].time and order < heap[below].order):
            break
        heap[place].time, heap[place].order, heap[place].who = heap[below].time, heap[below].order, heap[below].who
        place = below
    heap[place].time, heap[place].order, heap[place].who = time, order, who
