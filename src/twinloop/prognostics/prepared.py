"""A source prepared for learning: features, lives and events on disk, with what is for training and what for test.

What is usual (limits, levels by load and regime) is learnt from training rows alone, before any feature is made.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from twinloop.contracts import Telemetry
from twinloop.contracts.clock import Clock
from twinloop.errors import InputError
from twinloop.files import fingerprint, read_json, replacing, sha256, write_json
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.data.record import Record
from twinloop.prognostics.evaluation.settings import SplitSettings
from twinloop.prognostics.evaluation.splits import lives_until, unit_time_split
from twinloop.prognostics.features.reference import Reference, fit_reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.stream import FeatureStream
from twinloop.prognostics.features.windows import window_number
from twinloop.prognostics.models.table import FeatureTable
from twinloop.progress import bar

Split = Literal["train", "test"]
TRAIN: Split = "train"
TEST: Split = "test"
NOBODY = ""
FILE = "dataset.json"
TABLES = ("windows", "lives", "events", "facts")
# Assets whose rows become features together: of ten sensors, some hundred megabytes.
TOGETHER = 20
MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR


@dataclass(frozen=True, eq=False)
class Prepared:
    """A dataset on disk. about: layout, units, start, clock, cut_min, what was left out, digest.

    shown: the same of those assets that pages show.
    """

    folder: Path
    about: dict[str, Any]

    @classmethod
    def load(cls, folder: Path) -> "Prepared":
        """What `prepare` wrote. Raises InputError where there is none, and where a table is another one since."""
        path = folder / FILE
        if not path.is_file():
            raise InputError(f"dataset: {path}: expected a prepared dataset, found none: run the prepare stage first")
        try:
            about = read_json(path)
        except ValueError as error:
            raise InputError(f"dataset: {path}: cannot be read ({error}): run the prepare stage again") from None
        if not isinstance(about, dict) or "sha256" not in about:
            raise InputError(f"dataset: {path}: expected what the prepare stage writes: run it again")
        if tables_digest(folder) != about["sha256"]:
            raise InputError(
                f"dataset: {folder}: its tables are not those that were prepared (cut or changed since): run the "
                "prepare stage again"
            )
        return cls(folder, about)

    def table(self, *, shown: bool = False) -> FeatureTable:
        """Features of all windows in order."""
        return FeatureTable.of(self._read("windows", shown=shown).drop("split"))

    def rows(self, split: Split) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Places of the rows of a split in `table()`."""
        return np.flatnonzero(self._read("windows", shown=False, columns=["split"])["split"].to_numpy() == split)

    @property
    def end_min(self) -> float:
        """End of the last window of all."""
        return float(self._read("windows", shown=False, columns=["time_min"])["time_min"].to_numpy().max())

    def learnt(self) -> tuple[FeatureTable, pl.DataFrame]:
        """Training rows, and lives as they were known when training ended."""
        table = self.table()
        own = np.zeros(len(table), dtype=np.bool_)
        own[self.rows(TRAIN)] = True
        lives = self.lives().filter(pl.col("split") == TRAIN)
        known = lives_until(lives, float(table.time_min[own].max())) if self.about["cut_min"] else lives
        return table.where(own).compact(), known

    def lives(self, *, shown: bool = False) -> pl.DataFrame:
        """Lives of all components, LIVES of data.record."""
        return self._read("lives", shown=shown)

    def events(self, *, shown: bool = False) -> pl.DataFrame:
        """EVENTS of data.record."""
        return self._read("events", shown=shown)

    def facts(self, *, shown: bool = False) -> pl.DataFrame:
        """A row per asset."""
        return self._read("facts", shown=shown)

    @property
    def telemetry(self) -> Telemetry:
        """Rows of the shown assets."""
        return Telemetry.load(self.folder / "shown_telemetry.parquet")

    @property
    def reference(self) -> Reference:
        """What is usual."""
        return Reference.of(read_json(self.folder / "reference.json"))

    @property
    def clock(self) -> Clock:
        """Of all times."""
        clock: Clock = self.about["clock"]
        return clock

    def _read(self, name: str, *, shown: bool, columns: list[str] | None = None) -> pl.DataFrame:
        path = self.folder / f"{'shown_' if shown else ''}{name}.parquet"
        try:
            return pl.read_parquet(path, columns=columns)
        except (OSError, pl.exceptions.PolarsError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"dataset: {path}: cannot be read ({reason}): run the prepare stage again") from None


