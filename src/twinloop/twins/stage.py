"""What every stage is given: its declared configuration, the repository's root, and a place to report live figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

Config = TypeVar("Config")


class Tracker(Protocol):
    """Receives live figures of a stage; losing it loses nothing, the metrics JSON stands."""

    def log(self, metrics: Mapping[str, float], *, step: int) -> None:
        """Figures of one epoch or step."""

    def child(self, name: str, *, params: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """One finished trial or scenario, as a run below the stage's run."""


@dataclass(frozen=True)
class Stage(Generic[Config]):
    """One run of one stage. `workers` never changes an output, only the time it takes."""

    config: Config
    root: Path
    tracker: Tracker
    workers: int
