"""Features of a stream of telemetry, and of a table, which is a stream that comes at once.

A window is closed by the first row of a later one of the same asset, or by `close`; only then does it have features,
dated by its end. Nothing later than that end enters: no other row, no later event.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import Telemetry
from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.features.catalogue import columns, joint_names
from twinloop.prognostics.features.history import History
from twinloop.prognostics.features.memory import Memory, remember
from twinloop.prognostics.features.reference import Reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.windows import Closed, Windows

Floats = NDArray[np.float64]
KEY = {"asset": pl.String(), "time_min": pl.Float64()}
NO_EVENTS = pl.DataFrame(schema={"asset": pl.String, "kind": pl.String, "time_min": pl.Float64})


class FeatureStream:
    """Takes rows as they come and gives features of the windows that they close.

    events: asset, kind and time_min of services, failures and errors (may reach into the future: only the past counts).
    late: number of rows that came too late.
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
        self.schema = {**KEY, **dict.fromkeys(self.columns, pl.Float32())}
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
        self._windows = Windows(settings.window_min, reference.low, reference.high)
        # Place of each asset in what is kept of all, in the order in which they were first heard of.
        self._places: dict[str, int] = {}

    @property
    def late(self) -> int:
        """Number of rows that were not later than all rows of their asset before; they are left out."""
        return self._windows.late

    def push(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Features of the windows that these rows close: asset, time_min (the window's end), a column per feature.

        rows: asset, time_min and Float32 sensors, in order of time per asset, later than the asset's rows before; a row
        that is not is left out and counted in `late`.
        """
        time = rows["time_min"].cast(pl.Float64).to_numpy(writable=True)
        # One by one: a copy of all columns would double the memory of a large table.
        values = (rows[name].cast(pl.Float32).to_numpy(writable=True) for name in self._sensors)
        return self._featured(self._windows.add(self._placed(rows["asset"]), time, values))

    def close(self) -> pl.DataFrame:
        """Features of the windows that are still open."""
        order = np.array([self._places[name] for name in sorted(self._places)], np.int64)
        return self._featured(self._windows.close(order))

    def _placed(self, assets: pl.Series) -> NDArray[np.int64]:
        """[R] place of each row's asset."""
        runs = assets.rle().struct.unnest()
        names = runs["value"].cast(pl.String)
        distinct = names.unique(maintain_order=True)
        new = [name for name in distinct if name not in self._places]
        self._places |= {name: len(self._places) + number for number, name in enumerate(new)}
        self._history.extend(new)
        places = names.replace_strict(distinct, [self._places[name] for name in distinct]).cast(pl.Int64)
        return np.repeat(places.to_numpy(), runs["len"].to_numpy())

    def _featured(self, closed: Closed) -> pl.DataFrame:
        """Features of complete windows, in order of asset and time."""
        settings, reference, sensors = self._settings, self._reference, self._sensors
        if not len(closed.place):
            return pl.DataFrame(schema=self.schema)
        mean = dict(zip(sensors, closed.course.mean, strict=True))
        none = np.zeros(len(closed.place))
        regime = reference.regime(np.column_stack([mean[name] for name in settings.regime] or [none]))
        relative = reference.relative(closed.course.mean.T, regime, mean[settings.load] if settings.load else none)
        relative = np.hstack([relative, reference.joint(relative)])
        ends: Floats = np.multiply(closed.window + 1, settings.window_min, dtype=np.float64)
        of_asset, served = self._of_asset(closed, ends)
        self._memory = self._memory.grown(len(self._places))
        past = remember(
            self._memory,
            closed.place,
            relative,
            served,
            spans=np.array(settings.spans, dtype=np.float64),
            early=settings.early,
            moving=reference.moving,
            distances=np.array(settings.drifts, dtype=np.float64),
        )
        made: dict[str, NDArray[Any]] = {**of_asset, "regime": regime, "rows": closed.rows}
        for which, kind in enumerate(("", "joint_")):
            made[f"{kind}drift"] = past.drift[:, which]
            for d, distance in enumerate(settings.drifts):
                made[f"{kind}drifted_{distance:g}"] = past.drifted[:, which, d]
        for s, name in enumerate((*sensors, *joint_names(settings))):
            made[f"{name}.relative"] = relative[:, s]
            made |= {f"{name}.{kind}": getattr(past, kind)[:, s] for kind in ("change", "life_mean", "excess")}
            for k, span in enumerate(settings.spans):
                made |= {f"{name}.{kind}_{span}": getattr(past, kind)[:, s, k] for kind in ("level", "trend", "unrest")}
        for kind, values in closed.course._asdict().items():
            made |= {f"{name}.{kind}": values[s] for s, name in enumerate(sensors)}
        values = np.empty((len(self.columns), len(ends)), np.float32)
        for place, name in enumerate(self.columns):
            values[place] = made[name]
        key = pl.DataFrame({"asset": pl.Series(list(self._places)).gather(closed.place), "time_min": ends})
        frame = key.hstack(pl.DataFrame(values, schema=list(self.columns), orient="col", nan_to_null=True))
        return frame if key.equals(key.sort(*KEY)) else frame.sort(*KEY)

    def _of_asset(self, closed: Closed, ends: Floats) -> tuple[dict[str, Floats], NDArray[np.bool_]]:
        """Features of the asset by its history, and whether it was served since its window before."""
        history, place, begin = self._history, closed.place, self._windows.assets["begin"][closed.place]
        kinds = ("maintenance", "failure", "error")
        services, failures, errors = (history.until(kind, place, ends) for kind in kinds)
        recent = history.until("error", place, ends - self._settings.recent_h * MINUTES_PER_HOUR)
        made = {
            "age_h": (ends - begin) / MINUTES_PER_HOUR,
            "since_service_h": history.since("maintenance", place, ends, begin) / MINUTES_PER_HOUR,
            "since_failure_h": history.since("failure", place, ends, begin) / MINUTES_PER_HOUR,
            "services": services,
            "failures": failures,
            "errors": errors - recent,
        }
        return made, services > history.until("maintenance", place, closed.before)


def features(
    telemetry: Telemetry, reference: Reference, settings: FeatureSettings, *, events: pl.DataFrame = NO_EVENTS
) -> pl.DataFrame:
    """Features of all windows of a table: asset, time_min (the window's end) and Float32 columns, in order."""
    stream = FeatureStream(telemetry.units, reference, settings, events=events)
    parts = [stream.push(telemetry.frame), stream.close()]
    return pl.concat(parts).sort(*KEY)
