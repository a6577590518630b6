"""The factory twin's configuration: the engines' settings, composed. Nothing is defined here that an engine owns."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.scheduling import ScheduleSettings, ShopSettings
from twinloop.simulation import Economy, ExperimentSettings, Line
from twinloop.simulation.maintenance.settings import MaintenanceSettings, UpkeepSettings
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.evaluation.settings import DetectorExportSettings, EvaluateSettings
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.settings import AugmentationSettings, DetectorStudySettings, TrainSettings
from twinloop.vision.training.tuning import check_space


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

    @property
    def searched(self) -> tuple[str, ...]:
        """Paths of configured values that the search replaces."""
        return (
            tuple(f"factory.{path}" for path in self.factory.model.space.dimensions) if self.factory.tune.trials else ()
        )
