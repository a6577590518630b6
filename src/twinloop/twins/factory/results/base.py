"""The outputs of a factory loop, by the names that its results share."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from twinloop.reporting.results import Outputs
from twinloop.twins.factory import paths

CURRENCY = "€"


class FactoryOutputs(Outputs):
    """The outputs of a factory loop below one root."""

    metrics_files: ClassVar[Mapping[str, Path]] = {stage: paths.metrics(stage) for stage in paths.STAGES}
