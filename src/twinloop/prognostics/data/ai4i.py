"""Tables like AI4I 2020 (Matzka, AI4I 2020): a row per piece of a milling process, with failures and their modes.

Rows are pieces in the order of UDI on one machine, one a minute, unless there are times and machines; the modes
TWF … RNF are labels, never sensors.
"""

from collections import Counter
from pathlib import Path

import polars as pl

from twinloop.errors import InputError
from twinloop.prognostics.data.contradictions import consistent
from twinloop.prognostics.data.files import columns, kind_of, numbers, plain, table
from twinloop.prognostics.data.headings import ids, roles_of, sensors_of
from twinloop.prognostics.data.leaks import leaking
from twinloop.prognostics.data.nab import iso
from twinloop.prognostics.data.record import EVENTS, FAILURE, Record, lives_of
from twinloop.prognostics.data.screening import KEY, screened
from twinloop.prognostics.data.settings import DataSettings
from twinloop.prognostics.data.times import read_times

ASSET = "machine"
MODES = {
    "TWF": "tool wear",
    "HDF": "heat dissipation",
    "PWF": "power",
    "OSF": "overstrain",
    "RNF": "random",
}
TELLING = ("torque", "tool_wear", "rotational_speed", "air_temperature", "process_temperature")
FAILED = ("machine_failure", "target")
# What numbers pieces from the first to the last.
ORDERED = ("udi", "id")
NUMBERED = (*ORDERED, "product_id")
QUALITY = {"L": 0.0, "M": 1.0, "H": 2.0}


def claims(files: list[Path]) -> list[Path]:
    """CSV or Parquet tables with the process's five sensors and a column that says whether the machine failed."""
    tables = [(path, {plain(name)[0] for name in columns(path)}) for path in files if kind_of(path) != ".json"]
    return [path for path, names in tables if set(TELLING) <= names and names & set(FAILED)]


def read(files: list[Path], settings: DataSettings) -> Record:
    """A row a minute of one machine, or of those and at the times that the table names; other numbers are sensors too.

    Raises InputError for several files, and for a failure that is neither 0 nor 1.
    """
    if len(files) != 1:
        raise InputError(f"data: expected one table of pieces, got {len(files)}: name the file in DataSettings.source")
    path, telling = files[0], Counter[str]()
    frame, stamped, start = _on_clock(table(path, max_bytes=settings.max_bytes), path, settings)
    names = {name: plain(name)[0] for name in frame.columns if name not in KEY}
    failed_in = next(name for name, own in names.items() if own in FAILED)
    leaks = tuple(dict.fromkeys([*leaking(names), failed_in]))
    flags = {names[name]: numbers(frame[name])[0] for name in leaks}
    truths = {*FAILED, *(mode.lower() for mode in MODES)}
    strange = [own for own, column in flags.items() if own in truths and not column.is_in([0.0, 1.0]).all()]
    if strange:
        raise InputError(f"data: {path}: {strange[0]}: expected 0 or 1 in every row: repair the table")
    kept = [name for name in names if names[name] not in NUMBERED and (settings.with_leaks or name not in leaks)]
    values, units = sensors_of(frame, [name for name in kept if name != "Type"], path, telling)
    if "Type" in frame.columns:
        values["quality"] = frame["Type"].replace_strict(QUALITY, default=None, return_dtype=pl.Float64)
        units["quality"] = ""
    rows = pl.concat([frame.select(KEY), pl.DataFrame(values)], how="horizontal")
    telemetry, counts = screened(rows, units, settings, start=start)
    events = _events(
        frame.select(KEY).with_columns(column.alias(own) for own, column in flags.items()), names[failed_in]
    )
    events, dropped = consistent(events, telemetry, settings)
    return Record(
        telemetry,
        "ai4i",
        events=events,
        lives=lives_of(telemetry, events, events["component"].unique()),
        leaks=leaks,
        left_out=+(counts + telling + dropped),
        notes=(f"a row is a piece{'' if stamped else ', one a minute'}; failure modes are labels and no sensors",),
        clock="calendar" if stamped else "work",
    )


def _on_clock(frame: pl.DataFrame, path: Path, settings: DataSettings) -> tuple[pl.DataFrame, bool, str | None]:
    """The rows with asset and time_min, whether the table has times, and when they begin."""
    roles = roles_of(name for name in frame.columns if plain(name)[0] not in NUMBERED)
    asset = ids(frame[roles.asset], path.name) if roles.asset else pl.repeat(ASSET, len(frame), eager=True)
    bare = frame.drop(name for name in (roles.time, roles.asset) if name).with_columns(asset.alias("asset"))
    if roles.time is None:
        order = next((name for name in frame.columns if plain(name)[0] in ORDERED), None)
        rows = bare if order is None else bare.sort(numbers(bare[order])[0], maintain_order=True)
        return rows.with_columns(time_min=pl.int_range(pl.len()).over("asset").cast(pl.Float64)), False, None
    times = read_times(frame[roles.time], path.name, zone=settings.zone, ambiguous=settings.ambiguous)
    begin = float(times.minutes.min() or 0.0) if times.absolute else 0.0  # type: ignore[arg-type]
    return (
        bare.with_columns((times.minutes - begin).alias("time_min")),
        True,
        iso(begin) if times.absolute else None,
    )


def _events(rows: pl.DataFrame, failed: str) -> pl.DataFrame:
    """A failure per piece and mode; one without a mode is of the machine itself."""
    modes = [(name.lower(), words) for name, words in MODES.items() if name.lower() in rows.columns]
    broken = rows.filter(pl.col(failed) == 1)
    parts = [broken.filter(pl.col(own) == 1).with_columns(component=pl.lit(words)) for own, words in modes]
    without = broken.filter(~pl.any_horizontal([pl.col(own) == 1 for own, _ in modes])) if modes else broken
    parts.append(without.with_columns(component=pl.lit(ASSET)))
    events = pl.concat(part.select(*KEY, "component") for part in parts)
    events = events.with_columns(kind=pl.lit(FAILURE), end_min=None, detail=pl.lit(""))
    return events.select(pl.col(name).cast(kind) for name, kind in EVENTS.items()).sort("time_min", "component")
