"""What is usual, learnt from training assets alone: limits of each sensor, its level by operating regime and load."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import Telemetry
from twinloop.errors import InputError, nearest
from twinloop.prognostics.features.settings import FeatureSettings

Floats = NDArray[np.float64]
# A share of the level below which a spread is rounding.
LEAST_SPREAD = 1e-6


@dataclass(frozen=True, eq=False)
class Reference:
    """sensors [S]. low, high: limits [S]. centres [R, C]: of the regimes, in the scaled values of their sensors, with
    `offset` and `scale` [C]. level, slope, spread [R, S]: a sensor is expected at level + slope · load, give or take
    its spread. A sensor that never moved has spread 0 and stays at relative 0. directions: [S, J], in which sensors
    move together, from relative values.
    """

    sensors: tuple[str, ...]
    low: Floats
    high: Floats
    offset: Floats
    scale: Floats
    centres: Floats
    level: Floats
    slope: Floats
    spread: Floats
    directions: Floats

    @property
    def moving(self) -> NDArray[np.bool_]:
        """[S] whether a sensor ever moved."""
        moved: NDArray[np.bool_] = np.any(self.spread > 0, axis=0)
        return moved

    def regime(self, conditions: Floats) -> NDArray[np.int64]:
        """[N] the nearest regime of conditions [N, C]; of a missing one the centre of all is taken."""
        if len(self.centres) == 1:
            return np.zeros(len(conditions), dtype=np.int64)
        scaled = np.nan_to_num((conditions - self.offset) / self.scale)
        nearest: NDArray[np.int64] = ((scaled[:, None, :] - self.centres) ** 2).sum(axis=2).argmin(axis=1)
        return nearest

    def relative(self, means: Floats, regime: NDArray[np.int64], load: Floats) -> Floats:
        """[N, S] means [N, S] against what is expected in their regime [N] at their load [N], in spreads."""
        expected = self.level[regime] + self.slope[regime] * np.nan_to_num(load)[:, None]
        spread = self.spread[regime]
        away: Floats = np.divide(means - expected, spread, out=np.zeros_like(means), where=spread > 0)
        return np.where(np.isnan(means), np.nan, away)

    def joint(self, relative: Floats) -> Floats:
        """[N, J] joint signals of relative values [N, S], where a missing one counts as usual."""
        signals = np.zeros((len(relative), self.directions.shape[1]))
        # Sensor by sensor: a matrix product adds up in another order for another number of rows.
        for values, direction in zip(np.nan_to_num(relative).T, self.directions, strict=True):
            signals += values[:, None] * direction
        return signals

    def record(self) -> dict[str, Any]:
        """Plain values for JSON; `Reference.of` reads them."""
        return {"sensors": list(self.sensors)} | {
            name: _plain(value) for name, value in vars(self).items() if name != "sensors"
        }

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Reference":
        """What `record` gave."""
        arrays = {name: np.array(value, dtype=np.float64) for name, value in record.items() if name != "sensors"}
        return cls(tuple(record["sensors"]), **arrays)


def _plain(values: Floats) -> Any:
    """For JSON, which has null and no NaN: limits of a sensor that never showed a value are not known."""
    known = values.astype(object)
    known[np.isnan(values)] = None
    return known.tolist()


def fit_reference(telemetry: Telemetry, settings: FeatureSettings, *, seed: int) -> Reference:
    """The reference of training telemetry.

    Raises InputError for a load or regime sensor that it does not have, or that shows no value in it.
    """
    sensors = telemetry.sensors
    if telemetry.frame.is_empty():
        raise InputError("features: expected telemetry to learn what is usual from, got no row")
    for role, name in (("load", settings.load), *(("regime", name) for name in settings.regime)):
        if not name:
            continue
        if name not in sensors:
            raise InputError(
                f"FeatureSettings.{role}: unknown name {name!r}; {nearest(name, sensors)}: name a sensor of the data, "
                "or none"
            )
        # Without it every sensor would look as if nothing could be expected of it.
        if not telemetry.frame[name].count():
            raise InputError(
                f"FeatureSettings.{role}: {name} shows no value in {len(telemetry)} rows of training: name another "
                "sensor, or none"
            )
    values = telemetry.frame.select(pl.col(name).cast(pl.Float64) for name in sensors)
    share = settings.limit_share
    low, high = (
        values.select(pl.all().quantile(q, interpolation="linear")).fill_null(np.nan).to_numpy()[0]
        for q in (share, 1 - share)
    )
    conditions = values.select(settings.regime).to_numpy() if settings.regime else np.zeros((len(values), 1))
    offset, scale = np.nanmean(conditions, axis=0), np.nanstd(conditions, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    scaled = np.nan_to_num((conditions - offset) / scale)
    centres = np.zeros((1, scaled.shape[1]))
    if settings.regimes > 1 and settings.regime:
        from sklearn.cluster import KMeans

        centres = KMeans(settings.regimes, n_init=4, random_state=seed).fit(scaled).cluster_centers_
    unfitted = np.zeros((len(centres), len(sensors)))
    directions = np.zeros((len(sensors), settings.joint))
    fitted = (unfitted, unfitted.copy(), unfitted.copy())
    reference = Reference(sensors, low, high, offset, scale, centres, *fitted, directions)
    regime = reference.regime(conditions)
    load = values[settings.load].to_numpy() if settings.load else np.zeros(len(values))
    for number in range(len(centres)):
        inside = regime == number
        for place, name in enumerate(sensors):
            follows = bool(settings.load) and name != settings.load
            line = _line(values[name].to_numpy()[inside], load[inside], follows=follows)
            reference.level[number, place], reference.slope[number, place], reference.spread[number, place] = line
    away = np.nan_to_num(reference.relative(values.to_numpy(), regime, load))
    return replace(reference, directions=_directions(away, settings.joint))


def _directions(away: Floats, count: int) -> Floats:
    """[S, count] principal directions of rows [N, S], each pointing where most sensors rise; 0 beyond their number."""
    _, vectors = np.linalg.eigh(np.cov(away, rowvar=False).reshape(away.shape[1], -1))
    chosen = vectors[:, ::-1][:, :count]
    chosen = chosen * np.where(chosen.sum(axis=0) < 0, -1.0, 1.0)
    return np.pad(chosen, ((0, 0), (0, count - chosen.shape[1])))


def _line(value: Floats, load: Floats, *, follows: bool) -> tuple[float, float, float]:
    """Level, slope on load and spread around them."""
    known = np.isfinite(value) & np.isfinite(load)
    value, load = value[known], load[known]
    if not len(value):
        return 0.0, 0.0, 0.0
    slope = 0.0
    if follows and load.std() > 0:
        slope = float(((load - load.mean()) * (value - value.mean())).mean() / load.var())
    level = float(value.mean() - slope * load.mean())
    spread = float((value - level - slope * load).std())
    return level, slope, spread if spread > LEAST_SPREAD * max(abs(level), 1e-9) else 0.0
