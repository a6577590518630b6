"""The fleet's stages up to schedule, for real and tiny, in a folder.

Run as a module with a root: `python -m tests.twins.fleet.small_loop ROOT`; so torch stays out of the process that tests
what comes behind it.
"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

<<<<<<< HEAD
import polars as pl

from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.twins.fleet import paths
=======
from twinloop.config import parse
from twinloop.config.compose import compose
>>>>>>> surfaces
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.stage import Stage

CONF = Path(__file__).resolve().parents[3] / "conf"
<<<<<<< HEAD
HOSTILE = "<script>alert(1)</script>"
=======
>>>>>>> surfaces
STAGES = ("prepare", "tune", "train", "export", "evaluate", "simulate", "schedule")


class SilentTracker:
    """Takes live figures and keeps none."""

    def log(self, metrics: Mapping[str, float], *, step: int) -> None: ...

    def child(
        self,
        name: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str] | None = None,
    ) -> None: ...

    def artifact(self, path: Path) -> None: ...


def config(*overrides: str) -> FleetConfig:
    """The fleet's part of conf/ under profile smoke."""
    values = compose(CONF, ("profile=smoke", *overrides)).values
    return parse(FleetConfig, {key: values[key] for key in ("profile", "seed", "fleet")})


def stage(root: Path, *overrides: str, workers: int = 2) -> Stage[FleetConfig]:
    """A stage at `root` under profile smoke."""
    return Stage(config(*overrides), root, SilentTracker(), workers)


def run(root: Path, *overrides: str, stages: tuple[str, ...] = STAGES, workers: int = 2) -> dict[str, str]:
    """Run stages in order; their summary lines."""
    made = stage(root, *overrides, workers=workers)
    return {name: importlib.import_module(f"twinloop.twins.fleet.{name}").run(made) for name in stages}


<<<<<<< HEAD
def make_hostile(root: Path) -> None:
    """Put markup in the place of a vehicle's name: as if no earlier stage had cleaned it."""
    for folder in (paths.DATASET, paths.EVALUATION, paths.SCHEDULE):
        for path in sorted((root / folder).glob("*.parquet")):
            frame = pl.read_parquet(path)
            own = [name for name, kind in frame.schema.items() if name in ("asset", "job") and kind == pl.String]
            if own:
                metadata = {k: v for k, v in pl.read_parquet_metadata(path).items() if k.startswith("twinloop")}
                frame.with_columns(pl.col(own).replace({"VEH002": HOSTILE})).write_parquet(path, metadata=metadata)


=======
>>>>>>> surfaces
if __name__ == "__main__":
    for name, line in run(Path(sys.argv[1]), *sys.argv[2:]).items():
        print(f"{name}: {line}")
