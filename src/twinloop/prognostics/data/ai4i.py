"""Tables like AI4I 2020 (Matzka, AI4I 2020): a row per piece of a milling process, with failures and their modes.

Rows are pieces in the order of UDI on one machine, one a minute; the modes TWF … RNF are labels, never sensors.
"""

from pathlib import Path

import polars as pl

from twinloop.errors import InputError
from twinloop.prognostics.data.files import columns, kind_of, numbers, plain, table
from twinloop.prognostics.data.leaks import leaking
from twinloop.prognostics.data.record import EVENTS, FAILURE, Record, lives_of
from twinloop.prognostics.data.screening import screened
from twinloop.prognostics.data.settings import DataSettings

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
QUALITY = {"L": 0.0, "M": 1.0, "H": 2.0}


def claims(files: list[Path]) -> list[Path]:
    """CSV or Parquet tables with the process's five sensors and a column that says whether the machine failed."""
    tables = [(path, {plain(name)[0] for name in columns(path)}) for path in files if kind_of(path) != ".json"]
    return [path for path, names in tables if set(TELLING) <= names and names & set(FAILED)]


def read(files: list[Path], settings: DataSettings) -> Record:
    """One machine, a row a minute. Raises InputError for several files, and for a failure that is neither 0 nor 1."""
    if len(files) != 1:
        raise InputError(f"data: expected one table of pieces, got {len(files)}: name the file in DataSettings.source")
    frame = table(files[0], max_bytes=settings.max_bytes)
    names = {name: plain(name) for name in frame.columns}
    failed_in = next(name for name, (own, _) in names.items() if own in FAILED)
    leaks = tuple(dict.fromkeys([*leaking(frame.columns), failed_in]))
    values, texts = {}, 0
    for name, (own, _) in names.items():
        if own in TELLING or name in leaks:
            values[own], bad = numbers(frame[name])
            texts += bad
    if "Type" in frame.columns:
        values["quality"] = frame["Type"].replace_strict(QUALITY, default=None, return_dtype=pl.Float64)
    rows = pl.DataFrame(values).with_columns(asset=pl.lit(ASSET), time_min=pl.int_range(pl.len()).cast(pl.Float64))
    flags = {own: values[own] for name, (own, _) in names.items() if name in leaks}
    truths = {*FAILED, *(mode.lower() for mode in MODES)}
    strange = [own for own, column in flags.items() if own in truths and not column.is_in([0.0, 1.0]).all()]
    if strange:
        raise InputError(f"data: {files[0]}: {strange[0]}: expected 0 or 1 in every row: repair the table")
    kept = [own for name, (own, _) in names.items() if own in TELLING or (settings.with_leaks and name in leaks)]
    units = {own: unit for name, (own, unit) in names.items() if own in kept}
    units |= {"quality": ""} if "quality" in values else {}
    telemetry, counts = screened(rows.select("asset", "time_min", *units), units, settings)
    counts["values that are no number"] = texts
    events = _events(rows, plain(failed_in)[0])
    return Record(
        telemetry,
        "ai4i",
        events=events,
        lives=lives_of(telemetry, events, events["component"].unique()),
        leaks=leaks,
        left_out=+counts,
        notes=("a row is a piece, one a minute; failure modes are labels and no sensors",),
        clock="work",
    )


def _events(rows: pl.DataFrame, failed: str) -> pl.DataFrame:
    """A failure per piece and mode; one without a mode is of the machine itself."""
    modes = [(name.lower(), words) for name, words in MODES.items() if name.lower() in rows.columns]
    broken = rows.filter(pl.col(failed) == 1)
    parts = [broken.filter(pl.col(own) == 1).with_columns(component=pl.lit(words)) for own, words in modes]
    without = broken.filter(~pl.any_horizontal([pl.col(own) == 1 for own, _ in modes])) if modes else broken
    parts.append(without.with_columns(component=pl.lit(ASSET)))
    events = pl.concat(part.select("asset", "component", "time_min") for part in parts)
    events = events.with_columns(kind=pl.lit(FAILURE), end_min=None, detail=pl.lit(""))
    return events.select(pl.col(name).cast(kind) for name, kind in EVENTS.items()).sort("time_min", "component")
