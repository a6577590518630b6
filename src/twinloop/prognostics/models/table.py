"""Features with what they shall foretell: rows ordered by asset and time, one per window."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR

Floats = NDArray[np.float64]
# How long an asset has been watched, under its names.
AGES = ("age_h", "since_service_h", "since_failure_h")


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """values: [N, F] Float32 with NaN where missing, of `columns`; unit: [N], number of the asset in `assets`.

    time_min: [N], the end of each window.
    """

    assets: tuple[str, ...]
    columns: tuple[str, ...]
    unit: NDArray[np.int64]
    time_min: Floats
    values: NDArray[np.float32]

    @classmethod
    def of(cls, features: pl.DataFrame) -> "FeatureTable":
        """From asset, time_min and feature columns. Raises InputError for rows that are not in order, or none."""
        if features.is_empty():
            raise InputError("models: expected features of at least one window, got none")
        if not features.select("asset", "time_min").equals(
            features.select("asset", "time_min").sort("asset", "time_min")
        ):
            raise InputError("models: expected features ordered by asset and time_min: sort them")
        names = features["asset"].cast(pl.String)
        assets = names.unique(maintain_order=True)
        unit = names.rle_id().to_numpy().astype(np.int64)
        columns = tuple(name for name in features.columns if name not in ("asset", "time_min"))
        values = features.select(columns).to_numpy().astype(np.float32)
        return cls(tuple(assets), columns, unit, features["time_min"].to_numpy(), values)

    def __len__(self) -> int:
        return len(self.unit)

    def where(self, kept: NDArray[np.bool_]) -> "FeatureTable":
        """Some of the rows."""
        return FeatureTable(self.assets, self.columns, self.unit[kept], self.time_min[kept], self.values[kept])

    def of_units(self, units: NDArray[np.int64]) -> "FeatureTable":
        """The rows of some assets, by their numbers, and no other asset."""
        return self.where(np.isin(self.unit, units)).compact()

    def compact(self) -> "FeatureTable":
        """The same rows without assets that have none."""
        present, unit = np.unique(self.unit, return_inverse=True)
        names = tuple(self.assets[number] for number in present)
        return FeatureTable(names, self.columns, unit.astype(np.int64), self.time_min, self.values)

    def selected(self, names: tuple[str, ...]) -> NDArray[np.float32]:
        """[N, len(names)] some of the columns, in this order. Raises InputError for one that is not there."""
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise InputError(
                f"models: expected the features the model was trained on, {len(missing)} are missing, first "
                f"{missing[0]}: make them with the same FeatureSettings"
            )
        return self.values[:, [self.columns.index(name) for name in names]]

    def worked_min(self, step_min: float) -> Floats:
        """[N] minutes that the asset of each row had worked by then: its windows' rows so far, one every `step_min`.

        Raises InputError for a table without the feature `rows`.
        """
        counts = self.selected(("rows",))[:, 0].astype(np.float64) * step_min
        total = np.cumsum(counts)
        starts = np.searchsorted(self.unit, np.arange(len(self.assets)))
        before: Floats = (total - counts)[starts]
        worked: Floats = total - before[self.unit]
        return worked

    @property
    def varying(self) -> tuple[str, ...]:
        """Columns that hold more than one value."""
        with np.errstate(invalid="ignore"):
            low, high = np.fmin.reduce(self.values), np.fmax.reduce(self.values)
            return tuple(name for name, varies in zip(self.columns, high > low, strict=True) if varies)

    @property
    def last(self) -> NDArray[np.int64]:
        """[assets] row of each asset's last window."""
        rows: NDArray[np.int64] = np.flatnonzero(np.append(self.unit[1:] != self.unit[:-1], True))
        return rows


class Ahead(NamedTuple):
    """Of every row, for one component: hours until its life ends (NaN outside any life), and whether by failure."""

    hours: Floats
    failed: NDArray[np.bool_]


def ahead(table: FeatureTable, lives: pl.DataFrame, component: str) -> Ahead:
    """What lies ahead of every row of the table. lives: asset, component, begin_min, end_min, failed.

    A row at the very end of a life belongs to it; between the lives (in repair) it belongs to none.
    """
    hours, failed = np.full(len(table), np.nan), np.zeros(len(table), dtype=bool)
    for rows, part in _lives_by_asset(table, lives, component):
        at = table.time_min[rows]
        begins, stops = part["begin_min"].to_numpy(), part["end_min"].to_numpy()
        which = np.minimum(np.searchsorted(stops, at, side="left"), len(stops) - 1)
        inside = (at >= begins[which]) & (at <= stops[which])
        hours[rows] = np.where(inside, (stops[which] - at) / MINUTES_PER_HOUR, np.nan)
        failed[rows] = part["failed"].to_numpy()[which] & inside
    return Ahead(hours, failed)


def component_age(table: FeatureTable, lives: pl.DataFrame, component: str) -> Floats:
    """[N] hours since the present life of the component began, by lives that had begun by then; 0 before the first."""
    begins = lives.filter(pl.col("component") == component).select("asset", "begin_min").sort("begin_min")
    rows = pl.DataFrame({"asset": pl.Series(table.assets, dtype=pl.String).gather(table.unit), "at": table.time_min})
    begun = rows.join_asof(begins, left_on="at", right_on="begin_min", by="asset", check_sortedness=False)["begin_min"]
    age: Floats = (rows["at"] - begun).fill_null(0.0).to_numpy() / MINUTES_PER_HOUR
    return age


def in_service(table: FeatureTable, lives: pl.DataFrame) -> NDArray[np.int64]:
    """Numbers of the assets of which no component has failed for good: by the last row, and without another after."""
    names = {"asset": pl.String}
    last = pl.DataFrame({"asset": table.assets, "now": table.time_min[table.last]}, schema_overrides=names)
    latest = lives.sort("begin_min").group_by("asset", "component", maintain_order=True).last()
    ended = latest.join(last, on="asset").filter(pl.col("failed") & (pl.col("end_min") <= pl.col("now")))
    gone = set(ended["asset"])
    return np.array([number for number, name in enumerate(table.assets) if name not in gone], dtype=np.int64)


def _lives_by_asset(table: FeatureTable, lives: pl.DataFrame, component: str) -> Iterator[tuple[slice, pl.DataFrame]]:
    """The rows of each asset and its lives of the component by their ends; without rows or lives, left out."""
    own = lives.filter(pl.col("component") == component).sort("asset", "end_min")
    parts = own.partition_by("asset", as_dict=True)
    starts = np.searchsorted(table.unit, np.arange(len(table.assets)))
    ends = np.searchsorted(table.unit, np.arange(len(table.assets)), side="right")
    for asset, start, end in zip(table.assets, starts, ends, strict=True):
        part = parts.get((asset,))
        if part is not None and start < end:
            yield slice(start, end), part
