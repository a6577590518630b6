"""A plant's own tables, CSV or Parquet: readings long or wide, and beside them failures, maintenance, errors, machines.

Wide: asset, time, a column per sensor, as `speed (km/h)`. Long: asset, time, sensor, value and perhaps unit. Names of
columns are matched by what people call them; a table of events is known by its file's name or its column `kind`.
"""

import math
import re
from collections import Counter
from pathlib import Path

import polars as pl

from twinloop.errors import LONGEST_NAME, InputError
from twinloop.prognostics.data.contradictions import consistent
from twinloop.prognostics.data.files import columns, kind_of, names_of, numbers, stem_of, table
from twinloop.prognostics.data.headings import Roles, free, ids, one_unit, roles_of, sensors_of
from twinloop.prognostics.data.leaks import leaking
from twinloop.prognostics.data.nab import iso
from twinloop.prognostics.data.record import (
    ERROR,
    EVENTS,
    FAILURE,
    KINDS,
    MAINTENANCE,
    Record,
    check_disjoint,
    lives_of,
)
from twinloop.prognostics.data.screening import screened
from twinloop.prognostics.data.settings import DataSettings
from twinloop.prognostics.data.times import Times, drift_per_day, read_times

STEMS = {
    FAILURE: ("failure", "failures", "breakdown", "breakdowns"),
    MAINTENANCE: ("maintenance", "maintenances", "maint", "repairs", "services", "visits"),
    ERROR: ("errors", "error", "alarms", "faults"),
}
SPLITS = ("train", "test")
FACTS = ("machines", "assets", "vehicles", "fleet", "facts")


def _holds(path: Path) -> str:
    """readings, an event's kind, events, facts, or nothing."""
    names = columns(path) if kind_of(path) in (".csv", ".tsv", ".txt", ".parquet") else []
    roles, stem = roles_of(names), stem_of(path).lower()
    if roles.time is None:
        return "facts" if roles.asset is not None and stem in FACTS else ""
    if roles.kind is not None and roles.asset is not None:
        return "events"
    others = set(names) - {name for name in roles if name is not None}
    # failures_2025.csv holds failures if it names what failed; fault_current.csv is a reading.
    words = re.split(r"[\W\d_]+", stem) if roles.component or roles.detail or not others else []
    for kind, stems in STEMS.items():
        if roles.asset is not None and {stem, *words} & set(stems):
            return kind
    return "readings" if (roles.sensor and roles.value) or others or roles.value else ""


def _held(files: list[Path]) -> dict[Path, str]:
    """What each file holds; without any readings, tables with a column `kind` and values are the readings."""
    held = {path: _holds(path) for path in files}
    if "readings" in held.values():
        return held
    return {path: "readings" if what == "events" and _values(path) else what for path, what in held.items()}


def _values(path: Path) -> bool:
    """Whether there are columns beside those of events."""
    return bool(set(columns(path)) - set(roles_of(columns(path))))


def claims(files: list[Path]) -> list[Path]:
    """Tables with a time and values; with them tables of events and of assets."""
    held = _held(files)
    return [path for path, what in held.items() if what] if "readings" in held.values() else []


def read(files: list[Path], settings: DataSettings) -> Record:
    """All readings as one record, events on its clock. Without an asset column every file is one asset.

    Raises InputError for a sensor with two units, readings of which some have timestamps and others minutes, assets in
    training and in test, a device clock that drifts (see DataSettings.drift), and a sensor that is a text throughout.
    """
    held = _held(files)
    readings = [path for path, what in held.items() if what == "readings"]
    named = names_of(readings)
    counts: Counter[str] = Counter()
    parts: list[pl.DataFrame] = []
    units: dict[str, str] = {}
    leaks: list[str] = []
    absolute: set[bool] = set()
    splits: list[dict[str, str]] = []
    for path in readings:
        rows, own, hidden, split, stamped = _readings(path, named[path], settings, counts)
        absolute.add(stamped)
        one_unit(units, own, path)
        parts.append(rows)
        leaks += hidden
        splits.append(split)
    if len(absolute) > 1:
        raise InputError("data: expected timestamps in all tables of readings or in none: they share one clock")
    rows = pl.concat(parts, how="diagonal")
    dated = absolute == {True}
    begin = math.floor(float(rows["time_min"].min() or 0.0)) if dated else 0.0  # type: ignore[arg-type]
    telemetry, screening = screened(
        rows.with_columns(pl.col("time_min") - begin), units, settings, start=iso(begin) if dated else None
    )
    events = [_events(path, what, begin, dated, settings) for path, what in held.items() if what in (*KINDS, "events")]
    kept, dropped = consistent(pl.concat([pl.DataFrame(schema=EVENTS), *events]), telemetry, settings)
    components = kept.filter(pl.col("kind").is_in([FAILURE, MAINTENANCE]))["component"].unique()
    lives = lives_of(telemetry, kept, components)
    if split := {asset: name for part in splits for asset, name in part.items()}:
        lives = lives.with_columns(split=pl.col("asset").replace_strict(split, default=""))
    facts = _facts([path for path, what in held.items() if what == "facts"], settings)
    known = pl.col("asset").is_in(list(telemetry.assets))
    counts["assets without telemetry"] = len(facts.filter(~known))
    return Record(
        telemetry,
        "table",
        events=kept,
        lives=lives,
        facts=facts.filter(known),
        leaks=tuple(dict.fromkeys(leaks)),
        left_out=+(counts + screening + dropped),
    )


