"""Which asset may fail how soon, how sure that is, and what it would cost: what a maintenance plan is weighed by.

Whatever is asked of it is read from one cumulative hazard per component, H(t) = −ln(1 − p(t)): failures expected until
t where each is repaired as it comes (a Poisson count), and 1 − exp(−H) the probability of at least one.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twinloop.contracts import versioned
from twinloop.contracts.clock import Clock, check_clock
from twinloop.errors import InputError

KIND, VERSION = "risk table", 2
HEADER = {"issued_min": int | float, "clock": str}
SURE = 1 - 1e-9  # a certain failure has no finite hazard
SCHEMA = {
    "asset": pl.String,
    "component": pl.String,
    "horizon_hours": pl.Float64,
    "probability": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "severity": pl.Int64,
    "cost": pl.Float64,
}
KEY = ["asset", "component", "horizon_hours"]
# What every row must be, in words and as a condition.
CHECKS = {
    "horizon_hours > 0": pl.col("horizon_hours").is_finite() & (pl.col("horizon_hours") > 0),
    "0 ≤ low ≤ probability ≤ high ≤ 1": (pl.col("low") >= 0)
    & (pl.col("low") <= pl.col("probability"))
    & (pl.col("probability") <= pl.col("high"))
    & (pl.col("high") <= 1),
    "severity from 1 to 10": pl.col("severity").is_between(1, 10),
    "cost ≥ 0": pl.col("cost").is_finite() & (pl.col("cost") >= 0),
}
Floats = NDArray[np.float64]


class Risk(NamedTuple):
    """One row: a component's failure within `horizon_hours` from the table's issue on.

    probability, low, high: with its interval. severity: 1 (unnoticed) to 10 (people in danger), as in an FMEA
    (IEC 60812). cost: of one failure, in euro.
    """

    asset: str
    component: str
    horizon_hours: float
    probability: float
    low: float
    high: float
    severity: int
    cost: float


class Hazard(NamedTuple):
    """One component's cumulative hazard at its horizons, from (0, 0) on, and what a failure costs in euro."""

    hours: Floats
    cumulative: Floats
    cost: float

    def until(self, hours: ArrayLike) -> Floats:
        """Failures expected until each of `hours`: linear between horizons, and on as it came beyond the last."""
        asked = np.asarray(hours, np.float64)
        slope = (self.cumulative[-1] - self.cumulative[-2]) / (self.hours[-1] - self.hours[-2])
        beyond = np.maximum(asked - self.hours[-1], 0.0) * slope
        count: Floats = np.interp(asked, self.hours, self.cumulative) + beyond
        return count


class Hazards(NamedTuple):
    """The same of P components at once, in the order of the table: names [P], hours and cumulative [P, K], cost [P].

    Where one has fewer horizons than others, its last slope goes on in their places.
    """

    asset: tuple[str, ...]
    component: tuple[str, ...]
    hours: Floats
    cumulative: Floats
    cost: Floats

    def until(self, hours: Floats) -> Floats:
        """[P, n] as `Hazard.until` of hours [P, n]."""
        place = np.zeros(hours.shape, np.int64)
        for begin in self.hours.T[1:-1]:
            place += hours >= begin[:, None]
        slope = np.diff(self.cumulative) / np.diff(self.hours)
        at, begun, risen = (np.take_along_axis(part, place, axis=1) for part in (slope, self.hours, self.cumulative))
        count: Floats = risen + (hours - begun) * at
        return count


