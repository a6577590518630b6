"""Features of Parquet files one after the other, for telemetry that is larger than memory.

Some rows are in memory at a time, however long a file or a row group of it is, and of each asset the sums of its open
window and what it remembers.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from twinloop.contracts.telemetry import ASSET, TIME
from twinloop.errors import InputError
from twinloop.files import atomic
from twinloop.prognostics.features.reference import Reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.stream import NO_EVENTS, FeatureStream

# Rows that are read together.
ROWS = 1 << 18


def feature_files(
    files: Iterable[Path],
    target: Path,
    units: Mapping[str, str],
    reference: Reference,
    settings: FeatureSettings,
    *,
    events: pl.DataFrame = NO_EVENTS,
) -> int:
    """Features of the windows that each file closes, in a file of its own, and in a last one those then still open.

    files: with asset, time_min and the sensors, by asset or by time, in order of time per asset from file to file.
    Returns the number of windows. What `target` held before stays; files are named part-00000.parquet …. Raises
    InputError for a file that cannot be read, without one of the columns, or with rows out of order.
    """
    stream, total = FeatureStream(units, reference, settings, events=events), 0
    for number, part in enumerate(_parts(files, list(units), stream)):
        with atomic(target / f"part-{number:05d}.parquet") as temporary:
            part.write_parquet(temporary)
        total += len(part)
    return total


def _parts(files: Iterable[Path], sensors: list[str], stream: FeatureStream) -> Iterator[pl.DataFrame]:
    for path in files:
        yield pl.concat([pl.DataFrame(schema=stream.schema), *map(stream.push, _rows(path, sensors))])
        if stream.late:
            raise InputError(
                f"features: {path}: expected rows in order of time per asset, {stream.late} are not later than one "
                "before: sort them by asset and time_min, and name the files in order of time"
            )
    yield stream.close()


def _rows(path: Path, sensors: list[str]) -> Iterator[pl.DataFrame]:
    try:
        with pq.ParquetFile(path) as file:
            missing = [name for name in (ASSET, TIME, *sensors) if name not in file.schema_arrow.names]
            if missing:
                raise InputError(
                    f"features: {path}: expected the columns {ASSET}, {TIME} and a column per sensor, without "
                    f"{missing[0]!r}: name the sensors as in their units"
                )
            for batch in file.iter_batches(ROWS, columns=[ASSET, TIME, *sensors], use_threads=False):
                rows = pl.DataFrame(batch)
                known = rows[ASSET].is_not_null() & rows[TIME].cast(pl.Float64).is_finite().fill_null(value=False)
                if not known.all():
                    raise InputError(
                        f"features: {path}: expected {ASSET} and {TIME} in every row, one of them is missing in "
                        f"{(~known).sum()} of {len(rows)}: drop or repair these rows"
                    )
                yield rows
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"features: {path}: expected a Parquet file, it cannot be read: {reason}") from None
