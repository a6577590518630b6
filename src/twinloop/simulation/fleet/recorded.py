"""A simulated history as the record of a source, so that what is learnt from the one is learnt from the other."""

import polars as pl

from twinloop.prognostics.data.record import EVENTS, FAILURE, LIVES, MAINTENANCE, Record
from twinloop.simulation.fleet.history import FleetHistory

LAYOUT = "simulated"


def recorded(history: FleetHistory) -> Record:
    """Telemetry, events and lives as the fleet's owner knows them; the truth behind (wear, modes to come) stays apart.

    Every renewal is an event of its component: a failure where it failed on the road, else maintenance.
    """
    failed = pl.col("reason") == FAILURE
    done = history.workshop.explode("components").select(
        "asset", component="components", time_min="off_min", end_min="done_min"
    )
    events = (
        history.maintenance.with_columns(kind=pl.when(failed).then(pl.lit(FAILURE)).otherwise(pl.lit(MAINTENANCE)))
        .join(done, on=["asset", "component", "time_min"], how="left", maintain_order="left")
        .with_columns(detail=pl.coalesce("mode", "reason"))
    )
    lives = history.lives.with_columns(failed=failed, split=pl.lit(""))
    return Record(
        telemetry=history.telemetry,
        layout=LAYOUT,
        events=events.select(pl.col(name).cast(kind) for name, kind in EVENTS.items()),
        lives=lives.select(pl.col(name).cast(kind) for name, kind in LIVES.items()),
        facts=history.vehicles,
        notes=(history.scenario.name,),
    )
