"""Series of the Numenta Anomaly Benchmark (Lavin and Ahmad, 2015): timestamp and value, with windows of anomalies.

The timestamps carry no zone; nothing in the benchmark depends on one, so they are read as UTC. One series was written
by a clock that was set back in autumn: unless told otherwise its rows are ordered, of two of one time the first stays.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.errors import InputError
from twinloop.prognostics.data.files import columns, content, kind_of, numbers, stem_of, table
from twinloop.prognostics.data.record import WINDOWS, Record
from twinloop.prognostics.data.screening import screened
from twinloop.prognostics.data.settings import DataSettings
from twinloop.prognostics.data.times import read_times

HEADER = ["timestamp", "value"]
UNITS = {"value": ""}
# The benchmark's harness leaves this share of a series, at most of 5000 rows, for detectors to settle.
PROBATION, PROBATION_ROWS = 0.15, 5000


def claims(files: list[Path]) -> list[Path]:
    """CSV files of timestamp and value, where a JSON file of windows names at least one of them."""
    series = [path for path in files if kind_of(path) == ".csv" and columns(path) == HEADER]
    windows = [path for path in files if _names(path) & {item.name for item in series}]
    return sorted(series + windows) if windows else []


def _names(path: Path) -> set[str]:
    if kind_of(path) != ".json":
        return set()
    return {Path(name).name for name in _windows(path)}


def _windows(path: Path) -> dict[str, list[list[str]]]:
    """Windows by file; nothing for JSON that is something else."""
    try:
        value: Any = json.loads(content(path, max_bytes=1 << 26))
    except ValueError:
        return {}
    pairs = isinstance(value, dict) and all(
        isinstance(spans, list) and all(isinstance(span, list) and len(span) == 2 for span in spans)
        for spans in value.values()
    )
    return value if pairs else {}


def read(files: list[Path], settings: DataSettings) -> Record:
    """Every series as an asset with the sensor `value`; windows of anomalies by asset.

    Raises InputError for a window that ends before it begins, for two series of one name, and for times that are none.
    """
    settings = replace(
        settings,
        zone=settings.zone or "UTC",
        backwards="order" if settings.backwards == "refuse" else settings.backwards,
        duplicates="first" if settings.duplicates == "refuse" else settings.duplicates,
    )
    own = [path for path in files if kind_of(path) == ".csv"]
    series = {path.name: path for path in own}
    if len(series) < len(own):
        twice = next(path for path in own if series[path.name] != path)
        raise InputError(f"data: {twice}: another series has this name, by which windows are known: rename one")
    parts, unread = [], 0
    for path in series.values():
        frame = table(path, max_bytes=settings.max_bytes)
        value, bad = numbers(frame["value"])
        times = read_times(frame["timestamp"], path.name, zone=settings.zone, ambiguous=settings.ambiguous)
        if not times.absolute:
            raise InputError(f"data: {path}: expected timestamps, got numbers: write them as the windows' are")
        parts.append(
            pl.DataFrame({"time_min": times.minutes, "value": value}).with_columns(asset=pl.lit(stem_of(path)))
        )
        unread += bad
    rows = pl.concat(parts)
    # Series of several years: each on its own clock would lose the calendar that demand follows.
    begin = float(rows["time_min"].min())  # type: ignore[arg-type]
    telemetry, counts = screened(rows.with_columns(pl.col("time_min") - begin), UNITS, settings, start=iso(begin))
    counts["values that are no number"] = unread
    labels = {name: spans for path in files for name, spans in _windows(path).items() if Path(name).name in series}
    listed = [(stem_of(Path(name)), *span) for name, spans in labels.items() for span in spans]
    texts = pl.DataFrame(listed, schema={"asset": pl.String, "begin": pl.String, "end": pl.String}, orient="row")
    begins, ends = (
        read_times(texts[side], "windows", zone=settings.zone, ambiguous=settings.ambiguous).minutes - begin
        for side in ("begin", "end")
    )
    windows = pl.DataFrame([texts["asset"], begins.alias("begin_min"), ends.alias("end_min")], schema=WINDOWS)
    windows = windows.unique().sort("asset", "begin_min")
    wrong = windows.filter(pl.col("end_min") < pl.col("begin_min"))
    if len(wrong):
        raise InputError(f"data: {wrong[0, 'asset']}: expected windows that end after they begin: repair the labels")
    spans = rows.group_by("asset").agg(first=pl.col("time_min").min() - begin, last=pl.col("time_min").max() - begin)
    outside = (pl.col("end_min") < pl.col("first")) | (pl.col("begin_min") > pl.col("last"))
    wrong = windows.join(spans, on="asset").filter(outside)
    if len(wrong):
        raise InputError(
            f"data: {wrong[0, 'asset']}: a window lies outside its series ({len(wrong)} such): write both in one zone"
        )
    notes = (f"the first {PROBATION:.0%} of a series, at most {PROBATION_ROWS} rows of it, are for settling",)
    return Record(telemetry, "nab", windows=windows, left_out=+counts, notes=notes)


def iso(minutes: float) -> str:
    """ISO 8601 in UTC of minutes since 1970."""
    return str(pl.Series([round(minutes * 60e6)]).cast(pl.Datetime("us", "UTC")).dt.strftime("%Y-%m-%dT%H:%M:%S%:z")[0])
