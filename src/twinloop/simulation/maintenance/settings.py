"""What is asked about the maintenance of one station, and how its failures are foreseen, as settings."""

import dataclasses
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.models.settings import BoostSettings, ForestSettings, HazardSettings
from twinloop.simulation.experiments.settings import MOST_DAYS
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Name, Probability
from twinloop.simulation.model.physics import Physics
from twinloop.simulation.model.wear import Wear

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
# Windows of features, and periods of the hazard, in the time in which a failure is to be foreseen.
WINDOWS, PERIODS = 6, 2
# Periods ahead that risks are told for: beyond them the last one's hazard stays.
AHEAD = 12


@settings
class ForesightSettings:
    """How failures are foreseen from sensors; all hours are of work.

    window_hours: a failure is foreseen when the alarm comes within so many hours before it. runs: to failure, of `days`
    each, to learn from, and as many fresh ones to judge by. trees: of each kind. least_failures: with fewer to learn
    from, age alone tells.
    """

    window_hours: Positive = 1.0
    runs: Annotated[int, Field(ge=1, le=10_000)] = 8
    days: Annotated[float, Field(gt=0, le=MOST_DAYS)] = 4.0
    trees: Annotated[int, Field(ge=1, le=10_000)] = 60
    least_failures: Annotated[int, Field(ge=2, le=1_000_000)] = 20

    @property
    def features(self) -> FeatureSettings:
        """Windows of a part of `window_hours`; memory spans the last few of them and the whole of it."""
        return FeatureSettings(
            window_min=60 * self.window_hours / WINDOWS,
            spans=(2, WINDOWS, 2 * WINDOWS),
            early=WINDOWS,
            load="load",
            within=False,
            joint=1,
        )

    def hazard(self, lives: int) -> HazardSettings:
        """Trees without a network, learnt from so many lives."""
        return HazardSettings(
            days=AHEAD,
            period_h=self.window_hours / PERIODS,
            folds=max(2, min(5, lives)),
            survived_per_failure=3,
            least_failures=self.least_failures,
            with_network=False,
            boost=BoostSettings(trees=self.trees, depth=3, learning_rate=0.1, leaf=1.0),
            forest=ForestSettings(trees=self.trees, leaf=10, depth=8),
        )


@settings
class MaintenanceSettings:
    """One station's wear in place of its failures, and the policies that are compared on it.

    duration: minutes of one maintenance. interval_min: minutes of work, fixed interval. look_min, health_below:
    condition-based, looked at every so many minutes of work. opportunity_below: opportunistic.
    failure_cost, maintenance_cost: euro each, besides the hours of repair.
    """

    station: Name
    wear: Wear
    duration: Distribution
    interval_min: Positive
    look_min: Positive
    health_below: Probability
    opportunity_below: Probability
    physics: Physics = Physics()
    foresight: ForesightSettings = dataclasses.field(default_factory=ForesightSettings)
    failure_cost: NotNegative = 0.0
    maintenance_cost: NotNegative = 0.0
    days: Annotated[float, Field(gt=0, le=MOST_DAYS)] = 3.0
    warmup_days: Annotated[float, Field(ge=0, le=MOST_DAYS)] = 0.25
    replications: Annotated[int, Field(ge=2, le=1_000_000)] = 20


@settings
class WornMachine:
    """A machine of a shop whose failures come from wear, and what its maintenance is worth.

    age_min: minutes of work since its last repair when the plan is made. minutes, cost: of one maintenance, cost and
    failure_cost in euro.
    """

    name: Annotated[str, Field(min_length=1)]
    wear: Wear
    age_min: Positive
    minutes: Annotated[int, Field(ge=1, le=1_000_000)]
    cost: NotNegative = 0.0
    failure_cost: NotNegative = 0.0


@settings
class UpkeepSettings:
    """Machines that wear, how their failures are foreseen, and what an hour of the plan's goal is worth in euro.

    cycle, interarrival: of the pieces on which they were watched; they wait in between. delay_hour: euro of one hour of
    weighted tardiness, or of makespan, whichever the plan is to make small.
    """

    machines: tuple[WornMachine, ...]
    cycle: Distribution
    interarrival: Distribution
    physics: Physics = Physics()
    foresight: ForesightSettings = dataclasses.field(default_factory=ForesightSettings)
    delay_hour: NotNegative = 0.0

    def __post_init__(self) -> None:
        names = [machine.name for machine in self.machines]
        if len(set(names)) != len(names):
            raise ValueError(f"expected machines with different names, got {', '.join(names)}")