def _times(column: pl.Series, where: str, settings: DataSettings) -> Times:
    return read_times(column, where, zone=settings.zone, ambiguous=settings.ambiguous)


def _readings(
    path: Path, name_of: str, settings: DataSettings, counts: Counter[str]
) -> tuple[pl.DataFrame, dict[str, str], tuple[str, ...], dict[str, str], bool]:
    """Rows (asset, time_min, sensors), units, leaks left out, the split of each asset, and whether times are dates."""
    frame = table(path, max_bytes=settings.max_bytes)
    roles = roles_of(frame.columns)
    assert roles.time is not None
    times = _times(frame[roles.time], f"{path.name}: {roles.time}", settings)
    asset = (
        ids(frame[roles.asset], f"{path.name}: {roles.asset}")
        if roles.asset
        else pl.repeat(name_of, len(frame), eager=True)
    )
    key = pl.DataFrame({"asset": asset, "time_min": times.minutes})
    if roles.received:
        key = _with_drift(key, _times(frame[roles.received], f"{path.name}: {roles.received}", settings), settings)
    split = _splits(path, frame, roles, asset)
    if roles.sensor and roles.value:
        rows, units = _long(frame, key, roles, path, counts)
        return rows, units, (), split, times.absolute
    # A sensor column without values beside it is a sensor of that name, as the others are.
    roled = {roles.value, roles.kind, roles.detail, roles.component, roles.sensor}
    used = {name for name in roles if name is not None} - roled
    hidden = () if settings.with_leaks else leaking(name for name in frame.columns if name not in used)
    names = [name for name in frame.columns if name not in used and name not in hidden]
    values, units = sensors_of(frame, names, path, counts)
    return pl.concat([key, pl.DataFrame(values)], how="horizontal"), units, hidden, split, times.absolute


def _long(
    frame: pl.DataFrame, key: pl.DataFrame, roles: Roles, path: Path, counts: Counter[str]
) -> tuple[pl.DataFrame, dict[str, str]]:
    assert roles.sensor is not None
    assert roles.value is not None
    value, bad = numbers(frame[roles.value])
    counts["values that are no number"] += bad
    unit = frame[roles.unit].fill_null("") if roles.unit else pl.repeat("", len(frame), eager=True)
    rows = key.with_columns(
        frame[roles.sensor].cast(pl.String).alias("sensor"), value.alias("value"), unit.alias("unit")
    )
    counts["rows without a sensor"] += rows["sensor"].null_count()
    rows = rows.drop_nulls("sensor")
    several = rows.group_by("sensor").agg(pl.col("unit").unique().sort()).filter(pl.col("unit").list.len() > 1)
    if len(several):
        name, own = several.sort("sensor").row(0)
        raise InputError(
            f"data: {path}: sensor {name}: expected one unit, got {', '.join(map(repr, own[:4]))}: convert the values"
        )
    twice = rows.filter(pl.struct("asset", "time_min", "sensor").is_duplicated())
    if len(twice):
        raise InputError(
            f"data: {path}: {twice[0, 'asset']}: {twice[0, 'sensor']}: minute {twice[0, 'time_min']:g} comes twice "
            f"({len(twice)} such rows): drop the duplicates"
        )
    units = dict(rows.select("sensor", "unit").drop_nulls("sensor").unique("sensor").sort("sensor").iter_rows())
    for name in units:
        free(name, path)
    wide = rows.drop("unit").pivot("sensor", index=["asset", "time_min"], values="value", maintain_order=True)
    return wide.select("asset", "time_min", *units), units


