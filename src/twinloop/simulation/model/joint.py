"""Durations that belong together: a part has the same row of one table at several stations.

What is long at one station is long at the next. Drawn independently, the sums have the right mean and too short a tail.
The row is a function of the replication, the part and its visit alone (a counter-based generator; Salmon et al.,
Parallel random numbers: as easy as 1, 2, 3, 2011), so that the fifth visit of part 17 has the same row in every
scenario.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import settings
from twinloop.errors import nearest
from twinloop.replication.streams import Streams
from twinloop.simulation.model.names import Name
from twinloop.simulation.model.station import Station

WORD = 0xFFFFFFFF


@settings
class Joint:
    """Stations whose empirical cycles are the columns of one table: their values of one place are one row.

    A part takes a new row each time it comes to station `renewed_at`, and keeps it until then.
    resampled: every replication draws its rows from a bootstrap resample of the table, as so many rows do not say
    more (the intervals of a result then hold that too; they are narrower where the table is sorted by how long its
    rows are, as a part is then long in a resample where it is long in the table).
    """

    stations: Annotated[tuple[Name, ...], Field(min_length=1)]
    renewed_at: Name
    resampled: bool = False


def check_joint(joint: Joint | None, stations: Sequence[Station]) -> None:
    """Raises ValueError for stations that do not exist or whose cycles are no columns of one table."""
    if joint is None:
        return
    by_name = {station.name: station for station in stations}
    for name in (*joint.stations, joint.renewed_at):
        if name not in by_name:
            raise ValueError(f"joint: unknown station {name!r}; {nearest(name, by_name)}")
    lengths = {name: len(by_name[name].cycle.values or ()) for name in joint.stations}
    for name, length in lengths.items():
        station = by_name[name]
        if not length:
            raise ValueError(f"joint: station {name}: expected an empirical cycle, got {station.cycle.kind}")
        if station.cycles or station.batch_cycles:
            raise ValueError(f"joint: station {name}: a row has one duration: not with cycles or batch_cycles")
        first, most = next(iter(lengths.items()))
        if length != most:
            raise ValueError(f"joint: expected as many values everywhere, got {most} at {first}, {length} at {name}")


def drawn_table(
    joint: Joint, stations: Sequence[Station], streams: Streams, *, drawn: bool
) -> tuple[int, NDArray[np.float64]]:
    """The replication's key for `row_of`, and its table [rows, joint.stations] in minutes.

    drawn: whether a table that is resampled is drawn anew, or taken as it is.
    """
    cycles = {station.name: station.cycle.values or () for station in stations}
    table = np.array([cycles[name] for name in joint.stations], dtype=np.float64).T
    if joint.resampled and drawn:
        # In the table's order, so that a row is like the table's own in its place (common random numbers).
        table = table[np.sort(streams.generator("joint", "resample").integers(len(table), size=len(table)))]
    return int(streams.generator("joint", "row").integers(1 << 32)), table


def row_of(key: int, part: int, visit: int, count: int) -> int:
    """The row from 0 to `count` - 1 of a part's visit; `key` (32 bits) is the replication's.

    Mixes 32-bit words by two rounds of multiplication (the finaliser of MurmurHash3, Appleby). The compiled engine
    makes machine code of this very function.
    """
    word = key
    for more in (part & WORD, part >> 32, visit):
        word = (word ^ more) & WORD
        word = ((word ^ (word >> 16)) * 0x85EBCA6B) & WORD
        word = ((word ^ (word >> 13)) * 0xC2B2AE35) & WORD
        word = word ^ (word >> 16)
        word = (word + 0x9E3779B9) & WORD
    return (word * count) >> 32
