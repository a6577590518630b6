"""What a failure predictor gets right and wrong, at every alert threshold, with its uncertainty.

An alert before a failure, within the time that was promised, is a hit; its lead time is what maintenance has left to
act. Every other alert is a false one. Draw 0 is the estimate, the others are bootstrap draws of the *whole* curve, so
that one draw per replication carries the uncertainty of recall, lead time and false alarms jointly.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import versioned
from twinloop.contracts.alert_rates import LEVELS, Watched, alert_rates, lives
from twinloop.contracts.clock import Clock, check_clock
from twinloop.errors import InputError

KIND, VERSION = "alert curve", 2
COLUMNS = {"draw": pl.Int32, "threshold": pl.Float64, "recall": pl.Float64, "false_alarms": pl.Float64}
HEADER = {
    "lead_levels": list,
    "failures": int,
    "asset_months": int | float,
    "threshold": int | float,
    "model": str,
    "hours_per_month": int | float,
    "clock": str,
}
BY_LIFE = ("life_hours", "lead_share", "dependence")
HOURS_PER_MONTH = 730.0
# Thresholds of a curve whose maker names none.
POINTS = 40
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ByLife:
    """How first alerts go with the length of the life that they came in; draws and quantiles are its curve's.

    life_hours: [1 + draws, Q], quantiles of the lives. lead_share: [1 + draws, T, Q], quantiles of the lead time as a
    share of its life. dependence: [1 + draws, T], in [-1, 1], correlation of the Gaussian copula of both ranks, the
    lowest share being that of a life that was missed. An alert at a fixed age has 1: short lives are missed, long ones
    alerted too early.
    """

    life_hours: Floats
    lead_share: Floats
    dependence: Floats

    def problems(self, draws: int, count: int, quantiles: int) -> dict[str, bool]:
        """What must hold, and whether it does."""
        shape = (draws, count)
        return {
            f"life_hours has shape (1 + draws, {quantiles})": self.life_hours.shape == (draws, quantiles),
            f"lead_share has shape (1 + draws, {count}, {quantiles})": self.lead_share.shape == (*shape, quantiles),
            f"dependence has shape (1 + draws, {count})": self.dependence.shape == shape,
            "life_hours are finite, not negative, and ascend with the level": _ascends(self.life_hours, math.inf),
            "lead_share lies in [0, 1] and ascends with the level": _ascends(self.lead_share, 1.0),
            "dependence lies in [-1, 1]": bool((np.abs(self.dependence) <= 1).all()),
        }


@dataclass(frozen=True, eq=False)
class AlertCurve:
    """Hits, lead times and false alarms of one predictor.

    thresholds: [T], ascending, alert scores.
    recall: [1 + draws, T], share of the failures that were alerted before they came.
    lead_levels: [Q], ascending from 0 to 1. lead_hours: [1 + draws, T, Q], these quantiles of the lead time in hours.
    false_alarms: [1 + draws, T], per asset and month of `hours_per_month` hours.
    failures, asset_months: how many failures and how much time were watched.
    threshold: the operating point. model: digest of the predictor that was measured.
    clock: of all hours, those worked or those of the calendar. by_life: what of all this depends on how long a life is;
    None where leads are taken to be the same in short and long ones.
    """

    thresholds: Floats
    recall: Floats
    lead_levels: Floats
    lead_hours: Floats
    false_alarms: Floats
    failures: int
    asset_months: float
    threshold: float
    model: str
    hours_per_month: float = HOURS_PER_MONTH
    clock: Clock = "work"
    by_life: ByLife | None = None

    def __post_init__(self) -> None:
        check_clock(KIND, self.clock)
        count, levels = len(self.thresholds), self.lead_levels
        shape = (len(self.recall), count)
        problems = {
            "thresholds are finite and ascend": count > 0
            and bool(np.isfinite(self.thresholds).all() and (np.diff(self.thresholds) > 0).all()),
            f"recall has shape (1 + draws, {count})": self.recall.ndim == 2 and self.recall.shape == shape,
            "recall lies in [0, 1]": bool(((self.recall >= 0) & (self.recall <= 1)).all()),
            "recall does not grow with the threshold": bool((np.diff(self.recall, axis=-1) <= 1e-12).all()),
            "lead_levels ascend from 0 to 1": len(levels) > 1
            and bool(levels[0] == 0 and levels[-1] == 1 and (np.diff(levels) > 0).all()),
            f"lead_hours has shape (1 + draws, {count}, {len(levels)})": self.lead_hours.shape == (*shape, len(levels)),
            "lead_hours are finite, not negative, and ascend with the level": _ascends(self.lead_hours, math.inf),
            f"false_alarms has shape (1 + draws, {count})": self.false_alarms.shape == shape,
            "false_alarms are finite and not negative": bool(
                (np.isfinite(self.false_alarms) & (self.false_alarms >= 0)).all()
            ),
            "failures and asset_months are not negative": self.failures >= 0 and self.asset_months >= 0,
            "hours_per_month is above 0": bool(np.isfinite(self.hours_per_month) and self.hours_per_month > 0),
        }
        if self.by_life is not None:
            problems |= self.by_life.problems(len(self.recall), count, len(levels))
        broken = [expected for expected, holds in problems.items() if not holds]
        if broken:
            raise InputError(f"{KIND}: expected that {' and that '.join(broken)}: measure the predictor again")

    @classmethod
    def of(
        cls,
        scores: Sequence[float] | Floats,
        hours: Sequence[float] | Floats,
        assets: Sequence[Any] | NDArray[Any],
        failed_at: Mapping[Any, float],
        *,
        window_hours: float,
        thresholds: Sequence[float] | Floats | None = None,
        model: str = "scores",
        draws: int = 100,
        seed: int = 0,
    ) -> "AlertCurve":
        """The curve of any model's alarms: scores [N] in their hours [N], the assets [N] they speak of, and failures.

        A higher score means that failure is nearer. failed_at: asset → hour of its failure, none for those that did not
        fail. An alarm in the `window_hours` before a failure is a hit, any other a false one. thresholds: ascending;
        40 quantiles of the scores unless given, the operating point in the middle of them.
        Raises InputError for rows that cannot be used, and without a single failure.

        >>> curve = AlertCurve.of([0.1, 0.9, 0.2, 0.1], [0, 20, 0, 30], ["a", "a", "b", "b"], {"a": 24}, window_hours=8)
        >>> at = curve.at(0.5)
        >>> at.recall_at(), float(at.lead_at()[5]), at.false_alarms_at()
        (1.0, 4.0, 0.0)
        """
        watched = lives(scores, hours, assets, failed_at)
        given = np.quantile(scores, np.linspace(0, 1, POINTS)) if thresholds is None else thresholds
        return cls.of_lives(
            watched,
            thresholds=np.unique(np.asarray(given, dtype=np.float64)),
            window_hours=window_hours,
            model=model,
            draws=draws,
            seed=seed,
        )

    @classmethod
    def of_lives(
        cls,
        watched: Sequence[Watched],
        *,
        thresholds: Floats,
        window_hours: float,
        model: str,
        draws: int = 100,
        seed: int = 0,
        hours_per_month: float = HOURS_PER_MONTH,
        clock: Clock = "work",
    ) -> "AlertCurve":
        """The curve of scores over lives at the thresholds [T]; the operating point is the one in the middle.

        Raises InputError without a single failure.
        """
        how = {"window_hours": window_hours, "hours_per_month": hours_per_month}
        return cls(
            thresholds=thresholds,
            lead_levels=LEVELS,
            threshold=float(thresholds[len(thresholds) // 2]),
            model=model,
            hours_per_month=hours_per_month,
            clock=clock,
            **alert_rates(watched, thresholds, draws=draws, seed=seed, **how)._asdict(),
        )

    @property
    def draws(self) -> int:
        """Number of bootstrap draws (without the estimate)."""
        return len(self.recall) - 1

    def at(self, threshold: float) -> "AlertCurve":
        """The same predictor with alerts from another score on."""
        return dataclasses.replace(self, threshold=threshold)

    def recall_at(self, *, draw: int = 0) -> float:
        """Recall at the operating point, linear between thresholds."""
        return float(self.interpolated(self.recall[draw]))

    def false_alarms_at(self, *, draw: int = 0) -> float:
        """False alarms per asset and month at the operating point."""
        return float(self.interpolated(self.false_alarms[draw]))

    def lead_at(self, *, draw: int = 0) -> Floats:
        """[Q] quantiles of the lead time in hours at the operating point."""
        return self.interpolated(self.lead_hours[draw])

    def interpolated(self, values: Floats) -> Floats:
        """[...] at the operating point of values [T, ...] by threshold, linear between them."""
        columns = values.reshape(len(values), -1).T
        found = np.array([np.interp(self.threshold, self.thresholds, column) for column in columns])
        return found.reshape(values.shape[1:])

    def save(self, path: str | Path) -> None:
        """Write Parquet: columns draw, threshold, recall, false_alarms, lead_hours, by_life's; the rest as metadata."""
        draws, count = self.recall.shape
        frame = pl.DataFrame(
            {
                "draw": np.repeat(np.arange(draws, dtype=np.int32), count),
                "threshold": np.tile(self.thresholds, draws),
                "recall": self.recall.ravel(),
                "false_alarms": self.false_alarms.ravel(),
                "lead_hours": self.lead_hours.reshape(draws * count, -1),
            }
        )
        if (own := self.by_life) is not None:
            frame = frame.with_columns(
                life_hours=np.repeat(own.life_hours, count, axis=0),
                lead_share=own.lead_share.reshape(draws * count, -1),
                dependence=own.dependence.ravel(),
            )
        header = {
            "lead_levels": self.lead_levels.tolist(),
            "failures": self.failures,
            "asset_months": self.asset_months,
            "threshold": self.threshold,
            "model": self.model,
            "hours_per_month": self.hours_per_month,
            "clock": self.clock,
        }
        versioned.write(frame, path, kind=KIND, version=VERSION, header=header)

    @classmethod
    def load(cls, path: str | Path) -> "AlertCurve":
        """Read what `save` wrote. Raises InputError for a file of another kind or version."""
        remedy = "measure the predictor again"
        frame, header = versioned.read(path, kind=KIND, version=VERSION, remedy=remedy, header=HEADER, columns=COLUMNS)
        thresholds = np.unique(frame["threshold"].to_numpy())
        shape = (-1, len(thresholds))
        levels = [level for level in header["lead_levels"] if isinstance(level, float)]
        whole = len(frame) > 0 and len(frame) % len(thresholds) == 0
        quantiles = pl.Array(pl.Float64, len(levels))
        columns: dict[str, Any] = {"lead_hours": quantiles}
        if any(name in frame.columns for name in BY_LIFE):
            columns |= {"life_hours": quantiles, "lead_share": quantiles, "dependence": pl.Float64}
        shaped = all(frame.schema.get(name) == dtype for name, dtype in columns.items())
        if not whole or not levels or not shaped:
            raise InputError(f"{KIND}: {path}: expected rows of every draw, threshold and lead level: {remedy}")
        return cls(
            thresholds=thresholds,
            recall=frame["recall"].to_numpy().reshape(shape),
            lead_levels=np.array(levels),
            lead_hours=frame["lead_hours"].to_numpy().reshape(*shape, len(levels)),
            false_alarms=frame["false_alarms"].to_numpy().reshape(shape),
            failures=header["failures"],
            asset_months=header["asset_months"],
            threshold=header["threshold"],
            model=header["model"],
            hours_per_month=header["hours_per_month"],
            clock=header["clock"],
            by_life=_by_life(frame, shape) if "dependence" in columns else None,
        )


def _by_life(frame: pl.DataFrame, shape: tuple[int, int]) -> ByLife:
    full = (len(frame) // shape[1], shape[1], -1)
    lives, shares = (frame[name].to_numpy().reshape(full) for name in ("life_hours", "lead_share"))
    return ByLife(lives[:, 0], shares, frame["dependence"].to_numpy().reshape(shape))


def _ascends(values: Floats, most: float) -> bool:
    """Whether all lie in [0, most], finite, and none is below the one before."""
    inside = np.isfinite(values) & (values >= 0) & (values <= most)
    return bool(inside.all() and (np.diff(values, axis=-1) >= -1e-12).all())
