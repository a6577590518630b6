"""Sensors that lie: stuck, dropping out, drifting, or a vehicle that does not report at all."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.fleet.modes import SENSORS

Floats32 = NDArray[np.float32]
Kind = Literal["stuck", "dropout", "drift", "gap"]
DROPPED = 0.5


@settings
class SensorFault:
    """One sensor of a vehicle from `day` on for `days` days.

    kind: stuck at its first value, dropout of half its values at random, drift by `size` of its wear range until the
    end, or a gap in which the vehicle reports nothing, whatever the sensor.
    """

    vehicle: Annotated[str, Field(min_length=1, max_length=80)]
    kind: Kind
    sensor: str | None = None
    day: Annotated[int, Field(ge=0, le=100_000)]
    days: Annotated[int, Field(ge=1, le=10_000)] = 7
    size: Annotated[float, Field(ge=-100, le=100)] = 0.5

    def __post_init__(self) -> None:
        if (self.sensor is None) != (self.kind == "gap"):
            raise ValueError(f"{self.kind}: expected {'no sensor' if self.kind == 'gap' else 'the name of a sensor'}")


def stuck(values: Floats32, size: float, rng: np.random.Generator) -> Floats32:
    """The first value again and again."""
    return np.full_like(values, values[0])


def dropout(values: Floats32, size: float, rng: np.random.Generator) -> Floats32:
    """Half the values are missing."""
    lost: Floats32 = np.where(rng.random(len(values)) < DROPPED, np.float32(np.nan), values)
    return lost


def drift(values: Floats32, size: float, rng: np.random.Generator) -> Floats32:
    """A growing offset, `size` at the end."""
    moved: Floats32 = values + np.linspace(0, size, len(values), dtype=np.float32)
    return moved


def gap(values: Floats32, size: float, rng: np.random.Generator) -> Floats32:
    """Nothing at all."""
    return np.full_like(values, np.nan)


EFFECTS: Mapping[str, Callable[[Floats32, float, np.random.Generator], Floats32]] = {
    "stuck": stuck,
    "dropout": dropout,
    "drift": drift,
    "gap": gap,
}


def chance_faults(
    vehicle: str, *, days: int, per_year: float, longest_days: int, rng: np.random.Generator
) -> list[SensorFault]:
    """Faults of one vehicle by chance: Poisson in number, each kind and sensor as likely, on any day."""
    faults = []
    for _ in range(int(rng.poisson(per_year * days / 365))):
        kind: Kind = ("stuck", "dropout", "drift", "gap")[int(rng.integers(4))]
        sensor = list(SENSORS)[int(rng.integers(len(SENSORS)))]
        day, length = int(rng.integers(days)), int(rng.integers(1, longest_days + 1))
        size = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 1.0))
        faults.append(
            SensorFault(
                vehicle=vehicle, kind=kind, sensor=None if kind == "gap" else sensor, day=day, days=length, size=size
            )
        )
    return faults
