"""Times as minutes: numbers as they are, timestamps by their zone; an hour that cannot be known is asked for.

Every timestamp becomes minutes since 1970 in UTC, so that tables written in several zones meet on one clock.
"""

import zoneinfo
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.data.files import plain

FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M %p",
)
OFFSET = r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})$"
# A date whose year comes last: 13.3.2026, 3/13/2026.
YEAR_LAST = r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4})"
# Minutes in one of the unit that a column's heading gives: time (s), time_s.
UNITS = {
    "min": 1.0,
    "minute": 1.0,
    "minutes": 1.0,
    "s": 1 / 60,
    "sec": 1 / 60,
    "second": 1 / 60,
    "seconds": 1 / 60,
    "ms": 1 / 60_000,
    "h": 60.0,
    "hour": 60.0,
    "hours": 60.0,
    "d": 1440.0,
    "days": 1440.0,
}
# Numbers too large for minutes count from 1970, in s, ms, µs or ns: each a thousand times the one before.
EPOCH, THOUSANDS = 1e8, (1e11, 1e14, 1e17)
LONGEST_MIN = 25 * 525_960.0
US_PER_MINUTE = 60e6


class Times(NamedTuple):
    """Minutes [n], missing where no time could be read; `absolute` ones count from 1970 in UTC."""

    minutes: pl.Series
    absolute: bool


def read_times(
    column: pl.Series, where: str, *, zone: str, ambiguous: Literal["refuse", "earliest", "latest"]
) -> Times:
    """A column of minutes (or of what its heading says, as `time_s`, `time [h]`), of Unix time or of ISO 8601 texts.

    Raises InputError for timestamps without a zone where `zone` is empty, with and without one in one column, for an
    hour that clocks skip, for one that they show twice where `ambiguous` is refuse, for dates as 03/04/2026 of which
    none tells day from month, and for what is no time at all.
    """
    if column.dtype == pl.Duration:
        return Times(column.dt.total_microseconds().cast(pl.Float64) / US_PER_MINUTE, absolute=False)
    if column.dtype.is_temporal() and column.dtype != pl.Time:
        return _of_datetimes(column, where, zone, ambiguous)
    if column.dtype.is_numeric():
        return _of_numbers(column.cast(pl.Float64), where)
    given = _texts(column, where).replace("", None)
    numeric = given.cast(pl.Float64, strict=False)
    if numeric.null_count() == given.null_count():
        return read_times(numeric, where, zone=zone, ambiguous=ambiguous)
    return _of_texts(given, where, zone, ambiguous)


def _texts(column: pl.Series, where: str) -> pl.Series:
    try:
        return column.cast(pl.String)
    except pl.exceptions.PolarsError:
        raise InputError(f"data: {where}: expected times, got a column of {column.dtype}: repair the times") from None


def _of_numbers(column: pl.Series, where: str) -> Times:
    name, unit = plain(column.name)
    if unit and unit.lower() not in UNITS:
        raise InputError(f"data: {where}: expected a unit of time as s, min, h, got {unit!r}: rename the column")
    known = column.filter(column.is_finite())
    least = float(known.min() or 0.0)  # type: ignore[arg-type]
    factor = UNITS.get((unit or name.rpartition("_")[2]).lower())
    if factor is None:
        thousands = sum(least >= limit for limit in THOUSANDS)
        factor = UNITS["s"] / 1000**thousands if least >= EPOCH else 1.0
    return Times(column * factor, absolute=least * factor >= LONGEST_MIN)


def _year_first(given: pl.Series, where: str) -> pl.Series:
    """Dates as 3/13/2026 or 13/3/2026 as 2026-3-13; with dots the day comes first, else what is above 12 is a day."""
    given = given.str.replace(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})", "${3}-${2}-${1}")
    first, second = (given.str.extract(YEAR_LAST, place).cast(pl.Int64) for place in (1, 2))
    day_first = bool((first > 12).any())
    halves = given.str.contains(r"(?i)[ap]m$")  # of a day: the American way of writing
    unsure = first.is_not_null() & ~halves
    if not day_first and unsure.any() and not (second > 12).any():
        raise InputError(
            f"data: {where}: {given.filter(unsure)[0]!r} may be day or month first ({unsure.sum()} such, none tells): "
            "write the times as 2026-03-01T06:00:00+01:00"
        )
    return given.str.replace(YEAR_LAST, "${3}-${2}-${1}" if day_first else "${3}-${1}-${2}")


