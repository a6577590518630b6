"""The factory twin's configuration: the engines' settings, composed. Nothing is defined here that an engine owns."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.scheduling import ScheduleSettings, ShopSettings
from twinloop.simulation import Economy, ExperimentSettings, Line
from twinloop.simulation.maintenance.settings import MaintenanceSettings, UpkeepSettings
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.evaluation.settings import DetectorExportSettings, EvaluateSettings
from twinloop.vision.models.settings import IN_REGISTRY, ModelSettings
from twinloop.vision.training.settings import AugmentationSettings, DetectorStudySettings, TrainSettings
from twinloop.vision.training.tuning import check_space

PHOTOGRAPHS, WEIGHTS = "factory/model=photographs", "factory/weights"


@settings
class FactorySections:
    """The sections below `factory` in params.yaml."""

    data: DatasetSettings
    model: ModelSettings
    tune: DetectorStudySettings
    train: TrainSettings
    augmentation: AugmentationSettings
    export: DetectorExportSettings
    evaluate: EvaluateSettings
    line: Line
    economy: Economy
    simulate: ExperimentSettings
    maintenance: MaintenanceSettings
    upkeep: UpkeepSettings
    shop: ShopSettings
    schedule: ScheduleSettings

    def __post_init__(self) -> None:
        check_space(self.model, self.train)


@settings
class FactoryConfig:
    """What params.yaml holds for the factory."""

    profile: Literal["smoke", "default", "full"]
    seed: Annotated[int, Field(ge=0)]
    factory: FactorySections

    def __post_init__(self) -> None:
        from twinloop.twins.factory import plan

        plan.check(self.factory)

    @staticmethod
    def goes_with(overrides: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Choices to add and lines to show: the photograph recipe uses weights of the registry that are installed."""
        if PHOTOGRAPHS not in overrides or any(given.lstrip("~").startswith(WEIGHTS) for given in overrides):
            return (), ()
        from twinloop.vision.models.published import PUBLISHED, is_at_hand

        encoder = IN_REGISTRY[0]
        if is_at_hand(encoder):
            told = (
                f"{PUBLISHED[encoder].weights.name} is installed and goes with {PHOTOGRAPHS}; {WEIGHTS}=none: without"
            )
            return (f"{WEIGHTS}=registry",), (f"{WEIGHTS}=registry: {told}",)
        package = PUBLISHED[encoder].weights.package
        return (), (f"{PHOTOGRAPHS} starts from nothing: {package} is not installed (make setup installs it)",)

    @property
    def searched(self) -> tuple[str, ...]:
        """Paths of configured values that the search replaces."""
        return tuple(f"factory.{path}" for path in self.factory.model.dimensions) if self.factory.tune.trials else ()
