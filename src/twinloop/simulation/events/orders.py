"""When orders were finished and how late, from the event log alone.

Which order a part belongs to follows from its number: parts are numbered as they are released, order by order.
"""

from itertools import accumulate

import numpy as np
import polars as pl

from twinloop.errors import InputError
from twinloop.simulation.events.log import JOIN, LEAVING, SCRAP, SHIP, EventLog
from twinloop.simulation.model.source import Source


def book_end(log: EventLog, source: Source) -> float:
    """The minute at which the last ordered part left; the log's horizon while one is there, and without orders."""
    if not source.orders:
        return log.horizon
    left = np.isin(log.event, LEAVING)
    return float(log.time[left].max()) if left.sum() >= source.ordered else log.horizon


def orders_frame(log: EventLog, source: Source) -> pl.DataFrame:
    """One row per order, as released: how it went until the log's horizon.

    Columns order, variant, quantity, release_min, due_min, shipped, scrapped, joined (parts that left in each way;
    joined are built into others), completed_min (when its last part left; null while one is there), flow_min (from
    release to completion), tardiness_min (0 for an order in time; of one not completed what it is already; null
    without a due date). Raises InputError for a log with more parts than ordered.
    """
    orders = source.released
    ends = list(accumulate(order.quantity for order in orders))
    made = int(log.part.max(initial=-1)) + 1
    if made > sum(order.quantity for order in orders):
        raise InputError(
            f"orders: the log has {made} parts, the orders are of {ends[-1] if ends else 0}: give its source"
        )
    rows = np.isin(log.event, LEAVING)
    left = pl.DataFrame(
        {
            "number": np.searchsorted(ends, log.part[rows], side="right").astype(np.int64),
            "event": log.event[rows],
            "time": log.time[rows],
        }
    )
    counts = left.group_by("number").agg(
        shipped=(pl.col("event") == SHIP).sum(),
        scrapped=(pl.col("event") == SCRAP).sum(),
        joined=(pl.col("event") == JOIN).sum(),
        gone=pl.len(),
        last=pl.col("time").max(),
    )
    table = pl.DataFrame(
        {
            "number": range(len(orders)),
            "order": [order.name for order in orders],
            "variant": [order.variant for order in orders],
            "quantity": [order.quantity for order in orders],
            "release_min": [order.release_min for order in orders],
            "due_min": [order.due_min for order in orders],
        },
        schema_overrides={"number": pl.Int64, "due_min": pl.Float64},
    )
    completed = pl.when(pl.col("gone") == pl.col("quantity")).then(pl.col("last"))
    late = completed.fill_null(log.horizon) - pl.col("due_min")
    return table.join(counts, on="number", how="left", maintain_order="left").select(
        "order",
        "variant",
        "quantity",
        "release_min",
        "due_min",
        *(pl.col(name).fill_null(0).cast(pl.Int64) for name in ("shipped", "scrapped", "joined")),
        completed_min=completed,
        flow_min=completed - pl.col("release_min"),
        tardiness_min=late.clip(lower_bound=0.0),
    )
