"""A predictor's scores on a fleet's history, life by life: what an AlertCurve is counted from."""

import numpy as np
import polars as pl

from twinloop.errors import InputError
from twinloop.prognostics.evaluation.alerts import Watched
from twinloop.simulation.fleet.history import FleetHistory

COLUMNS = {"asset", "time_min", "score"}


def watched_lives(history: FleetHistory, component: str, scores: pl.DataFrame) -> list[Watched]:
    """The lives of one component with the scores given in them, in minutes of driving from when watching began.

    scores: asset, time_min (from day 0 on) and score, a higher one meaning that failure is nearer. Lives without a
    score are left out. Raises InputError for other columns and for an unknown component or vehicle.
    """
    if not set(scores.columns) >= COLUMNS:
        raise InputError(f"scores: expected the columns {', '.join(sorted(COLUMNS))}; got {', '.join(scores.columns)}")
    place, record = history.fleet.component(component), history.record
    zero, lives = record.world.begin_min, []
    by_asset = scores.sort("time_min").partition_by("asset", as_dict=True)
    for (asset,), rows in by_asset.items():
        vehicle = history.fleet.vehicle(str(asset))
        _, odometer = record.driven(vehicle, rows["time_min"].to_numpy() + zero)
        _, watched_from = record.driven(vehicle, np.array([zero]))
        score = rows["score"].to_numpy().astype(np.float64)
        for service in record.services:
            if service.vehicle == vehicle and service.component == place:
                first = max(service.begin_odometer, float(watched_from[0]))
                inside = (odometer > first) & (odometer <= service.end_odometer)
                if inside.any():
                    failed = service.reason == "failure"
                    lives.append(Watched(odometer[inside] - first, score[inside], service.end_odometer - first, failed))
    return lives
