"""A predictor's scores on a fleet's history, life by life: what an AlertCurve is counted from."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts.alert_rates import Watched
from twinloop.errors import InputError
from twinloop.simulation.fleet.history import FleetHistory
from twinloop.simulation.fleet.record import Service

COLUMNS = {"asset", "time_min", "score"}
Floats = NDArray[np.float64]
# Minutes of driving; an odometer at which a part began comes back from the clock with rounding.
STEP = 1e-3


class ScoredService(NamedTuple):
    """A part's time in a vehicle, the odometer from which it was watched, and its scores [n] at odometers [n]."""

    service: Service
    first: float
    odometer: Floats
    score: Floats


def watched_lives(history: FleetHistory, component: str, scores: pl.DataFrame) -> list[Watched]:
    """The lives of one component with the scores given in them, in minutes of driving from when watching began.

    scores: asset, time_min (from day 0 on) and score, a higher one meaning that failure is nearer. Lives without a
    score are left out. Raises InputError for other columns and for an unknown component or vehicle.
    """
    return [
        Watched(
            odometer - first,
            score,
            service.end_odometer - first,
            failed=service.reason == "failure",
            whole=first <= service.begin_odometer,
        )
        for service, first, odometer, score in scored_services(history, component, scores)
    ]


def scored_services(history: FleetHistory, component: str, scores: pl.DataFrame) -> Iterator[ScoredService]:
    """The parts of one component that have a score, vehicle by vehicle; arguments and errors as of `watched_lives`."""
    if not set(scores.columns) >= COLUMNS:
        raise InputError(f"scores: expected the columns {', '.join(sorted(COLUMNS))}; got {', '.join(scores.columns)}")
    place, record = history.fleet.component(component), history.record
    zero = record.world.begin_min
    services: dict[int, list[Service]] = {}
    for service in record.services:
        if service.component == place:
            services.setdefault(service.vehicle, []).append(service)
    by_asset = scores.sort("time_min").partition_by("asset", as_dict=True)
    for (asset,), rows in by_asset.items():
        vehicle = history.fleet.vehicle(str(asset))
        _, odometer = record.driven(vehicle, rows["time_min"].to_numpy() + zero)
        _, watched_from = record.driven(vehicle, np.array([zero]))
        score = rows["score"].to_numpy().astype(np.float64)
        for service in services.get(vehicle, []):
            first = max(service.begin_odometer, float(watched_from[0]))
            inside = (odometer > first + STEP) & (odometer <= service.end_odometer)
            if inside.any():
                yield ScoredService(service, first, odometer[inside], score[inside])
