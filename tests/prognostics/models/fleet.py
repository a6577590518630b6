"""A small fleet that wears: brakes whose temperature tells, and bulbs that fail by chance."""

from typing import NamedTuple

import numpy as np
import polars as pl

from twinloop.contracts import Telemetry
from twinloop.learning.settings import FitSettings
from twinloop.prognostics.data.record import EVENTS, lives_of
from twinloop.prognostics.features.reference import Reference, fit_reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.stream import features
from twinloop.prognostics.models.settings import BoostSettings, ForestSettings, HazardSettings, NetworkSettings
from twinloop.prognostics.models.table import FeatureTable

DAY = 1440.0
UNITS = {"brake_temperature": "°C", "voltage": "V"}
FEATURES = FeatureSettings(window_min=DAY, spans=(2, 7), early=5)
HAZARD = HazardSettings(
    days=7,
    folds=3,
    survived_per_failure=10,
    least_failures=8,
    boost=BoostSettings(trees=40, depth=3, learning_rate=0.1, leaf=1.0, columns=0.5),
    forest=ForestSettings(trees=25, leaf=5, columns=0.4),
    network=NetworkSettings(length=6, width=8, levels=2, batch=64, fit=FitSettings(epochs=4, patience=4, keep="last")),
)


class Fleet(NamedTuple):
    """Telemetry, events, lives and features of one fleet."""

    telemetry: Telemetry
    events: pl.DataFrame
    lives: pl.DataFrame
    table: FeatureTable
    reference: Reference


def fleet(
    assets: int = 24, *, days: int = 90, seed: int = 0, bulbs: float = 0.002, reference: Reference | None = None
) -> Fleet:
    """Brakes fail at wear 1, are as new the day after, and warm up by 30 °C until then; bulbs do as they like.

    reference: of the fleet that a model was trained on; its own where there is none.
    """
    rng = np.random.default_rng(seed)
    rows, events = [], []
    for number in range(assets):
        asset, wear, rate = f"v{number:02d}", rng.uniform(0, 0.8), rng.uniform(0.015, 0.04)
        for day in range(days):
            wear += rate * rng.gamma(4, 1 / 4)
            if wear >= 1:
                events.append((asset, "brakes", "failure", (day + 0.5) * DAY, None, ""))
                wear = 0.0
            if rng.random() < bulbs:
                events.append((asset, "bulbs", "failure", (day + 0.7) * DAY, None, ""))
            for hour in (6, 12, 18):
                heat = 80 + 30 * wear**2 + rng.normal(0, 1.5)
                rows.append((asset, day * DAY + hour * 60, heat, 12 + rng.normal(0, 0.1)))
    frame = pl.DataFrame(rows, schema=["asset", "time_min", *UNITS], orient="row")
    telemetry = Telemetry.of([frame], units=UNITS)
    happened = pl.DataFrame(events, schema=EVENTS, orient="row")
    reference = reference or fit_reference(telemetry, FEATURES, seed=0)
    table = FeatureTable.of(features(telemetry, reference, FEATURES, events=happened))
    return Fleet(telemetry, happened, lives_of(telemetry, happened, ["brakes", "bulbs"]), table, reference)