@dataclass(frozen=True, eq=False)
class RiskTable:
    """Risks ordered by asset, component and horizon; one for each of these.

    frame: the columns of `Risk`. issued_min: when the probabilities were told, in minutes from the start of the record
    they were told from; horizons count from then. clock: of the hours, those worked or those of the calendar.

    Raises InputError for other columns or order, a value out of range, two rows of one horizon, and a component whose
    cost or severity differs between horizons.
    """

    frame: pl.DataFrame
    issued_min: float = 0.0
    clock: Clock = "work"

    def __post_init__(self) -> None:
        if dict(self.frame.schema) != SCHEMA:
            shown = ", ".join(f"{name} {kind}" for name, kind in self.frame.schema.items())
            raise InputError(f"{KIND}: expected the columns {', '.join(SCHEMA)}; got {shown}: use RiskTable.of")
        if not math.isfinite(self.issued_min):
            raise InputError(f"{KIND}: issued_min = {self.issued_min}: expected a number of minutes")
        check_clock(KIND, self.clock)
        self._check_values()
        if not self.frame.select(KEY).equals(self.frame.select(KEY).sort(KEY)):
            raise InputError(f"{KIND}: expected rows ordered by {', '.join(KEY)}: use RiskTable.of, which orders them")
        twice = self.frame.filter(pl.struct(KEY).is_duplicated())
        if len(twice):
            asset, component, hours = twice.row(0)[: len(KEY)]
            raise InputError(f"{KIND}: {asset}/{component}: expected one row per horizon, {hours:g} h comes twice")
        constant = self.frame.group_by("asset", "component", maintain_order=True).agg(
            pl.col("cost", "severity").n_unique()
        )
        for name in ("cost", "severity"):
            several = constant.filter(pl.col(name) > 1)
            if len(several):
                raise InputError(
                    f"{KIND}: {several[0, 'asset']}/{several[0, 'component']}: expected one {name} of a failure, got "
                    f"{several[0, name]}: it may not differ between horizons"
                )

    def _check_values(self) -> None:
        lost = [name for name in SCHEMA if self.frame[name].null_count()]
        if lost:
            raise InputError(f"{KIND}: expected {', '.join(lost)} in every row: fill in what is missing")
        broken = self.frame.with_columns((~check).alias(name) for name, check in CHECKS.items())
        broken = broken.filter(pl.any_horizontal(list(CHECKS)))
        if len(broken):
            row = broken.row(0, named=True)
            expected = " and ".join(name for name in CHECKS if row[name])
            values = ", ".join(f"{name} = {row[name]}" for name in list(SCHEMA)[2:])
            raise InputError(f"{KIND}: {row['asset']}/{row['component']}: expected {expected}, got {values}")

    @classmethod
    def of(cls, rows: pl.DataFrame | Iterable[Risk], *, issued_min: float = 0.0, clock: Clock = "work") -> "RiskTable":
        """A table from rows in any order, or from a frame with these columns."""
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(list(rows), schema=SCHEMA, orient="row")
        return cls(frame.sort(KEY) if set(KEY) <= set(frame.columns) else frame, issued_min, clock)

    def __iter__(self) -> Iterator[Risk]:
        return (Risk(*row) for row in self.frame.iter_rows())

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def assets(self) -> tuple[str, ...]:
        """Names in order, each once."""
        return tuple(self.frame["asset"].unique(maintain_order=True))

    def components(self, asset: str) -> dict[str, Hazard]:
        """The cumulative hazard of each of the asset's components. Raises InputError for an asset without a row."""
        if asset not in self._hazards:
            raise InputError(
                f"{KIND}: no row for asset {asset!r} (known: {', '.join(self.assets) or 'none'}): "
                "name the assets as in the plant, or make the table again"
            )
        return self._hazards[asset]

    def failures(self, asset: str, *, hours: float) -> tuple[float, float]:
        """Expected failures of the asset within `hours` from the issue on, and what they cost in euro together.

        Raises InputError for an asset that the table does not have.
        """
        counts = [(float(hazard.until(hours)), hazard.cost) for hazard in self.components(asset).values()]
        return sum(count for count, _ in counts), sum(count * cost for count, cost in counts)

    @cached_property
    def hazards(self) -> Hazards:
        """Of all assets and components."""
        own = self.frame.group_by("asset", "component", maintain_order=True).agg(pl.len(), pl.col("cost").first())
        counts = own["len"].to_numpy().astype(np.int64)
        pair = np.repeat(np.arange(len(own)), counts)
        place = 1 + np.arange(len(self)) - np.repeat(counts.cumsum() - counts, counts)
        hours, cumulative = np.zeros((2, len(own), 1 + counts.max(initial=1)))
        hours[pair, place] = self.frame["horizon_hours"].to_numpy()
        cumulative[pair, place] = _cumulative(self.frame["probability"].to_numpy())
        # Estimates of several horizons may cross: what has been survived does not come back.
        cumulative = np.maximum.accumulate(cumulative, axis=1)
        for column in range(2, hours.shape[1]):
            short = counts < column
            for table in (hours, cumulative):
                table[short, column] = 2 * table[short, column - 1] - table[short, column - 2]
        return Hazards(tuple(own["asset"]), tuple(own["component"]), hours, cumulative, own["cost"].to_numpy())

    @cached_property
    def _hazards(self) -> dict[str, dict[str, Hazard]]:
        """By asset and component, in order."""
        groups: dict[str, dict[str, Hazard]] = {}
        known = self.hazards
        counts = self.frame.group_by("asset", "component", maintain_order=True).len()["len"].to_list()
        for place, (asset, component, count) in enumerate(zip(known.asset, known.component, counts, strict=True)):
            own = known.hours[place, : count + 1], known.cumulative[place, : count + 1]
            groups.setdefault(asset, {})[component] = Hazard(*own, float(known.cost[place]))
        return groups

    def save(self, path: str | Path) -> None:
        """Write Parquet."""
        header = {"issued_min": self.issued_min, "clock": self.clock}
        versioned.write(self.frame, path, kind=KIND, version=VERSION, header=header)

    @classmethod
    def load(cls, path: str | Path) -> "RiskTable":
        """Read what `save` wrote. Raises InputError for a file of another kind or version."""
        frame, header = versioned.read(
            path, kind=KIND, version=VERSION, remedy="make the risk table again", header=HEADER
        )
        return cls(frame, header["issued_min"], header["clock"])


def _cumulative(probability: Floats) -> Floats:
    hazard: Floats = -np.log1p(-np.minimum(probability, SURE))
    return hazard