def _of_texts(given: pl.Series, where: str, zone: str, ambiguous: Literal["refuse", "earliest", "latest"]) -> Times:
    offset = given.str.extract(OFFSET)
    # A date's own -03 is no zone.
    offset = pl.select(pl.when(given.str.contains(r"\d:\d")).then(offset)).to_series()
    bare = pl.select(
        pl.when(offset.is_not_null())
        .then(given.str.replace(OFFSET, ""))
        .otherwise(given)
        .str.replace(r"(\d)T", "${1} ")
    ).to_series()
    bare = _year_first(bare, where)
    naive = pl.select(pl.coalesce(bare.str.to_datetime(f, time_unit="us", strict=False) for f in FORMATS)).to_series()
    unread = given.is_not_null() & naive.is_null()
    if unread.any():
        shown = given.filter(unread)[0]
        raise InputError(
            f"data: {where}: expected minutes or ISO 8601 as 2026-03-01T06:00:00+01:00, got {shown!r} "
            f"({unread.sum()} such): repair the times"
        )
    zoned, known = int(offset.is_not_null().sum()), int(given.is_not_null().sum())
    if zoned == known:
        minutes = naive.dt.epoch("us").cast(pl.Float64) / US_PER_MINUTE
        return Times((minutes - _offset_minutes(offset)).rename(given.name), absolute=True)
    if zoned:
        raise InputError(
            f"data: {where}: expected a zone in every timestamp or in none, {known - zoned} of {known} lack one: "
            "write them with their zone"
        )
    return _of_datetimes(naive, where, zone, ambiguous)


def _offset_minutes(offset: pl.Series) -> pl.Series:
    digits = offset.str.replace("Z|UTC|GMT", "+0000").str.replace(":", "").str.pad_end(5, "0")
    size = digits.str.slice(1, 2).cast(pl.Float64) * 60 + digits.str.slice(3, 2).cast(pl.Float64)
    return pl.select(pl.when(digits.str.starts_with("-")).then(-size).otherwise(size)).to_series()


def _of_datetimes(
    column: pl.Series, where: str, zone: str, ambiguous: Literal["refuse", "earliest", "latest"]
) -> Times:
    column = column.cast(pl.Datetime("us")) if column.dtype == pl.Date else column
    if column.dtype.time_zone is None:  # type: ignore[attr-defined]
        column = _in_zone(column, where, zone, ambiguous)
    minutes = column.dt.epoch("us").cast(pl.Float64) / US_PER_MINUTE
    return Times(minutes, absolute=True)


def _in_zone(naive: pl.Series, where: str, zone: str, ambiguous: Literal["refuse", "earliest", "latest"]) -> pl.Series:
    if not zone:
        raise InputError(
            f"data: {where}: timestamps without a zone, an hour of them comes twice a year: "
            "set DataSettings.zone, as Europe/Berlin or UTC"
        )
    if zone not in zoneinfo.available_timezones():
        raise InputError(f"data: DataSettings.zone = {zone!r}: expected a name of the IANA list, as Europe/Berlin")
    chosen = "null" if ambiguous == "refuse" else ambiguous
    placed = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    skipped = naive.is_not_null() & placed.is_null()
    if skipped.any():
        raise InputError(
            f"data: {where}: {naive.filter(skipped)[0]} is a time that clocks in {zone} skip ({skipped.sum()} such): "
            "set DataSettings.zone to the zone the clock really kept, often UTC"
        )
    placed = naive.dt.replace_time_zone(zone, ambiguous=chosen, non_existent="null")
    twice = naive.is_not_null() & placed.is_null()
    if twice.any():
        raise InputError(
            f"data: {where}: {naive.filter(twice)[0]} comes twice in {zone} ({twice.sum()} such): write the times "
            "with their zone, or set DataSettings.ambiguous to earliest or latest"
        )
    return placed


def drift_per_day(time_min: NDArray[np.float64], received_min: NDArray[np.float64]) -> float:
    """Minutes a day by which a device's clock runs ahead of (above 0) the receiver's: Theil's median of slopes.

    Delays of single messages do not count: half of them may be late. 0 for fewer than two times.
    """
    known = np.isfinite(time_min) & np.isfinite(received_min)
    device, receiver = time_min[known], received_min[known]
    if len(device) < 2:
        return 0.0
    order = np.argsort(receiver, kind="stable")
    device, receiver = device[order], receiver[order]
    # Pairs half the record apart: n slopes over the longest base instead of n²/2.
    half = len(device) // 2
    span, ahead = receiver[half:] - receiver[: len(device) - half], device[half:] - device[: len(device) - half]
    slopes = ahead[span > 0] / span[span > 0] - 1
    return float(np.median(slopes)) * 1440 if len(slopes) else 0.0
