"""Sensor readings of simulated and real plants in one schema, so that what is trained on the one runs on the other.

One row per asset and time with a float32 column per sensor: 300 vehicles that report ten sensors every minute for six
months are ten million rows, half a gigabyte.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.contracts import versioned
from twinloop.errors import InputError

KIND, VERSION = "telemetry", 2
ASSET, TIME = "asset", "time_min"


@dataclass(frozen=True, eq=False)
class Telemetry:
    """What sensors showed.

    frame: columns asset (Enum), time_min (Float64) and one Float32 column per sensor, ordered by asset and time; what
    is missing is null. units: of each sensor, in the order of its columns. start: when minute 0 was, ISO 8601 with
    its zone, where it is known.

    Raises InputError for other columns, a time that is not a number, another order, two rows of one time, values that
    are not finite, and a start without a zone.
    """

    frame: pl.DataFrame
    units: Mapping[str, str]
    start: str | None = None

    def __post_init__(self) -> None:
        asset = self.frame.schema.get(ASSET)
        expected = {ASSET: asset, TIME: pl.Float64(), **dict.fromkeys(self.units, pl.Float32())}
        if not isinstance(asset, pl.Enum) or list(self.frame.schema.items()) != list(expected.items()):
            shown = ", ".join(f"{name} {kind.base_type()}" for name, kind in self.frame.schema.items())
            sensors = ", ".join(f"{name} Float32" for name in self.units)
            raise InputError(f"{KIND}: expected the columns asset Enum, time_min Float64, {sensors}; got {shown}")
        for name, unit in self.units.items():
            if not name or not isinstance(unit, str):
                raise InputError(f"{KIND}: sensor {name!r}: expected a name and a text as its unit, got {unit!r}")
        check_start(self.start)
        missing = self.frame[ASSET].null_count()
        if missing:
            raise InputError(f"{KIND}: expected an asset in every row; missing in {missing}: drop or name them")
        missing = len(self.frame) - int(self.frame[TIME].is_finite().sum())
        if missing:
            raise InputError(f"{KIND}: expected time_min in every row; missing in {missing}: drop or repair them")
        for name in self.units:
            strange = len(self.frame) - self.frame[name].null_count() - int(self.frame[name].is_finite().sum())
            if strange:
                raise InputError(
                    f"{KIND}: {name}: expected finite values, {strange} are not: use Telemetry.of, which drops them"
                )
        self._check_order()

    def _check_order(self) -> None:
        # The physical value of an Enum is the place of its name: in order only if the names are.
        names = self.frame.schema[ASSET].categories.to_list()  # type: ignore[attr-defined]
        asset, time = self.frame[ASSET].to_physical().cast(pl.Int64), self.frame[TIME]
        same = asset.diff().fill_null(1) == 0
        step = time.diff().fill_null(1.0)
        twice = same & (step == 0)
        if twice.any():
            row = twice.arg_max() or 0
            raise InputError(
                f"{KIND}: {self.frame[row, ASSET]}: expected one row per time, minute {self.frame[row, TIME]:g} comes "
                f"twice ({twice.sum()} such rows): drop the duplicates"
            )
        if names != sorted(names) or (asset.diff().fill_null(0) < 0).any() or (same & (step < 0)).any():
            raise InputError(
                f"{KIND}: expected rows ordered by asset and time_min: use Telemetry.of, which orders them"
            )

    @classmethod
    def of(cls, frames: Iterable[pl.DataFrame], *, units: Mapping[str, str], start: str | None = None) -> "Telemetry":
        """One record from parts in any order, each with asset, time_min and some of the sensors in `units`.

        Values that are not finite become missing, a sensor that a part lacks is missing there. Raises InputError for a
        column that is neither, and for values that are not numbers.
        """
        parts = [_part(frame, units) for frame in frames]
        schema = {ASSET: pl.String(), TIME: pl.Float64(), **dict.fromkeys(units, pl.Float32())}
        rows = pl.concat([pl.DataFrame(schema=schema), *(part.select(list(schema)) for part in parts)])
        names = rows[ASSET].drop_nulls().unique().sort()
        return cls(rows.with_columns(pl.col(ASSET).cast(pl.Enum(names))).sort(ASSET, TIME), dict(units), start)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def assets(self) -> tuple[str, ...]:
        """Names in order, each once."""
        return tuple(self.frame[ASSET].unique().sort().cast(pl.String))

    @property
    def sensors(self) -> tuple[str, ...]:
        """Their names, in the order of the columns."""
        return tuple(self.units)

    @property
    def missing(self) -> int:
        """Number of values that are missing."""
        return sum(self.frame[name].null_count() for name in self.units)

    def of_asset(self, asset: str) -> pl.DataFrame:
        """The asset's rows: time_min and a column per sensor. Raises InputError for an unknown asset."""
        if asset not in self.assets:
            raise InputError(f"{KIND}: no rows of asset {asset!r}; known: {', '.join(self.assets) or 'none'}")
        return self.frame.filter(pl.col(ASSET) == asset).drop(ASSET)

    def save(self, path: str | Path) -> None:
        """Write Parquet; units and start go into its header."""
        header = {"units": dict(self.units), "start": self.start}
        versioned.write(self.frame, path, kind=KIND, version=VERSION, header=header)

    @classmethod
    def load(cls, path: str | Path) -> "Telemetry":
        """Read what `save` wrote. Raises InputError for a file of another kind or version."""
        frame, header = versioned.read(
            path, kind=KIND, version=VERSION, remedy="record the sensors again", header={"units": dict}
        )
        return cls(frame, header["units"], header.get("start"))


def check_start(start: str | None) -> None:
    """Raise InputError unless `start` is ISO 8601 with a zone, or none."""
    if start is None:
        return
    try:
        known = datetime.datetime.fromisoformat(start).tzinfo is not None
    except (TypeError, ValueError):
        known = False
    if not known:
        raise InputError(
            f"{KIND}: start = {start!r}: expected ISO 8601 with its zone, as 2026-03-01T06:00:00+01:00: "
            "an hour without a zone comes twice a year"
        )


def _part(frame: pl.DataFrame, units: Mapping[str, str]) -> pl.DataFrame:
    foreign = [name for name in frame.columns if name not in (ASSET, TIME, *units)]
    absent = [name for name in (ASSET, TIME) if name not in frame.columns]
    if foreign or absent:
        names = ", ".join((ASSET, TIME, *units))
        raise InputError(
            f"{KIND}: expected the columns {names}; got {', '.join(frame.columns)}: give every sensor a unit"
        )
    changed: list[Any] = [pl.col(ASSET).cast(pl.String), pl.col(TIME).cast(pl.Float64)]
    for name in units:
        if name not in frame.columns:
            changed.append(pl.lit(None, dtype=pl.Float32).alias(name))
        elif not (frame.schema[name].is_numeric() or frame.schema[name] in (pl.Boolean, pl.Null)):
            raise InputError(f"{KIND}: {name}: expected numbers, got {frame.schema[name]}: convert or leave it out")
        else:
            value = pl.col(name).cast(pl.Float32)
            changed.append(pl.when(value.is_finite()).then(value).alias(name))
    return frame.with_columns(changed)
