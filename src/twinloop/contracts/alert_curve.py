"""What a failure predictor gets right and wrong, at every alert threshold, with its uncertainty.

An alert before a failure, within the time that was promised, is a hit; its lead time is what maintenance has left to
act. Every other alert is a false one. Draw 0 is the estimate, the others are bootstrap draws of the *whole* curve, so
that one draw per replication carries the uncertainty of recall, lead time and false alarms jointly.
"""

import dataclasses
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
HOURS_PER_MONTH = 730.0
# Thresholds of a curve whose maker names none.
POINTS = 40
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AlertCurve:
    """Hits, lead times and false alarms of one predictor.

    thresholds: [T], ascending, alert scores.
    recall: [1 + draws, T], share of the failures that were alerted before they came.
    lead_levels: [Q], ascending from 0 to 1. lead_hours: [1 + draws, T, Q], these quantiles of the lead time in hours.
    false_alarms: [1 + draws, T], per asset and month of `hours_per_month` hours.
    failures, asset_months: how many failures and how much time were watched.
    threshold: the operating point. model: digest of the predictor that was measured.
    clock: of all hours, those worked or those of the calendar.
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
            "lead_hours are finite, not negative, and ascend with the level": bool(
                np.isfinite(self.lead_hours).all()
                and (self.lead_hours >= 0).all()
                and (np.diff(self.lead_hours, axis=-1) >= -1e-12).all()
            ),
            f"false_alarms has shape (1 + draws, {count})": self.false_alarms.shape == shape,
            "false_alarms are finite and not negative": bool(
                (np.isfinite(self.false_alarms) & (self.false_alarms >= 0)).all()
            ),
            "failures and asset_months are not negative": self.failures >= 0 and self.asset_months >= 0,
            "hours_per_month is above 0": bool(np.isfinite(self.hours_per_month) and self.hours_per_month > 0),
        }
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
        return float(np.interp(self.threshold, self.thresholds, self.recall[draw]))

    def false_alarms_at(self, *, draw: int = 0) -> float:
        """False alarms per asset and month at the operating point."""
        return float(np.interp(self.threshold, self.thresholds, self.false_alarms[draw]))

    def lead_at(self, *, draw: int = 0) -> Floats:
        """[Q] quantiles of the lead time in hours at the operating point."""
        quantiles = self.lead_hours[draw].T
        return np.array([np.interp(self.threshold, self.thresholds, row) for row in quantiles])

    def save(self, path: str | Path) -> None:
        """Write Parquet: columns draw, threshold, recall, false_alarms, lead_hours; the rest as metadata."""
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
        if not whole or not levels or frame.schema.get("lead_hours") != pl.Array(pl.Float64, len(levels)):
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
        )
