"""Sensor rows of simulated and real plants in one schema, so that what is trained on the one runs on the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twinloop.contracts import versioned
from twinloop.errors import InputError

KIND, VERSION = "telemetry", 1
SCHEMA = {"time_min": pl.Float64, "asset": pl.String, "sensor": pl.String, "value": pl.Float64, "unit": pl.String}
KEY = ("asset", "sensor", "time_min")


@dataclass(frozen=True, eq=False)
class Telemetry:
    """Rows time_min, asset, sensor, value, unit, ordered by asset, sensor and time; a value that is missing is null.

    Raises InputError for other columns, a time that is not a number, another order, two rows of one time, and a sensor
    of an asset with two units.
    """

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        if dict(self.frame.schema) != SCHEMA:
            found = ", ".join(f"{name} {kind}" for name, kind in self.frame.schema.items())
            wanted = ", ".join(f"{name} {kind}" for name, kind in SCHEMA.items())
            raise InputError(f"{KIND}: expected the columns {wanted}; got {found}")
        for name in ("time_min", "asset", "sensor", "unit"):
            lost = self.frame[name].null_count()
            lost += int((~self.frame[name].is_finite()).sum()) if name == "time_min" else 0
            if lost:
                raise InputError(f"{KIND}: expected {name} in every row; missing in {lost}: drop or mend them")
        twice = self.frame.filter(pl.struct(KEY).is_duplicated())
        if len(twice):
            asset, sensor, time = (twice[0, name] for name in KEY)
            raise InputError(
                f"{KIND}: {asset}: {sensor}: expected one value per time, minute {time:g} comes twice "
                f"({len(twice)} such rows): drop the duplicates"
            )
        units = self.frame.group_by("asset", "sensor").agg(pl.col("unit").n_unique()).filter(pl.col("unit") > 1)
        if len(units):
            asset, sensor = min((row[0], row[1]) for row in units.iter_rows())
            raise InputError(f"{KIND}: {asset}: {sensor}: expected one unit, got several: convert the values")
        if not self.frame.select(KEY).equals(self.frame.select(KEY).sort(KEY)):
            raise InputError(f"{KIND}: expected rows ordered by {', '.join(KEY)}: use Telemetry.of, which orders them")

    @classmethod
    def of(cls, frames: Iterable[pl.DataFrame]) -> "Telemetry":
        """One record from parts in any order; values that are not finite become missing."""
        rows = pl.concat([pl.DataFrame(schema=SCHEMA), *frames])
        value = pl.when(pl.col("value").is_finite()).then(pl.col("value"))
        return cls(rows.with_columns(value).sort(KEY))

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def assets(self) -> tuple[str, ...]:
        """Names in order, each once."""
        return tuple(self.frame["asset"].unique().sort())

    @property
    def missing(self) -> int:
        """Number of rows without a value."""
        return self.frame["value"].null_count()

    def wide(self, asset: str) -> pl.DataFrame:
        """One row per time: time_min and a column per sensor. Raises InputError for an unknown asset."""
        if asset not in self.assets:
            raise InputError(f"{KIND}: no rows of asset {asset!r}; known: {', '.join(self.assets) or 'none'}")
        rows = self.frame.filter(pl.col("asset") == asset)
        return rows.pivot("sensor", index="time_min", values="value").sort("time_min")

    def save(self, path: str | Path) -> None:
        """Write Parquet."""
        versioned.write(self.frame, path, kind=KIND, version=VERSION, header={})

    @classmethod
    def load(cls, path: str | Path) -> "Telemetry":
        """Read what `save` wrote. Raises InputError for a file of another kind or version."""
        frame, _ = versioned.read(path, kind=KIND, version=VERSION, remedy="record the sensors again")
        return cls(frame)
