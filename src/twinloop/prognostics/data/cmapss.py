"""C-MAPSS turbofans, run to failure (Saxena, Goebel, Simon and Eklund, PHM 2008): FD001 … FD004, plain or gzipped.

A file is recognised by its numbers: 26 columns, parted by blanks or commas, whole units
and cycles that count from 1. One cycle is one flight.
"""

import io
import math
import re
from pathlib import Path

import polars as pl

from twinloop.contracts import Telemetry
from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.data.files import beginning, content, stem_of
from twinloop.prognostics.data.record import LIVES, Record
from twinloop.prognostics.data.screening import screened
from twinloop.prognostics.data.settings import DataSettings

SETTINGS = {"setting_1": "", "setting_2": "", "setting_3": ""}
SENSORS = {
    "T2": "°R",
    "T24": "°R",
    "T30": "°R",
    "T50": "°R",
    "P2": "psia",
    "P15": "psia",
    "P30": "psia",
    "Nf": "rpm",
    "Nc": "rpm",
    "epr": "",
    "Ps30": "psia",
    "phi": "pps/psi",
    "NRf": "rpm",
    "NRc": "rpm",
    "BPR": "",
    "farB": "",
    "htBleed": "",
    "Nf_dmd": "rpm",
    "PCNfR_dmd": "rpm",
    "W31": "lbm/s",
    "W32": "lbm/s",
}
UNITS = SETTINGS | SENSORS
COLUMNS = ("unit", "cycle", *UNITS)
COMPONENT = "engine"
NAME = re.compile(r"(train|test|rul)[_-]?(\w*)", re.IGNORECASE)


def claims(files: list[Path]) -> list[Path]:
    """The files of 26 numbers a row, and those of remaining lives (one number a row) whose names go with them."""
    tables = [path for path in files if _widths(path) == {len(COLUMNS)}]
    subsets = {_parts(path)[1] for path in tables}
    lives = [path for path in files if _widths(path) == {1} and _parts(path)[0] == "rul" and _parts(path)[1] in subsets]
    return sorted(tables + lives)


def _widths(path: Path) -> set[int]:
    try:
        rows = [[float(cell) for cell in _cells(line)] for line in beginning(path) if line.strip()]
    except ValueError:
        return set()
    whole = all(row[:2] == [int(row[0]), int(row[1])] for row in rows if len(row) == len(COLUMNS))
    return {len(row) for row in rows} if whole else set()


def _cells(line: str) -> list[str]:
    return line.replace(",", " ").split()


def _parts(path: Path) -> tuple[str, str]:
    """What the file holds (train, test, rul) and of which subset."""
    match = NAME.fullmatch(stem_of(path))
    if match is None:
        raise InputError(f"data: {path}: expected a name as train_FD001.txt, test_FD001.txt or RUL_FD001.txt")
    return match[1].lower(), match[2].upper()


def read(files: list[Path], settings: DataSettings) -> Record:
    """Units of training and test as train_001 …, test_001 …; a test unit's life ends where its RUL file says.

    Without a RUL file test lives are cut at their last cycle. Raises InputError for several subsets of which none is
    chosen, for a RUL file of another length, and for units that skip cycles.
    """
    subsets = sorted({_parts(path)[1] for path in files})
    subset = settings.subset.upper() or (subsets[0] if len(subsets) == 1 else "")
    if subset not in subsets:
        raise InputError(
            f"data: expected DataSettings.subset to be one of {', '.join(subsets)}, got {settings.subset!r}: "
            "units of several subsets are different fleets"
        )
    chosen = {part: path for path in files for part, own in [_parts(path)] if own == subset}
    tables = {part: _table(chosen[part], settings) for part in ("train", "test") if part in chosen}
    rows = pl.concat(
        frame.select(
            asset=part + "_" + pl.col("unit").cast(pl.Int64).cast(pl.String).str.zfill(3),
            time_min=pl.col("cycle") * settings.cycle_hours * MINUTES_PER_HOUR,
            **{name: pl.col(name) for name in UNITS},
        )
        for part, frame in tables.items()
    )
    telemetry, counts = screened(rows, UNITS, settings)
    remaining = _remaining(chosen["rul"], settings) if "rul" in chosen else None
    return Record(
        telemetry,
        "cmapss",
        lives=_lives(telemetry, remaining, settings),
        left_out=counts,
        notes=(f"C-MAPSS {subset}: {', '.join(sorted(chosen))}; one cycle is {settings.cycle_hours:g} h of work",),
        clock="work",
    )


def _table(path: Path, settings: DataSettings) -> pl.DataFrame:
    text = content(path, max_bytes=settings.max_bytes).decode("utf-8", errors="replace")
    squeezed = "\n".join(",".join(_cells(line)) for line in text.splitlines() if line.strip())
    try:
        frame = pl.read_csv(
            io.StringIO(squeezed),
            has_header=False,
            new_columns=list(COLUMNS),
            schema_overrides=[pl.Float64] * len(COLUMNS),
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"data: {path}: expected {len(COLUMNS)} numbers a row, got another row: {reason}") from None
    steps = frame.select(skips=(pl.col("cycle").diff().over("unit") != 1).sum())["skips"][0]
    if steps:
        raise InputError(f"data: {path}: expected cycles 1, 2, 3 … of every unit, {steps} steps differ: repair it")
    return frame


def _remaining(path: Path, settings: DataSettings) -> list[float]:
    text = content(path, max_bytes=settings.max_bytes).decode("utf-8", errors="replace")
    try:
        remaining = [float(cell) for cell in text.split()]
    except ValueError as error:
        raise InputError(f"data: {path}: expected one number a row, the cycles that remain: {error}") from None
    if wrong := [cycles for cycles in remaining if not 0 <= cycles < math.inf]:
        raise InputError(f"data: {path}: expected cycles that remain, from 0 on, got {wrong[0]:g}: repair the file")
    return remaining


def _lives(telemetry: Telemetry, remaining: list[float] | None, settings: DataSettings) -> pl.DataFrame:
    ends = telemetry.frame.group_by(pl.col("asset").cast(pl.String), maintain_order=True).agg(
        end_min=pl.col("time_min").last()
    )
    train, test = (ends.filter(pl.col("asset").str.starts_with(part)) for part in ("train", "test"))
    if remaining is not None and len(test):
        if len(remaining) != len(test):
            raise InputError(
                f"data: expected one remaining life per test unit ({len(test)}), the RUL file has {len(remaining)}: "
                "take the files of one subset"
            )
        minutes = pl.Series(remaining) * settings.cycle_hours * MINUTES_PER_HOUR
        test = test.with_columns(pl.col("end_min") + minutes)
    failed = remaining is not None
    lives = pl.concat(
        [
            train.with_columns(failed=pl.lit(value=True), split=pl.lit("train")),
            test.with_columns(failed=pl.lit(failed), split=pl.lit("test")),
        ]
    ).with_columns(component=pl.lit(COMPONENT), begin_min=pl.lit(0.0))
    return lives.select(pl.col(name).cast(kind) for name, kind in LIVES.items()).sort("asset")
