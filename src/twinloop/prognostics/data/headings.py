"""What a table's columns hold, told from their headings: whose, when, which event; every other number is a sensor."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from twinloop.errors import LONGEST_NAME, InputError
from twinloop.prognostics.data.files import numbers, plain
from twinloop.prognostics.data.screening import KEY

# What people call these columns, the most telling first.
NAMES = {
    "asset": "asset asset_id vehicle vehicle_id vin machine machine_id machineid unit unit_id unit_number unit_nr "
    "device device_id equipment engine_id series id",
    "time": "time_min timestamp time datetime date_time date time_s time_h ts minute cycle time_cycles time_in_cycles",
    "received": "received received_at received_min server_time gateway_time",
    "sensor": "sensor signal parameter tag channel variable",
    "value": "value reading",
    "unit": "unit_of_measure uom units unit",
    "component": "component comp part subsystem",
    "end": "end_min end repaired_at repaired_min until back_at",
    "kind": "kind event event_type",
    "detail": "detail error code reason description",
    "split": "split set",
}
# Headings that nobody gave: what pandas and polars call a column without one.
UNNAMED = re.compile(r"Unnamed: \d+|_duplicated_\d+|column_\d+")


class Roles(NamedTuple):
    """Which column holds what; None where there is none."""

    asset: str | None
    time: str | None
    received: str | None
    sensor: str | None
    value: str | None
    unit: str | None
    component: str | None
    end: str | None
    kind: str | None
    detail: str | None
    split: str | None


def roles_of(names: Iterable[str]) -> Roles:
    """The first column of each role."""
    names = list(names)
    own = {plain(name)[0]: name for name in reversed(names)}
    found = {
        role: next((own[alias] for alias in aliases.split() if alias in own), None) for role, aliases in NAMES.items()
    }
    long = found["sensor"] is not None and found["value"] is not None
    # "unit" is the asset in one plant and the unit of measure in another: the latter only beside long values.
    if not long or found["unit"] == found["asset"]:
        found["unit"] = None
    return Roles(**found)


def sensors_of(
    frame: pl.DataFrame, names: Iterable[str], path: Path, counts: Counter[str]
) -> tuple[dict[str, pl.Series], dict[str, str]]:
    """Values [n] and units of the columns that are numbers, by their plain name; texts are counted by theirs.

    Raises InputError for two columns of one plain name, and for one that every record has already.
    """
    values: dict[str, pl.Series] = {}
    units: dict[str, str] = {}
    for name in names:
        if not name or UNNAMED.match(name):  # the row numbers that pandas writes
            counts["columns without a heading"] += 1
            continue
        sensor, unit = free(plain(name)[0], path), plain(name)[1]
        numeric = frame[name].dtype.is_numeric() or frame[name].dtype in (pl.String, pl.Boolean, pl.Null)
        column, bad = numbers(frame[name]) if numeric else (None, 0)
        if column is None or bad == len(column) - frame[name].null_count() > 0:
            counts[f"column of text: {name[:LONGEST_NAME]}"] += 1
            continue
        if sensor in values:
            raise InputError(f"data: {path}: two columns are called {sensor}: rename one")
        values[sensor], units[sensor] = column, unit
        counts["values that are no number"] += bad
    return values, units


def ids(column: pl.Series, where: str) -> pl.Series:
    """Names of assets as text; whole numbers that a table with gaps keeps as 1.0 are 1.

    Raises InputError for a column that is neither text nor number.
    """
    if column.dtype.is_float() and bool((column.drop_nulls() % 1 == 0).all()):
        column = column.cast(pl.Int64)
    try:
        return column.cast(pl.String)
    except pl.exceptions.PolarsError:
        raise InputError(f"data: {where}: expected names, got a column of {column.dtype}: repair the table") from None


def one_unit(units: dict[str, str], own: dict[str, str], path: Path) -> None:
    """Enter a file's units among those of all. Raises InputError for a sensor that has another one in another file."""
    for name, unit in own.items():
        if units.setdefault(name, unit).casefold() != unit.casefold():
            raise InputError(
                f"data: {path}: sensor {name} is in {unit!r} here and in {units[name]!r} elsewhere: convert one"
            )


def free(sensor: str, path: Path) -> str:
    """The sensor's name, unless it is one that every record has already."""
    if sensor in KEY:
        raise InputError(f"data: {path}: a sensor cannot be called {sensor}: rename it")
    return sensor