def prepare(
    record: Record,
    target: Path,
    features: FeatureSettings,
    split: SplitSettings,
    *,
    shown: Record | None = None,
    show: int = 10,
    seed: int,
) -> Prepared:
    """Write the dataset of a source in place of what `target` held.

    shown: another record of the same sensors that pages show; without one, the first `show` test assets.
    Raises InputError for a source without lives, for one whose windows leave a side of the split empty, and for a
    shown record of other sensors.
    """
    if record.lives.is_empty():
        raise InputError(
            "dataset: no life of any component is known: give events (failures, repairs) or labels with the telemetry"
        )
    if shown is not None and shown.telemetry.units != record.telemetry.units:
        raise InputError("dataset: expected the shown assets to have the same sensors and units")
    parts, cut = _divided(record, features, split, seed=seed)
    test = _assets(parts, TEST)
    reference = fit_reference(_learnt(record, parts, cut, split), features, seed=seed)
    windows = _windows(record, reference, features)
    windows = windows.join(parts, on=["asset", "time_min"], how="left", maintain_order="left")
    windows = windows.with_columns(pl.col("split").fill_null(NOBODY))
    lives = record.lives.with_columns(
        split=pl.when(pl.col("asset").is_in(test)).then(pl.lit(TEST)).otherwise(pl.lit(TRAIN))
    )
    if shown is None:
        shown = record.of_assets(test[:show])
        shown_windows = windows.filter(pl.col("asset").is_in(test[:show]))
    else:
        shown_windows = _windows(shown, reference, features).with_columns(split=pl.lit(NOBODY))
    about = {
        "layout": record.layout,
        "clock": record.clock,
        "units": dict(record.telemetry.units),
        "start": record.telemetry.start,
        "cut_min": cut,
        "step_min": _step(record.telemetry.frame),
        "assets": record.telemetry.frame["asset"].n_unique(),
        "test_assets": test,
        "rows": len(record.telemetry),
        "windows": len(windows),
        "components": lives["component"].unique().sort().to_list(),
        "leaks": list(record.leaks),
        "left_out": dict(record.left_out),
        "notes": [*record.notes, *(shown.notes if shown.notes != record.notes else ())],
        "features": dataclasses.asdict(features),
    }
    with replacing(target) as fresh:
        written = {"windows": windows, "lives": lives, "events": record.events, "facts": _facts(record)}
        own = {"windows": shown_windows, "lives": shown.lives, "events": shown.events, "facts": _facts(shown)}
        for name, frame in written.items():
            frame.write_parquet(fresh / f"{name}.parquet")
            own[name].write_parquet(fresh / f"shown_{name}.parquet")
        shown.telemetry.save(fresh / "shown_telemetry.parquet")
        write_json(fresh / "reference.json", reference.record())
        write_json(fresh / FILE, about | {"sha256": tables_digest(fresh)})
    return Prepared.load(target)


def tables_digest(folder: Path) -> str:
    """Of the tables that are learnt from and judged on; a table that is missing has none."""
    paths = {name: folder / f"{name}.parquet" for name in TABLES}
    return fingerprint({name: sha256(path) for name, path in paths.items() if path.is_file()})


def _divided(
    record: Record, settings: FeatureSettings, split: SplitSettings, *, seed: int
) -> tuple[pl.DataFrame, float]:
    """asset, time_min (a window's end) and split of every window, and the minute from which test assets are judged."""
    length = settings.window_min
    frame = record.telemetry.frame.select(pl.col("asset").cast(pl.String))
    ends = (window_number(record.telemetry.frame["time_min"].to_numpy(), length) + 1) * length
    frame = frame.with_columns(time_min=pl.Series(ends, dtype=pl.Float64))
    frame = frame.unique(maintain_order=True).sort("asset", "time_min")
    given = record.lives.filter(pl.col("split") != "").select("asset", "split").unique()
    if len(given):
        sides = {name: given.filter(pl.col("split") == name)["asset"].n_unique() for name in (TRAIN, TEST)}
        if not all(sides.values()):
            raise InputError(
                f"split: the data name {sides[TRAIN]} assets for training and {sides[TEST]} for test: expected some of "
                "both, or leave the split out of the data"
            )
        return frame.join(given, on="asset", how="left").with_columns(pl.col("split").fill_null(NOBODY)), 0.0
    table = FeatureTable.of(frame)
    made = unit_time_split(
        table,
        test_share=split.test_share,
        time_share=split.time_share,
        gap_min=split.gap_days * MINUTES_PER_DAY,
        seed=seed,
    )
    names = np.select([made.train, made.test], [TRAIN, TEST], NOBODY)
    return frame.with_columns(split=pl.Series(names)), made.cut_min


def _learnt(record: Record, parts: pl.DataFrame, cut: float, split: SplitSettings) -> Telemetry:
    """Rows of training: of assets that are not for test, until the gap."""
    frame, last = record.telemetry.frame, cut - split.gap_days * MINUTES_PER_DAY
    own = pl.col("asset").cast(pl.String).is_in(_assets(parts, TRAIN))
    kept = frame.filter(own & (pl.col("time_min") <= last) if cut else own)
    return Telemetry(kept, record.telemetry.units, record.telemetry.start)


def _windows(record: Record, reference: Reference, settings: FeatureSettings) -> pl.DataFrame:
    stream = FeatureStream(
        record.telemetry.units, reference, settings, events=record.events.select("asset", "kind", "time_min")
    )
    parts = []
    batches = list(_batches(record.telemetry.frame))
    with bar("features", len(batches)) as shown:
        for rows in batches:
            parts.append(stream.push(rows))
            shown.step()
    return pl.concat([*parts, stream.close()]).sort("asset", "time_min")


def _batches(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows of some assets at a time; assets come in order."""
    starts = frame["asset"].rle_id()
    total = int(starts[-1]) + 1 if len(frame) else 0
    for first in range(0, total, TOGETHER):
        low, high = starts.search_sorted(first), starts.search_sorted(first + TOGETHER)
        yield frame[int(low) : int(high)]


def _step(frame: pl.DataFrame) -> float:
    """Minutes between rows, as a rule: what one row of work stands for."""
    steps = frame.select(step=pl.col("time_min").diff().over("asset"))["step"].drop_nulls()
    return float(steps.median() or 1.0)  # type: ignore[arg-type]


def _assets(parts: pl.DataFrame, split: str) -> list[str]:
    return parts.filter(pl.col("split") == split)["asset"].unique().sort().to_list()


def _facts(record: Record) -> pl.DataFrame:
    """A row per asset, also where the source tells nothing of them."""
    if len(record.facts):
        return record.facts
    return pl.DataFrame({"asset": sorted(record.telemetry.assets)})
