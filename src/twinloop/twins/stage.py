"""What every stage is given: its declared configuration, the repository's root, and a place to report live figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

STATE = Path(".twinloop/state")
CACHE = Path(".twinloop/cache")
Config = TypeVar("Config")


class Tracker(Protocol):
    """Receives live figures of a stage; losing it loses nothing, the metrics JSON stands."""

    def log(self, metrics: Mapping[str, float], *, step: int) -> None:
        """Figures of one epoch or step."""

    def child(
        self,
        name: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """One finished trial or scenario, as a run below the stage's run; of the same name again, more about it."""

    def artifact(self, path: Path) -> None:
        """A file worth keeping that is no output, such as a profile."""


@dataclass(frozen=True)
class Stage(Generic[Config]):
    """One run of one stage. `workers` never changes an output, only the time it takes.

    main: the main checkout, where this run works in a copy of it (`dvc exp run --temp`).
    """

    config: Config
    root: Path
    tracker: Tracker
    workers: int
    main: Path | None = None

    @property
    def state(self) -> Path:
        """Where a killed run leaves what its rerun goes on from; never an output."""
        return (self.main or self.root) / STATE

    @property
    def cache(self) -> Path:
        """What is kept to be quicker and may be thrown away at any time; never an output."""
        return (self.main or self.root) / CACHE
