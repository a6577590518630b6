"""Labels that contradict each other or the telemetry: they are refused, or left out and counted."""

from collections import Counter

import polars as pl

from twinloop.contracts import Telemetry
from twinloop.errors import InputError
from twinloop.prognostics.data.record import EVENTS, FAILURE, MAINTENANCE
from twinloop.prognostics.data.screening import check_names
from twinloop.prognostics.data.settings import DataSettings


def consistent(events: pl.DataFrame, telemetry: Telemetry, settings: DataSettings) -> tuple[pl.DataFrame, Counter[str]]:
    """Events in order of asset and time without those that cannot be, and reason → count.

    Raises InputError for one that cannot be where `settings.contradictions` is refuse.
    """
    counts: Counter[str] = Counter()
    events = events.select(pl.col(name).cast(kind) for name, kind in EVENTS.items()).with_columns(
        pl.col("component", "detail").fill_null("")
    )
    check_names(events["component"].unique().replace("", None), "component")
    lost = pl.any_horizontal(pl.col("asset").is_null(), ~pl.col("time_min").is_finite().fill_null(value=False))
    counts["events without asset or time"] = events.select(lost.sum()).item()
    events = (
        events.filter(~lost).unique(maintain_order=True).sort("asset", "time_min", "kind", "component", nulls_last=True)
    )
    first = telemetry.frame.group_by("asset").agg(first=pl.col("time_min").first())
    events = events.join(first.with_columns(pl.col("asset").cast(pl.String)), on="asset", how="left")
    # Of the same asset and component: a visit for the brakes and one for the engine may be one stay.
    before = pl.col("end_min").cum_max().shift(1).over("asset", "component", "kind")
    faults = {
        "of an asset without telemetry": pl.col("first").is_null(),
        "before its asset's telemetry": pl.col("time_min") < pl.col("first"),
        "repaired before it failed": (pl.col("end_min") < pl.col("time_min")) & (pl.col("kind") == FAILURE),
        "over before it began": (pl.col("end_min") < pl.col("time_min")) & (pl.col("kind") != FAILURE),
        "overlapping the visit before": (pl.col("kind") == MAINTENANCE) & (pl.col("time_min") < before),
    }
    for words, fault in faults.items():
        wrong = events.filter(fault.fill_null(value=False))
        if wrong.is_empty():
            continue
        if settings.contradictions == "refuse":
            row = wrong.row(0, named=True)
            name = f"{row['kind']} of {row['component']}" if row["component"] else row["kind"]
            raise InputError(
                f"data: {row['asset']}: {name} at minute {row['time_min']:g} is {words} ({len(wrong)} such): repair "
                "the table, or set DataSettings.contradictions to drop"
            )
        counts[f"events {words}"] = len(wrong)
        events = events.filter(~fault.fill_null(value=False))
    return events.drop("first"), counts
