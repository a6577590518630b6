"""What every detector of anomalies is to its users: columns that it looks at, and a stream per asset.

A stream is given the asset's rows as they come, in any chunks, and says of each how unusual it is and whether to raise
an alarm; what it says of a row depends on that row and earlier ones alone.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.models.table import AGES, FeatureTable

Floats = NDArray[np.float64]
ANOMALIES: dict[str, Any] = {
    "asset": pl.String,
    "time_min": pl.Float64,
    "detector": pl.String,
    "score": pl.Float64,
    "alarm": pl.Boolean,
    "column": pl.String,
}


class Said(NamedTuple):
    """Of n rows: score, the higher the more unusual, in the detector's own unit; alarm; column: [n], place of the most
    unusual column, -1 where they are looked at together or nothing is unusual."""

    score: Floats
    alarm: NDArray[np.bool_]
    column: NDArray[np.int64]


class Stream(Protocol):
    """One asset's rows as they come."""

    def push(self, values: Floats) -> Said:
        """What is said of the next rows, [n, F] with NaN where a value is missing."""
        ...


class Detector(Protocol):
    """columns: names of the F columns that it looks at, in order."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    def stream(self) -> Stream:
        """The state before an asset's first row."""
        ...


def anomalies(table: FeatureTable, detectors: Mapping[str, Detector]) -> pl.DataFrame:
    """What each detector says of every row of the table: `ANOMALIES`, ordered by detector, asset and time.

    Raises InputError for a column that a detector looks at and the table lacks.
    """
    parts = [pl.DataFrame(schema=ANOMALIES)]
    bounds = np.append(0, table.last + 1)
    names = np.array(table.assets)[table.unit]
    for name, detector in detectors.items():
        values = table.selected(detector.columns).astype(np.float64)
        said = [detector.stream().push(values[a:b]) for a, b in pairwise(bounds)]
        score, alarm, column = (np.concatenate(part) for part in zip(*said, strict=True))
        labels = np.array([*detector.columns, ""])
        parts.append(
            pl.DataFrame(
                {
                    "asset": names,
                    "time_min": table.time_min,
                    "detector": np.full(len(names), name),
                    "score": score,
                    "alarm": alarm,
                    "column": labels[column],
                },
                schema=ANOMALIES,
            )
        )
    return pl.concat(parts)


def rows_of(values: Floats, width: int) -> Floats:
    """The rows given to a stream, [n, width], with NaN for what is not finite. Raises InputError for another shape."""
    rows = np.array(values, np.float64, order="C")
    if rows.ndim != 2 or rows.shape[1] != width:
        raise InputError(f"anomaly: expected rows of {width} values, one per column, got {list(rows.shape)}")
    rows[~np.isfinite(rows)] = np.nan
    return rows


def watched(table: FeatureTable, columns: tuple[str, ...] | None) -> tuple[str, ...]:
    """The columns that a detector looks at: those named, else all that vary, but for ages: old is not unusual.

    Raises InputError where there is none, or one is not in the table.
    """
    found = tuple(name for name in table.varying if name not in AGES) if columns is None else columns
    if not found:
        raise InputError("anomaly: expected a column whose values differ to watch, got none: name other sensors")
    table.selected(found)
    return found
