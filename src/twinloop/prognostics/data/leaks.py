"""Columns that give the label away: known only once the failure is, or counted backwards from it.

Some say so by their name. Others are known by what they do: over all lives that failed, such a column orders rows by
the time that is left as exactly as no sensor can, be it a countdown or a flag that is raised some time before.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import Telemetry
from twinloop.errors import InputError
from twinloop.prognostics.data.record import Record

Floats = NDArray[np.float64]
# AI4I's failure modes and their like; remaining life and time to failure under their usual names.
NAMES = (
    r"twf|hdf|pwf|osf|rnf|machine[ _]?failure|fail(ure)?([ _]?(mode|type|within|cause|label|flag))?|failed|fails"
    r"|fault([ _]?(type|code|label|flag))?|broken|target|label|class|rul|ttf|tte|time[ _]?(to|until|before)[ _]?"
    r"(failure|event|breakdown)|(hours|days|minutes|cycles)[ _]?(to|until|before)[ _]?(failure|event|breakdown)"
    r"|remaining([ _]?useful)?[ _]?(life|cycles|hours|days|time)|anomaly"
)
UNITS = "h|hours?|d|days?|min|minutes?|s|cycles?"
LEAKS = re.compile(
    rf"((is|has|will|true|actual|next)[ _])?({NAMES})([ _](\d*({UNITS})|\d+))*",
    re.IGNORECASE,
)
# Share of pairs of rows that a column orders rightly beyond chance (Somers, 1962) from which no sensor is so good; and
# how many lives, and which share of them, it must change in before that is no accident.
EXACT = 0.995
LEAST_LIVES, LEAST_SHARE = 3, 0.5
MOST_ROWS = 20_000


def leaking(names: Iterable[str]) -> tuple[str, ...]:
    """Of the columns' names, those that give the label away, in their order.

    >>> leaking(["torque", "TWF", "RUL", "failure_mode", "is_failure", "rul_h", "fault_count", "time_to_failure (h)"])
    ('TWF', 'RUL', 'failure_mode', 'is_failure', 'rul_h', 'time_to_failure (h)')
    """
    return tuple(name for name in names if LEAKS.fullmatch(re.sub(r"[\[(].*", "", name).strip()))


def without_hidden_labels(record: Record) -> Record:
    """The record without sensors that order rows by the time left to a failure; they are named among its leaks.

    Raises InputError where no other sensor is left.
    """
    telemetry, lives = record.telemetry, record.lives.filter("failed")
    parts = [own for _, own in lives.group_by("component", maintain_order=True)]
    # A label may count to one component's failure, or to that of any.
    ends = [_ahead(telemetry, own) for own in ([*parts, lives] if len(parts) > 1 else parts)]
    hidden = [name for name in telemetry.sensors if any(_orders(telemetry.frame[name], own) for own in ends)]
    if not hidden:
        return record
    if len(hidden) == len(telemetry.sensors):
        raise InputError(
            f"data: {', '.join(hidden[:3])}: expected sensors, every column is counted from the failures themselves: "
            "give what was measured, or set DataSettings.with_leaks"
        )
    units = {name: unit for name, unit in telemetry.units.items() if name not in hidden}
    kept = Telemetry(telemetry.frame.drop(hidden), units, telemetry.start)
    return replace(record, telemetry=kept, leaks=(*record.leaks, *hidden))


class _Ahead(NamedTuple):
    """Of each row of telemetry: the number of the life that ends next by a failure, and minutes left; NaN in none."""

    life: NDArray[np.int64]
    left: Floats
    lives: int


def _ahead(telemetry: Telemetry, lives: pl.DataFrame) -> _Ahead:
    ends = lives.select("asset", "begin_min", "end_min").unique(["asset", "end_min"], keep="first").sort("end_min")
    rows = telemetry.frame.select(pl.col("asset").cast(pl.String), "time_min")
    seen = rows.join_asof(
        ends.with_row_index("life"),
        left_on="time_min",
        right_on="end_min",
        by="asset",
        strategy="forward",
        check_sortedness=False,
    )
    inside = pl.col("time_min") > pl.col("begin_min")
    left = seen.select(pl.when(inside).then(pl.col("end_min") - pl.col("time_min")).cast(pl.Float64).alias("left"))
    life = seen["life"].cast(pl.Int64).fill_null(-1).to_numpy()
    return _Ahead(life, left["left"].fill_null(np.nan).to_numpy(), len(ends))


def _orders(sensor: pl.Series, ahead: _Ahead) -> bool:
    value = sensor.cast(pl.Float64).fill_null(np.nan).to_numpy()
    rows = np.flatnonzero(np.isfinite(value) & np.isfinite(ahead.left))
    if not len(rows):
        return False
    some = rows[:: len(rows) // MOST_ROWS + 1]
    # A flag that is seldom raised is in few rows: those that are not as most are come along.
    others = rows[value[rows] != np.median(value[some])]
    some = np.union1d(some, others[:: len(others) // MOST_ROWS + 1])
    if abs(_somers(value[some], ahead.left[some])) < EXACT:
        return False
    told = pl.DataFrame({"life": ahead.life[rows], "value": value[rows]})
    changing = told.group_by("life").agg(pl.col("value").n_unique() > 1)["value"]
    return int(changing.sum()) >= max(LEAST_LIVES, LEAST_SHARE * ahead.lives)


def _somers(value: Floats, left: Floats) -> float:
    """Of pairs that differ in value, concordant less discordant ones as a share; 0 where none differs."""
    from scipy.stats import kendalltau

    pairs = len(value) * (len(value) - 1) / 2
    by_value, by_left = (pairs - _tied(one) for one in (value, left))
    if not by_value or not by_left:
        return 0.0
    return float(kendalltau(value, left).statistic * np.sqrt(by_left / by_value))


def _tied(values: Floats) -> float:
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())
