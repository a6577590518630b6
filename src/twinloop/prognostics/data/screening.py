"""Rows as they came, made into Telemetry: what cannot be right is refused or changed by policy, and always counted."""

import unicodedata
from collections import Counter
from collections.abc import Mapping

import numpy as np
import polars as pl

from twinloop.contracts import Telemetry
from twinloop.errors import LONGEST_NAME, InputError
from twinloop.prognostics.data.settings import DataSettings

KEY = ["asset", "time_min"]
# Factors by which units are mistaken: thousands, psi per bar, kPa per bar or psi, feet and inches per metre.
FACTORS = (1000.0, 100.0, 60.0, 39.37, 14.504, 10.0, 6.895, 3.6, 3.281)
CLOSE, CLOSE_AT_JUMP = 0.03, 0.15
# Rows on both sides of a change of unit that a verdict needs.
SIDE_ROWS = 30


def screened(
    rows: pl.DataFrame, units: Mapping[str, str], settings: DataSettings, *, start: str | None = None
) -> tuple[Telemetry, Counter[str]]:
    """Telemetry of `rows` in the order of their file (asset, time_min, Float64 sensors), and reason → count.

    Raises InputError where a policy of `settings` is to refuse, for a hostile asset name, and where no row is left.
    """
    counts: Counter[str] = Counter()
    rows = rows.with_columns(pl.col("asset").cast(pl.String))
    lost = pl.any_horizontal(pl.col("asset").is_null(), ~pl.col("time_min").is_finite().fill_null(value=False))
    counts["rows without asset or time"] = rows.select(lost.sum()).item()
    rows = rows.filter(~lost)
    check_names(rows["asset"].unique(), "asset")
    check_names(pl.Series(list(units)), "sensor")
    infinite = {name: int((~rows[name].is_finite()).sum()) for name in units}
    counts["values not finite"] = sum(infinite.values())
    rows = rows.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in units)
    counts["values missing"] = sum(rows[name].null_count() for name in units)
    silent = [name for name in units if rows[name].null_count() == len(rows) > 0]
    if len(silent) == len(units):
        raise InputError(
            "data: expected a column of numbers beside asset and time, there is none: name what is measured"
        )
    counts.update({f"sensor without a value: {name}": 1 for name in silent})
    rows = _ordered(rows, settings, counts)
    rows = _once(rows, units, settings, counts)
    few = rows.filter(pl.len().over("asset") < settings.least_rows)["asset"].unique().sort()
    counts[f"assets with fewer than {settings.least_rows} rows"] = len(few)
    rows = rows.filter(~pl.col("asset").is_in(few.implode()))
    if rows.is_empty():
        raise InputError("data: expected rows with asset and time, none is left: see DataSettings.least_rows")
    step = pl.col("time_min").diff().over("asset")
    counts["gaps"] = rows.select((step > settings.gap_factor * step.median().over("asset")).sum()).item()
    rows = _same_units(rows, units, settings, counts)
    rows = _moving(rows, units, settings, counts)
    if settings.missing == "hold":
        rows = rows.with_columns(pl.col(name).forward_fill(settings.hold_rows).over("asset") for name in units)
    return Telemetry.of([rows.select(*KEY, *units)], units=units, start=start), +counts


def check_names(names: pl.Series, what: str) -> None:
    """Raise InputError for a name with control characters, without a letter, or of more than 80 of them.

    Also for two assets or components whose names differ by capitals and blanks alone: probably one, written twice.
    """
    seen: dict[str, str] = {}
    for name in names.drop_nulls().sort():
        strange = any(unicodedata.category(letter)[0] in "CZ" and letter != " " for letter in name)
        if strange or not name.strip() or len(name) > LONGEST_NAME:
            raise InputError(
                f"data: {what} {ascii(name)[:LONGEST_NAME]}: expected a name of 1 to {LONGEST_NAME} printable letters: "
                "rename it in the source"
            )
        other = seen.setdefault("".join(name.split()).casefold(), name)
        if other != name and what != "sensor":
            raise InputError(
                f"data: {what}s {other!r} and {name!r} differ by capitals or blanks alone: give one {what} one name in "
                "the source, and two clearly different ones"
            )


def _ordered(rows: pl.DataFrame, settings: DataSettings, counts: Counter[str]) -> pl.DataFrame:
    """Rows by asset and time. A clock that jumps back into time it has recorded is not a file in another order."""
    before = pl.col("time_min").cum_max().shift(1).over("asset")
    marked = rows.with_columns(
        behind=(pl.col("time_min") < before).fill_null(value=False),
        falls=(pl.col("time_min").diff().over("asset") < 0).fill_null(value=False),
        inside=(pl.col("time_min") > pl.col("time_min").cum_min().shift(1).over("asset")).fill_null(value=False),
    )
    # Many falls are a shuffled file; a single fall to before all that was are two files in the other order.
    jumps = marked.group_by("asset").agg(
        jumps=(pl.col("falls") & pl.col("inside")).sum(), falls=pl.col("falls").sum(), rows=pl.len()
    )
    jumps = jumps.filter((pl.col("jumps") > 0) & (pl.col("falls") <= (pl.col("rows") * 0.05).ceil())).sort("asset")
    counts["rows not in order of time"] = int(marked["behind"].sum())
    if len(jumps):
        asset, number = jumps[0, "asset"], jumps[0, "jumps"]
        counts["clocks that jump back"] = len(jumps)
        if settings.backwards == "refuse":
            first = marked.filter((pl.col("asset") == asset) & pl.col("falls") & pl.col("inside"))
            raise InputError(
                f"data: {asset}: the clock jumps back {number}×, first to minute {first[0, 'time_min']:g}: repair the "
                "times, or set DataSettings.backwards to drop (rows until it has caught up) or order"
            )
        if settings.backwards == "drop":
            late = pl.col("behind") & pl.col("asset").is_in(jumps["asset"].implode())
            counts["rows of a clock that jumped back"] = marked.select(late.sum()).item()
            marked = marked.filter(~late)
    return marked.drop("behind", "falls", "inside").sort(KEY, maintain_order=True)