def _with_drift(key: pl.DataFrame, received: Times, settings: DataSettings) -> pl.DataFrame:
    """The device's times, or the receiver's where the device's clock drifts and the policy says so."""
    if settings.drift == "keep":
        return key
    both = key.with_columns(received=received.minutes)
    for (asset,), part in both.partition_by("asset", as_dict=True, maintain_order=True).items():
        drift = drift_per_day(part["time_min"].to_numpy(), part["received"].to_numpy())
        if abs(drift) <= settings.largest_drift:
            continue
        if settings.drift == "refuse":
            raise InputError(
                f"data: {asset}: its clock drifts {drift:+.1f} minutes a day against the receiver's: set it, or take "
                "the receiver's times with DataSettings.drift=received"
            )
        ours = pl.col("asset") == asset
        both = both.with_columns(pl.when(ours).then(pl.col("received")).otherwise(pl.col("time_min")).alias("time_min"))
    return both.drop("received")


def _splits(path: Path, frame: pl.DataFrame, roles: Roles, asset: pl.Series) -> dict[str, str]:
    if roles.split is None:
        return {}
    given = frame[roles.split].cast(pl.String).str.strip_chars().str.to_lowercase()
    strange = sorted(set(given.drop_nulls()) - {*SPLITS, ""})
    if strange:
        raise InputError(
            f"data: {path}: {roles.split} = {strange[0][:LONGEST_NAME]!r}: expected train, test, or nothing in every "
            "row: rename the column if it is a sensor"
        )
    pairs = pl.DataFrame({"asset": asset, "split": given}).drop_nulls().unique()
    by = {name: set(part["asset"]) for (name,), part in pairs.partition_by("split", as_dict=True).items()}
    for name, assets in sorted(by.items()):
        check_disjoint(set().union(*(own for other, own in by.items() if other != name)), assets)
    return dict(pairs.iter_rows())


def _events(path: Path, what: str, begin: float, dated: bool, settings: DataSettings) -> pl.DataFrame:
    frame = table(path, max_bytes=settings.max_bytes)
    roles = roles_of(frame.columns)
    assert roles.asset is not None
    assert roles.time is not None
    times = [_times(frame[roles.time], f"{path.name}: {roles.time}", settings)]
    if roles.end:
        times.append(_times(frame[roles.end], f"{path.name}: {roles.end}", settings))
    if any(one.absolute != dated for one in times if one.minutes.count()):
        raise InputError(f"data: {path}: expected times as the readings have them: they share one clock")
    kind = frame[roles.kind].cast(pl.String).str.to_lowercase() if what == "events" and roles.kind else None
    strange = [] if kind is None else sorted(set(kind.drop_nulls()) - set(KINDS))
    if strange:
        raise InputError(f"data: {path}: kind {strange[0]!r}: expected {', '.join(KINDS)}")
    text = {
        name: frame[own].cast(pl.String)
        for name, own in (("component", roles.component), ("detail", roles.detail))
        if own
    }
    rows = pl.DataFrame({"asset": ids(frame[roles.asset], path.name), "time_min": times[0].minutes - begin, **text})
    rows = rows.with_columns(
        (kind if kind is not None else pl.lit(what)).alias("kind"),
        (times[1].minutes - begin if roles.end else pl.lit(None)).alias("end_min"),
        *(pl.lit("").alias(name) for name in ("component", "detail") if name not in text),
    )
    return rows.select(pl.col(name).cast(dtype) for name, dtype in EVENTS.items())


def _facts(files: list[Path], settings: DataSettings) -> pl.DataFrame:
    if not files:
        return pl.DataFrame(schema={"asset": pl.String})
    parts = []
    for path in files:
        frame = table(path, max_bytes=settings.max_bytes)
        asset = roles_of(frame.columns).asset
        assert asset is not None
        parts.append(frame.rename({asset: "asset"}).with_columns(ids(frame[asset], path.name).alias("asset")))
    rows = pl.concat(parts, how="diagonal_relaxed").group_by("asset", maintain_order=True)
    several = rows.agg(pl.all().drop_nulls().n_unique())
    for name in several.columns[1:]:
        if len(wrong := several.filter(pl.col(name) > 1)):
            raise InputError(
                f"data: {wrong[0, 'asset']}: expected one {name}, got {wrong[0, name]}: a fact does not change in time"
            )
    return rows.agg(pl.all().drop_nulls().first())
