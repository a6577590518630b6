"""Features of a stream of telemetry, and of a table, which is a stream that comes at once.

A window is closed by the first row of a later one of the same asset, or by `close`; only then does it have features,
dated by its end. Nothing later than that end enters: no other row, no later event.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import Telemetry
from twinloop.errors import InputError
from twinloop.files import atomic
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.features.catalogue import columns, joint_names
from twinloop.prognostics.features.history import History
from twinloop.prognostics.features.memory import Memory, remember
from twinloop.prognostics.features.reference import Reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.windows import window_number, windowed

Floats = NDArray[np.float64]
NO_EVENTS = pl.DataFrame(schema={"asset": pl.String, "kind": pl.String, "time_min": pl.Float64})


class FeatureStream:
    """Takes rows as they come and gives features of the windows that they close.

    events: asset, kind and time_min of services, failures and errors (may reach into the future: only the past counts).
    """

    def __init__(
        self,
        units: Mapping[str, str],
        reference: Reference,
        settings: FeatureSettings,
        *,
        events: pl.DataFrame = NO_EVENTS,
    ) -> None:
        self.columns = columns(settings, units)
        self.late = 0
        self._sensors = list(units)
        if tuple(self._sensors) != reference.sensors:
            raise InputError(
                f"features: expected the reference's sensors {', '.join(reference.sensors)}, got "
                f"{', '.join(self._sensors)}: learn what is usual from the same sensors"
            )
        self._reference, self._settings = reference, settings
        self._history = History(events)
        signals = len(units) + settings.joint
        self._memory = Memory.empty(0, signals, len(settings.spans), len(settings.drifts))
        self._known: dict[str, int] = {}
        self._begin: list[float] = []
        self._closed: list[float] = []  # end of the asset's last closed window
        self._open: pl.DataFrame | None = None

    def push(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Features of the windows that these rows close: asset, time_min (the window's end), a column per feature.

        rows: asset, time_min and Float32 sensors, ordered by asset and time, later than the asset's rows before. A row
        of a window that is closed comes too late: it is left out and counted in `late`.
        """
        rows = rows.select(pl.col("asset").cast(pl.String), "time_min", *self._sensors)
        if self._closed:
            known = pl.DataFrame(
                {"asset": list(self._known), "closed": self._closed}, schema_overrides={"closed": pl.Float64}
            )
            rows = rows.join(known, on="asset", how="left", maintain_order="left")
            fresh = (pl.col("time_min") > pl.col("closed")).fill_null(value=True)
            self.late += len(rows) - rows.select(fresh.sum()).item()
            rows = rows.filter(fresh).drop("closed")
        if self._open is not None and len(self._open):
            rows = pl.concat([self._open, rows]).sort("asset", "time_min", maintain_order=True)
        window = window_number(pl.col("time_min"), self._settings.window_min)
        still = window == window.last().over("asset")
        marked = rows.with_columns(still=still)
        self._open = marked.filter("still").drop("still")
        return self._featured(marked.filter(~pl.col("still")).drop("still"))

    def close(self) -> pl.DataFrame:
        """Features of the windows that are still open."""
        rows, self._open = self._open, None
        return self._featured(rows if rows is not None else pl.DataFrame(schema=self._row_schema))

    @property
    def _row_schema(self) -> dict[str, pl.DataType]:
        return {"asset": pl.String(), "time_min": pl.Float64(), **dict.fromkeys(self._sensors, pl.Float32())}

    def _featured(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Features of complete windows, in order of asset and time."""
        schema = {"asset": pl.String, "time_min": pl.Float64, **dict.fromkeys(self.columns, pl.Float32)}
        if rows.is_empty():
            return pl.DataFrame(schema=schema)
        settings, reference, sensors = self._settings, self._reference, self._sensors
        table = windowed(rows, sensors, reference, settings)
        ends = (table["window"].to_numpy() + 1) * settings.window_min
        firsts = rows.group_by("asset", maintain_order=True).agg(pl.col("time_min").first())
        for asset, begin in firsts.iter_rows():
            if asset not in self._known:
                self._known[asset] = len(self._known)
                self._begin.append(begin)
                self._closed.append(-np.inf)
        self._memory = self._memory.grown(len(self._known))
        place = table["asset"].replace_strict(self._known, return_dtype=pl.Int64).to_numpy()
        means = table.select(f"{name}.mean" for name in sensors).to_numpy()
        conditions = [table[f"{name}.mean"].to_numpy() for name in settings.regime] or [np.zeros(len(table))]
        regime = reference.regime(np.column_stack(conditions))
        load = table[f"{settings.load}.mean"].to_numpy() if settings.load else np.zeros(len(table))
        relative = reference.relative(means, regime, load)
        relative = np.hstack([relative, reference.joint(relative)])
        of_asset = self._of_asset(table["asset"], place, ends)
        served = of_asset.pop("served") > 0
        spans = np.array(settings.spans, dtype=np.float64)
        past = remember(
            self._memory,
            place,
            relative,
            served,
            spans=spans,
            early=settings.early,
            moving=reference.moving,
            distances=np.array(settings.drifts, dtype=np.float64),
        )
        made = {"asset": table["asset"], "time_min": ends, **of_asset}
        made |= {"regime": regime, "rows": table["rows"]}
        for which, kind in enumerate(("", "joint_")):
            made[f"{kind}drift"] = past.drift[:, which]
            for d, distance in enumerate(settings.drifts):
                made[f"{kind}drifted_{distance:g}"] = past.drifted[:, which, d]
        for s, name in enumerate((*sensors, *joint_names(settings))):
            made[f"{name}.relative"] = relative[:, s]
            made |= {f"{name}.{kind}": getattr(past, kind)[:, s] for kind in ("change", "life_mean", "excess")}
            for k, span in enumerate(settings.spans):
                made |= {f"{name}.{kind}_{span}": getattr(past, kind)[:, s, k] for kind in ("level", "trend", "unrest")}
        inside = table.select(name for name in table.columns if "." in name and name in self.columns)
        features = pl.concat([pl.DataFrame(made), inside], how="horizontal").select(list(schema))
        return features.with_columns(pl.col(name).cast(pl.Float32).fill_nan(None) for name in self.columns)

    def _of_asset(self, assets: pl.Series, place: NDArray[np.int64], ends: Floats) -> dict[str, Floats]:
        names = ("age_h", "since_service_h", "since_failure_h", "services", "failures", "errors", "served")
        made = {name: np.empty(len(ends)) for name in names}
        begins = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
        for first, last in zip(begins, np.append(begins[1:], len(place)), strict=True):
            part, asset = slice(first, last), assets[int(first)]
            at, begin = ends[part], self._begin[place[first]]
            services, failures, errors = (
                self._history.until(asset, kind, at) for kind in ("maintenance", "failure", "error")
            )
            recent = self._history.until(asset, "error", at - self._settings.recent_h * MINUTES_PER_HOUR)
            before = np.append(self._closed[place[first]], at[:-1])
            made["age_h"][part] = (at - begin) / MINUTES_PER_HOUR
            for name, kind in (("since_service_h", "maintenance"), ("since_failure_h", "failure")):
                made[name][part] = self._history.since(asset, kind, at, begin=begin) / MINUTES_PER_HOUR
            made["services"][part], made["failures"][part], made["errors"][part] = services, failures, errors - recent
            made["served"][part] = services - self._history.until(asset, "maintenance", before)
            self._closed[place[first]] = at[-1]
        return made


def features(
    telemetry: Telemetry, reference: Reference, settings: FeatureSettings, *, events: pl.DataFrame = NO_EVENTS
) -> pl.DataFrame:
    """Features of all windows of a table: asset, time_min (the window's end) and Float32 columns, in order."""
    stream = FeatureStream(telemetry.units, reference, settings, events=events)
    parts = [stream.push(telemetry.frame), stream.close()]
    return pl.concat(parts).sort("asset", "time_min")


def feature_files(
    files: Iterable[Path],
    target: Path,
    units: Mapping[str, str],
    reference: Reference,
    settings: FeatureSettings,
    *,
    events: pl.DataFrame = NO_EVENTS,
) -> int:
    """Features of Parquet files one after the other, a file of features for each, for data larger than memory.

    files: in the order of time where an asset is in several. Returns the number of windows. What `target` held before
    stays; files are named part-00000.parquet ….
    """
    stream, total = FeatureStream(units, reference, settings, events=events), 0
    for number, part in enumerate(_parts(files, stream)):
        with atomic(target / f"part-{number:05d}.parquet") as temporary:
            part.write_parquet(temporary)
        total += len(part)
    return total


def _parts(files: Iterable[Path], stream: FeatureStream) -> Iterator[pl.DataFrame]:
    for path in files:
        yield stream.push(pl.read_parquet(path).sort("asset", "time_min"))
    yield stream.close()
