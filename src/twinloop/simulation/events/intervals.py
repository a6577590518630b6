"""From an event log to what can be drawn: how long each machine stayed in which state, and how many parts waited where.

Everything is taken from the log's rows, so a real plant's log in the same schema gives the same pictures.
`events` is always the log as a frame (`EventLog.frame`, or its Parquet file).
"""

import polars as pl

from twinloop.simulation.events.log import STATES


def state_intervals(events: pl.DataFrame, *, horizon: float) -> pl.DataFrame:
    """One row per stay of a machine in a state, sorted by name and time.

    Columns entity, state, start_min, end_min, parts (how many it dealt with), first_part, last_part (null without).
    Parts that follow each other without a wait are one stay. `horizon`: the log's end in minutes.
    """
    rows = (
        events.with_columns(pl.col("event", "entity").cast(pl.String))
        .filter(pl.col("event").is_in(STATES), pl.col("time_min") < horizon)
        .sort("time_min", maintain_order=True)
        .with_columns(end_min=pl.col("time_min").shift(-1).over("entity").fill_null(horizon))
        .filter(pl.col("end_min") > pl.col("time_min"))
        .with_columns(stay=(pl.col("event") != pl.col("event").shift(1)).fill_null(value=True).cum_sum().over("entity"))
    )
    return (
        rows.group_by("entity", "stay", maintain_order=True)
        .agg(
            state=pl.col("event").first(),
            start_min=pl.col("time_min").first(),
            end_min=pl.col("end_min").last(),
            parts=pl.col("part").drop_nulls().n_unique(),
            first_part=pl.col("part").drop_nulls().first(),
            last_part=pl.col("part").drop_nulls().last(),
        )
        .sort("entity", "start_min", maintain_order=True)
        .drop("stay")
    )


def waits(events: pl.DataFrame) -> pl.DataFrame:
    """One row per part that came to rest in front of a station: entity (its first machine), part, start_min, end_min.

    A wait ends with the part's next row; `end_min` is null for a part that still waits when the log ends.
    """
    return (
        events.filter(pl.col("part").is_not_null())
        .with_columns(pl.col("event", "entity").cast(pl.String))
        .sort("time_min", maintain_order=True)
        .with_columns(end_min=pl.col("time_min").shift(-1).over("part"))
        .filter(pl.col("event") == "queue")
        .select("entity", "part", start_min="time_min", end_min="end_min")
    )


def queue_levels(events: pl.DataFrame) -> pl.DataFrame:
    """How many parts wait in front of each station, after every change: entity, time_min, level; 0 before the first."""
    stays = waits(events).filter(pl.col("end_min").is_null() | (pl.col("end_min") > pl.col("start_min")))
    steps = pl.concat(
        [
            # A place that is left and taken at the same moment is left first: levels stay within the capacity.
            stays.filter(pl.col("end_min").is_not_null()).select("entity", time_min="end_min", step=pl.lit(-1)),
            stays.select("entity", time_min="start_min", step=pl.lit(1)),
        ]
    ).sort("time_min", maintain_order=True)
    return (
        steps.with_columns(level=pl.col("step").cum_sum().over("entity"))
        .group_by("entity", "time_min", maintain_order=True)
        .agg(pl.col("level").last())
        .sort("entity", "time_min", maintain_order=True)
    )
