"""Lives of machines as a predictor of failures learns them: sensors by the hours worked, each life for itself.

A worn part knows no nights and no waits: time is the age of the life in minutes of work, and only what was sampled
while the machine worked is kept. A repair begins another part, so every life is an asset of its own.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from twinloop.contracts import Telemetry
from twinloop.prognostics.data.record import LIVES
from twinloop.simulation.degradation.history import WORKING, History
from twinloop.simulation.degradation.sensors import UNITS

COMPONENT = "wear part"
# The share of a sampling interval in which the machine worked, as its counter of operating hours tells.
LOAD = "load"
SENSORS = {name: UNITS[name] for name in ("temperature", "vibration", "power")} | {LOAD: "1"}


class Lived(NamedTuple):
    """One life as it was seen. rows: time_min (its age) and SENSORS; it ended at this age, failed or not yet."""

    asset: str
    rows: pl.DataFrame
    end_min: float
    failed: bool

    def until(self, age_min: float, *, asset: str) -> "Lived":
        """What was known of it at that age, under another name."""
        return Lived(asset, self.rows.filter(pl.col("time_min") <= age_min), age_min, failed=False)


def lived(history: History, shown: pl.DataFrame, *, sample_min: float, run: str) -> Iterator[Lived]:
    """The lives of a machine. shown: time_min and sensors of its telemetry, a row every `sample_min`."""
    time = shown["time_min"].to_numpy()
    if not history.lives or not len(time):
        return
    number, age = history.life_at(time), history.age(time)
    ends = history.minutes_in(WORKING, np.array([life.end_min for life in history.lives]))
    for index, (life, end) in enumerate(zip(history.lives, ends, strict=True)):
        inside = np.flatnonzero(number == index)
        worked = np.diff(age[inside], prepend=0.0)
        kept = worked > 0
        rows = shown[inside[kept]].with_columns(
            pl.Series("time_min", age[inside[kept]]), pl.Series(LOAD, worked[kept] / sample_min)
        )
        asset = f"{history.asset} {run}.{index}"
        yield Lived(asset, rows.select("time_min", *SENSORS), float(end) - life.worked_before, life.failed)


def telemetry_of(lives: Iterable[Lived]) -> Telemetry:
    """All rows as one record, an asset for each life."""
    return Telemetry.of((one.rows.with_columns(asset=pl.lit(one.asset)) for one in lives), units=SENSORS)


def lives_frame(lives: Iterable[Lived]) -> pl.DataFrame:
    """As `prognostics.data.record.LIVES` has them."""
    rows = [(one.asset, COMPONENT, 0.0, one.end_min, one.failed, "") for one in lives]
    return pl.DataFrame(rows, schema=LIVES, orient="row")
