"""Which asset may fail how soon, how sure that is, and what it would cost: what a maintenance plan is weighed by."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from twinloop.contracts import versioned
from twinloop.errors import InputError

KIND, VERSION = "risk table", 1
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


@dataclass(frozen=True)
class Risk:
    """One component's failure within `horizon_hours` of operation.

    probability, low, high: with its interval. severity: 1 (unnoticed) to 10 (people in danger), as in an FMEA
    (IEC 60812). cost: of one failure, in euro. Raises InputError for a value out of range.
    """

    asset: str
    component: str
    horizon_hours: float
    probability: float
    low: float
    high: float
    severity: int
    cost: float

    def __post_init__(self) -> None:
        problems = {
            "horizon_hours > 0": math.isfinite(self.horizon_hours) and self.horizon_hours > 0,
            "0 ≤ low ≤ probability ≤ high ≤ 1": 0 <= self.low <= self.probability <= self.high <= 1,
            "severity from 1 to 10": 1 <= self.severity <= 10,
            "cost ≥ 0": math.isfinite(self.cost) and self.cost >= 0,
        }
        broken = [expected for expected, holds in problems.items() if not holds]
        if broken:
            values = ", ".join(f"{name} = {value}" for name, value in list(asdict(self).items())[2:])
            raise InputError(f"{KIND}: {self.asset}/{self.component}: expected {' and '.join(broken)}, got {values}")


@dataclass(frozen=True)
class RiskTable:
    """Risks ordered by asset, component and horizon; one for each of these. Raises InputError for two."""

    risks: tuple[Risk, ...]

    def __post_init__(self) -> None:
        keys = [(risk.asset, risk.component, risk.horizon_hours) for risk in self.risks]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            asset, component, hours = twice[0]
            raise InputError(f"{KIND}: {asset}/{component}: expected one row per horizon, {hours:g} h comes twice")

    @classmethod
    def of(cls, risks: Iterable[Risk]) -> "RiskTable":
        """A table from rows in any order."""
        return cls(tuple(sorted(risks, key=lambda risk: (risk.asset, risk.component, risk.horizon_hours))))

    def __iter__(self) -> Iterator[Risk]:
        return iter(self.risks)

    def __len__(self) -> int:
        return len(self.risks)

    @property
    def assets(self) -> tuple[str, ...]:
        """Names in order, each once."""
        return tuple(dict.fromkeys(risk.asset for risk in self))

    def failures(self, asset: str, *, hours: float) -> tuple[float, float]:
        """Expected failures of the asset within `hours`, and what they cost in euro together.

        Of each component the row with the nearest horizon counts, its hazard taken as constant. Raises InputError for
        an asset that the table does not have.
        """
        components: dict[str, Risk] = {}
        for risk in self:
            if risk.asset == asset:
                known = components.get(risk.component, risk)
                nearer = abs(risk.horizon_hours - hours) <= abs(known.horizon_hours - hours)
                components[risk.component] = risk if nearer else known
        if not components:
            raise InputError(
                f"{KIND}: no row for asset {asset!r} (known: {', '.join(self.assets) or 'none'}): "
                "name the assets as in the plant, or make the table again"
            )
        expected = {
            risk: -math.log1p(-min(risk.probability, SURE)) / risk.horizon_hours * hours for risk in components.values()
        }
        return sum(expected.values()), sum(risk.cost * count for risk, count in expected.items())

    def frame(self) -> pl.DataFrame:
        """One row per risk with the columns of Risk."""
        return pl.DataFrame([asdict(risk) for risk in self], schema=SCHEMA)

    def save(self, path: str | Path) -> None:
        """Write Parquet."""
        versioned.write(self.frame(), path, kind=KIND, version=VERSION, header={})

    @classmethod
    def load(cls, path: str | Path) -> "RiskTable":
        """Read what `save` wrote. Raises InputError for a file of another kind or version."""
        frame, _ = versioned.read(path, kind=KIND, version=VERSION, remedy="make the risk table again")
        return cls.of(Risk(**row) for row in frame.iter_rows(named=True))
