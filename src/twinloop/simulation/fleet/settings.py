"""Settings of a fleet's history, and of the comparison of its policies."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.fleet.scenario import Scenario

Days = Annotated[int, Field(ge=1, le=36_500)]
Replications = Annotated[int, Field(ge=2, le=100_000)]


@settings
class HistorySettings:
    """The history that is learnt from: `days` after `warmup_days` that no table shows."""

    days: Days = 180
    warmup_days: Annotated[int, Field(ge=0, le=36_500)] = 60


@settings
class StorySettings:
    """A small fleet of the same kind that pages show, and what happens to it on top of chance."""

    vehicles: Annotated[int, Field(ge=1, le=1000)] = 10
    scenario: Scenario = Scenario()


@settings
class PolicySettings:
    """How policies are compared: fleets of `vehicles`, the same in every policy, over `days` after a warm-up.

    tuning_replications: fleets on which intervals and thresholds are chosen; they are none of the `replications`.
    watched: vehicles of a simulated fleet, driven to failure twice as long, on which the predictor's first alerts are
    counted: in one that is maintained most lives are cut before they tell (0, and for a recorded fleet: on the test's).
    scored: replications in which the predictor itself scores simulated telemetry, beside its curve (0: none).
    """

    vehicles: Annotated[int, Field(ge=1, le=10_000)] = 100
    days: Days = 365
    warmup_days: Annotated[int, Field(ge=0, le=36_500)] = 60
    replications: Replications = 10
    tuning_replications: Replications = 4
    watched: Annotated[int, Field(ge=0, le=10_000)] = 100
    scored: Annotated[int, Field(ge=0, le=100_000)] = 2
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
