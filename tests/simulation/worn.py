"""A press that wears, alone or in front of another station, for the tests of degradation and maintenance."""

from typing import Any

from tests.simulation.lines import PERFECT, fixed
from twinloop.simulation import Line, Station
from twinloop.simulation.model.maintenance import Maintenance
from twinloop.simulation.model.wear import Wear

LIFE = 1000.0


def wear(kind: str = "weibull", **changes: Any) -> Wear:
    return Wear(**{"kind": kind, "mean_life_min": LIFE, "cv": 0.4, **changes})


def press(worn: Wear, maintenance: Maintenance | None = None, **changes: Any) -> Station:
    return Station(
        **{"name": "press", "cycle": fixed(5.0), "repair": fixed(50.0), "wear": worn, "maintenance": maintenance}
        | changes
    )


def worn_line(worn: Wear, *, maintenance: Maintenance | None = None, **changes: Any) -> Line:
    """One press that always has a part to work on."""
    return Line(
        name="worn", minutes_per_day=1000.0, stations=(press(worn, maintenance, **changes),), inspection=PERFECT
    )


def policy(name: str, *, minutes: float = 20.0, **settings: Any) -> Maintenance:
    return Maintenance(policy=name, duration=fixed(minutes), **settings)
