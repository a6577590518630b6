"""Five tables as in Microsoft's predictive-maintenance example: telemetry, errors, maintenance, failures, machines.

They are told apart by their columns, so any names of files will do; only telemetry must be there.
"""

from collections import Counter
from pathlib import Path

import polars as pl

from twinloop.errors import InputError
from twinloop.prognostics.data.contradictions import consistent
from twinloop.prognostics.data.files import columns, kind_of, table
from twinloop.prognostics.data.headings import sensors_of
from twinloop.prognostics.data.leaks import leaking
from twinloop.prognostics.data.nab import iso
from twinloop.prognostics.data.record import ERROR, EVENTS, FAILURE, MAINTENANCE, Record, lives_of
from twinloop.prognostics.data.screening import screened
from twinloop.prognostics.data.settings import DataSettings
from twinloop.prognostics.data.times import read_times

KEY = {"datetime", "machineid"}
SENSORS = {"volt": "V", "rotate": "rpm", "pressure": "", "vibration": ""}
# What a table holds, by the one column that it has beside its key.
TABLES = {"errorid": ERROR, "comp": MAINTENANCE, "failure": FAILURE}


def _role(path: Path) -> str:
    names = {name.lower() for name in columns(path) if name} if kind_of(path) != ".json" else set()
    if KEY | set(SENSORS) <= names:
        return "telemetry"
    for own, kind in TABLES.items():
        if KEY | {own} == names:
            return kind
    return "machines" if {"machineid", "model", "age"} <= names and "datetime" not in names else ""


def claims(files: list[Path]) -> list[Path]:
    """Every file that is one of the five tables, if telemetry is among them."""
    roles = {path: _role(path) for path in files}
    return [path for path, role in roles.items() if role] if "telemetry" in roles.values() else []


def read(files: list[Path], settings: DataSettings) -> Record:
    """All five tables on one clock. Timestamps need a zone: the example's own have none, take UTC.

    Raises InputError for two tables of one role.
    """
    roles = [_role(path) for path in files]
    if len(set(roles)) < len(roles):
        raise InputError("data: expected each of the five tables once: name their folder in DataSettings.source")
    tables = {role: _lower(table(path, max_bytes=settings.max_bytes)) for path, role in zip(files, roles, strict=True)}
    telling: Counter[str] = Counter()
    rows = _timed(tables["telemetry"], "telemetry", settings)
    names = [name for name in tables["telemetry"].columns if name not in KEY]
    hidden = () if settings.with_leaks else leaking(names)
    path = files[roles.index("telemetry")]
    values, units = sensors_of(rows, [name for name in names if name not in hidden], path, telling)
    units = {name: unit or SENSORS.get(name, "") for name, unit in units.items()}
    rows = pl.concat([rows.select("asset", "time_min"), pl.DataFrame(values)], how="horizontal")
    begin = float(rows["time_min"].min())  # type: ignore[arg-type]
    telemetry, counts = screened(rows.with_columns(pl.col("time_min") - begin), units, settings, start=iso(begin))
    counts += telling
    events = pl.concat(
        [pl.DataFrame(schema=EVENTS)]
        + [_events(tables[kind], own, kind, begin, settings) for own, kind in TABLES.items() if kind in tables]
    )
    events, dropped = consistent(events, telemetry, settings)
    facts = tables.get("machines", pl.DataFrame({"machineid": []}, schema={"machineid": pl.String}))
    facts = facts.rename({"machineid": "asset"}).with_columns(_asset("asset"))
    silent = facts.filter(~pl.col("asset").is_in(list(telemetry.assets)))
    counts["assets without telemetry"] = len(silent)
    components = events.filter(pl.col("kind").is_in([FAILURE, MAINTENANCE]))["component"].unique()
    return Record(
        telemetry,
        "azure",
        events=events,
        lives=lives_of(telemetry, events, components),
        facts=facts.filter(pl.col("asset").is_in(list(telemetry.assets))),
        leaks=hidden,
        left_out=+(counts + dropped),
    )


def _lower(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.rename({name: name.lower() for name in frame.columns})


def _asset(name: str) -> pl.Expr:
    # Numbers as text of one width, so that their order is that of the numbers.
    return pl.col(name).cast(pl.String).str.zfill(3).alias("asset")


def _timed(frame: pl.DataFrame, where: str, settings: DataSettings) -> pl.DataFrame:
    times = read_times(frame["datetime"], where, zone=settings.zone, ambiguous=settings.ambiguous)
    if not times.absolute:
        raise InputError(f"data: {where}: expected timestamps in datetime, got numbers: the tables share one clock")
    return frame.with_columns(_asset("machineid"), times.minutes.alias("time_min"))


def _events(frame: pl.DataFrame, own: str, kind: str, begin: float, settings: DataSettings) -> pl.DataFrame:
    rows = _timed(frame, kind, settings).with_columns(
        pl.col("time_min") - begin,
        kind=pl.lit(kind),
        component=pl.lit("") if kind == ERROR else pl.col(own),
        end_min=None,
        detail=pl.col(own) if kind == ERROR else pl.lit(""),
    )
    return rows.select(pl.col(name).cast(dtype) for name, dtype in EVENTS.items())