def _once(rows: pl.DataFrame, units: Mapping[str, str], settings: DataSettings, counts: Counter[str]) -> pl.DataFrame:
    # Ordered already: two rows of one time lie beside each other.
    twice = ((pl.col("time_min").diff() == 0) & (pl.col("asset") == pl.col("asset").shift(1))).fill_null(value=False)
    again = rows.filter(twice)
    counts["rows of one time"] = len(again)
    if again.is_empty():
        return rows
    if settings.duplicates == "refuse":
        asset, minute = again.select(KEY).row(0)
        raise InputError(
            f"data: {asset}: minute {minute:g} comes twice ({len(again)} such rows): drop the duplicates, or set "
            "DataSettings.duplicates to first, last or mean"
        )
    if settings.duplicates == "mean":
        return rows.group_by(KEY, maintain_order=True).agg(pl.col(name).mean() for name in units)
    return rows.unique(KEY, keep=settings.duplicates, maintain_order=True)


def _same_units(
    rows: pl.DataFrame, units: Mapping[str, str], settings: DataSettings, counts: Counter[str]
) -> pl.DataFrame:
    """A sensor whose level changes once and for good by the factor of a conversion was set to another unit."""
    for asset, sensor, minute, words in _changes(rows, units):
        counts["changes of a unit"] += 1
        if settings.unit_change == "refuse":
            raise InputError(
                f"data: {asset}: {sensor}: its unit seems to change at minute {minute:g} ({words}): convert them, "
                "or set DataSettings.unit_change to missing or keep"
            )
        if settings.unit_change == "missing":
            late = (pl.col("asset") == asset) & (pl.col("time_min") >= minute)
            counts["values of another unit"] += rows.filter(late)[sensor].count()
            rows = rows.with_columns(pl.when(~late).then(pl.col(sensor)).alias(sensor))
    return rows


def _changes(rows: pl.DataFrame, units: Mapping[str, str]) -> list[tuple[str, str, float, str]]:
    """Asset, sensor, minute and what was seen, where a record falls into two parts that do not overlap."""
    found = []
    for sensor in units:
        value = pl.col(sensor)
        parts = (
            rows.filter(value.is_not_null())
            .with_columns(jump=value.diff().abs().over("asset"))
            .filter(pl.len().over("asset") >= 2 * SIDE_ROWS)
            .with_columns(at=pl.col("time_min").get(pl.col("jump").arg_max()).over("asset"))
            .group_by("asset", "at", late=pl.col("time_min") >= pl.col("at"), maintain_order=True)
            .agg(
                low=value.min(),
                high=value.max(),
                level=value.median(),
                first=value.first(),
                last=value.last(),
                rows=pl.len(),
            )
            .filter(pl.col("rows") >= SIDE_ROWS)
        )
        sides = parts.filter(~pl.col("late")).join(parts.filter("late"), on=["asset", "at"], suffix="_late")
        sides = sides.filter((pl.col("low_late") > pl.col("high")) | (pl.col("high_late") < pl.col("low")))
        for side in sides.sort("asset").iter_rows(named=True):
            words = _conversion(side["level"], side["level_late"], CLOSE)
            # A level that creeps from one to the other, as a motor that warms up, is no conversion.
            if words and words == _conversion(side["last"], side["first_late"], CLOSE_AT_JUMP):
                found.append((side["asset"], sensor, side["at"], words))
    return found


def _conversion(before: float, after: float, close: float) -> str:
    """In words, the conversion that turns one level into the other; empty for none."""
    for one, other, direction in ((before, after, "×"), (after, before, "÷")):
        if abs(one * 1.8 + 32 - other) < close * abs(other) and abs(one) > 1:
            return "°C to °F" if direction == "×" else "°F to °C"
        for factor in FACTORS:
            if one * other > 0 and abs(other / one / factor - 1) < close:
                return f"{direction} {factor:g}"
    return ""


def _moving(rows: pl.DataFrame, units: Mapping[str, str], settings: DataSettings, counts: Counter[str]) -> pl.DataFrame:
    """Counts sensors that are stuck; a value is known to be stuck only after `stuck_rows` rows of it."""
    blanked = []
    place = np.arange(len(rows))
    begins = rows["asset"].ne_missing(rows["asset"].shift(1)).to_numpy()
    starts = np.flatnonzero(begins)
    number = np.cumsum(begins) - 1
    for sensor in units:
        value = rows[sensor].to_numpy()
        low, high = np.fmin.reduceat(value, starts), np.fmax.reduceat(value, starts)
        new = begins | np.append(True, value[1:] != value[:-1])  # NaN, a missing value, equals nothing
        length = place - np.maximum.accumulate(np.where(new, place, 0)) + 1
        # One value from the first row to the last is a constant, a setting, not a sensor that got stuck.
        stuck = (length >= settings.stuck_rows) & (high > low)[number]
        counts["times a sensor was stuck"] += int((stuck & (length == settings.stuck_rows)).sum())
        counts["values of a stuck sensor"] += int(stuck.sum())
        if settings.stuck == "missing" and stuck.any():
            blanked.append(pl.select(pl.when(pl.Series(~stuck)).then(rows[sensor]).alias(sensor)).to_series())
    return rows.with_columns(blanked)
