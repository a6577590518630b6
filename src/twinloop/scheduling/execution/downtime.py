"""When machines were down in one execution, and that execution as a plan: what a Gantt chart of it shows."""

import math
from collections.abc import Sequence

import polars as pl

from twinloop.contracts import Assignment, Plan
from twinloop.replication.streams import Streams
from twinloop.scheduling.execution.disruptions import Disruptions, Luck

DOWNTIME = {"machine": pl.String, "start": pl.Float64, "end": pl.Float64}


def downtime_frame(
    machines: Sequence[str], disruptions: Disruptions, *, seed: int, replication: int, until: float
) -> pl.DataFrame:
    """Breakdowns of one replication that begin before minute `until`, whatever a machine then did: `DOWNTIME`."""
    luck = Luck(disruptions, Streams(seed, replication))
    rows = []
    for machine in machines:
        for fails, up in luck.breakdowns(machine):
            if fails >= until:
                break
            rows.append((machine, fails, up))
    return pl.DataFrame(rows, schema=DOWNTIME, orient="row")


def realised_plan(executed: pl.DataFrame) -> Plan:
    """An execution (`execution.EXECUTED`) as a plan in whole minutes, all times rounded up; so nothing overlaps."""
    return Plan.of(
        Assignment(row["job"], row["operation"], row["machine"], math.ceil(row["start"]), math.ceil(row["end"]))
        for row in executed.iter_rows(named=True)
    )
