"""Metrics of any stage, and what identifies a set of results."""

from typing import Any

from twinloop.files import fingerprint
from twinloop.reporting.results import Outputs
from twinloop.twins.factory import paths

STAGES = ("prepare", "tune", "train", "export", "evaluate", "simulate", "schedule")
CURRENCY = "€"


class FactoryOutputs(Outputs):
    """The outputs of a factory loop below one root."""

    def metrics(self, stage: str) -> dict[str, Any]:
        """The one metrics JSON of a stage."""
        found: dict[str, Any] = self.json(paths.metrics(stage))
        return found

    def digest(self) -> str:
        """Identifies these results: digest of all stages' metrics, 12 hex digits."""
        return fingerprint({stage: self.metrics(stage) for stage in STAGES})[:12]
