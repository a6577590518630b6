"""The fleet twin's configuration: the engines' settings, composed. Only where data come from is decided here."""

import dataclasses
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.prognostics.anomaly.settings import IsolationSettings, NoveltySettings, RollingSettings
from twinloop.prognostics.data.settings import DataSettings
from twinloop.prognostics.demand.settings import DemandSettings
from twinloop.prognostics.evaluation.settings import EvaluateSettings, SplitSettings
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.inference.settings import GraphSettings
from twinloop.prognostics.models.settings import HazardSettings, HazardStudySettings
from twinloop.prognostics.models.tuning import check_space
from twinloop.scheduling.booking.settings import BookingSettings
from twinloop.simulation.fleet import StandardFleet
from twinloop.simulation.fleet.settings import HistorySettings, PolicySettings, StorySettings

SIMULATED = "src/twinloop/simulation/fleet/standard.py"


@settings
class SourceSettings:
    """simulated: the configured fleet's history; recorded: what `source` holds, read as `reading` says.

    source: a file or folder, relative to the repository or absolute; for a simulated fleet the generator's own file.
    shown: assets of a recorded fleet that pages show, of those held out; a simulated one shows its story.
    """

    kind: Literal["simulated", "recorded"] = "simulated"
    source: Annotated[str, Field(min_length=1)] = SIMULATED
    reading: DataSettings = dataclasses.field(default_factory=DataSettings)
    shown: Annotated[int, Field(ge=1, le=1000)] = 10


@settings
class AnomalySettings:
    """Detectors of what is unusual, whatever it means: a forest of all features, the others of each sensor alone."""

    isolation: IsolationSettings = dataclasses.field(default_factory=IsolationSettings)
    rolling: RollingSettings = dataclasses.field(default_factory=RollingSettings)
    novelty: NoveltySettings = dataclasses.field(default_factory=NoveltySettings)


@settings
class FleetSections:
    """The sections below `fleet` in params.yaml."""

    data: SourceSettings
    fleet: StandardFleet
    history: HistorySettings
    story: StorySettings
    split: SplitSettings
    features: FeatureSettings
    predictor: HazardSettings
    anomaly: AnomalySettings
    demand: DemandSettings
    tune: HazardStudySettings
    export: GraphSettings
    evaluate: EvaluateSettings
    simulate: PolicySettings
    booking: BookingSettings

    def __post_init__(self) -> None:
        check_space(self.predictor, self.tune)
        horizon = self.predictor.days * self.predictor.period_h / 24
        if self.split.gap_days < horizon:
            raise ValueError(
                f"split.gap_days = {self.split.gap_days:g}: expected at least the predictor's horizon, {horizon:g} "
                "days: labels of training would look into the test's time"
            )


@settings
class FleetConfig:
    """What params.yaml holds for the fleet."""

    profile: Literal["smoke", "default", "full"]
    seed: Annotated[int, Field(ge=0)]
    fleet: FleetSections

    @property
    def searched(self) -> tuple[str, ...]:
        """Paths of configured values that the search replaces."""
        return tuple(f"fleet.predictor.{path}" for path in self.fleet.tune.space) if self.fleet.tune.trials else ()
