"""What a predictor says of one component at one time, so that somebody can act on it and ask why."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.contracts import versioned
from twinloop.errors import InputError

KIND, VERSION = "diagnoses", 1
SCHEMA: dict[str, Any] = {
    "asset": pl.String,
    "component": pl.String,
    "time_min": pl.Float64,
    "horizon_hours": pl.Float64,
    "probability": pl.Float64,
    "confidence": pl.Float64,
    "severity": pl.Int64,
    "contributions": pl.List(pl.Struct({"feature": pl.String, "contribution": pl.Float64})),
    "action": pl.String,
}


@dataclass(frozen=True)
class Diagnosis:
    """One component's probability of failing within `horizon_hours` after `time_min`, with its reasons.

    confidence: from 0 to 1, how far the models that were asked agree. severity: 1 (unnoticed) to 10 (people in danger),
    as in an FMEA (IEC 60812). contributions: the features that say most, each with what it adds to the log odds of
    failure. action: what to do, in a sentence. Raises InputError for a value out of range.
    """

    asset: str
    component: str
    time_min: float
    horizon_hours: float
    probability: float
    confidence: float
    severity: int
    contributions: tuple[tuple[str, float], ...]
    action: str

    def __post_init__(self) -> None:
        problems = {
            "asset and component with a name": bool(self.asset and self.component),
            "time_min to be finite": math.isfinite(self.time_min),
            "horizon_hours > 0": math.isfinite(self.horizon_hours) and self.horizon_hours > 0,
            "probability in [0, 1]": 0 <= self.probability <= 1,
            "confidence in [0, 1]": 0 <= self.confidence <= 1,
            "severity from 1 to 10": 1 <= self.severity <= 10,
            "finite contributions": all(math.isfinite(value) for _, value in self.contributions),
        }
        broken = [expected for expected, holds in problems.items() if not holds]
        if broken:
            raise InputError(f"diagnosis: {self.asset}/{self.component}: expected {' and '.join(broken)}, got {self}")

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        contributions = [{"feature": name, "contribution": value} for name, value in self.contributions]
        return {**asdict(self), "contributions": contributions}

    def __str__(self) -> str:
        return json.dumps(self.record(), ensure_ascii=False)


def diagnosis_frame(diagnoses: Iterable[Diagnosis]) -> pl.DataFrame:
    """One row per diagnosis with the columns of SCHEMA."""
    return pl.DataFrame([diagnosis.record() for diagnosis in diagnoses], schema=SCHEMA)


def save_diagnoses(diagnoses: Iterable[Diagnosis], path: str | Path) -> None:
    """Write Parquet."""
    versioned.write(diagnosis_frame(diagnoses), path, kind=KIND, version=VERSION, header={})


def load_diagnoses(path: str | Path) -> tuple[Diagnosis, ...]:
    """Read what `save_diagnoses` wrote. Raises InputError for a file of another kind or version."""
    frame, _ = versioned.read(path, kind=KIND, version=VERSION, remedy="diagnose again", columns=SCHEMA)
    rows = frame.iter_rows(named=True)
    return tuple(
        Diagnosis(
            **{**row, "contributions": tuple((part["feature"], part["contribution"]) for part in row["contributions"])}
        )
        for row in rows
    )
