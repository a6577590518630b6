"""The fleet's stages up to schedule, for real and tiny, on a simulated fleet.

Run as a module with a root: `python -m tests.twins.fleet.small_loop ROOT`; so torch stays out of the process that
tests the report.
"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.stage import Stage

CONF = Path(__file__).resolve().parents[3] / "conf"
HOSTILE = "<script>alert(1)</script>"
OVERRIDES = ("profile=smoke", "fleet.tune.trials=0")


class SilentTracker:
    """Takes live figures and keeps none."""

    def log(self, metrics: Mapping[str, float], *, step: int) -> None: ...

    def child(self, name: str, *, params: Mapping[str, Any], metrics: Mapping[str, float]) -> None: ...


def stage(root: Path) -> Stage[FleetConfig]:
    """A stage at `root` under profile smoke."""
    values = compose(CONF, OVERRIDES).values
    return Stage(
        parse(FleetConfig, {key: values[key] for key in ("profile", "seed", "fleet")}), root, SilentTracker(), 2
    )


def make_hostile(root: Path) -> None:
    """Put markup in the place of a vehicle's name: as if no earlier stage had cleaned it."""
    for folder in (paths.DATASET, paths.EVALUATION, paths.SCHEDULE):
        for path in sorted((root / folder).glob("*.parquet")):
            frame = pl.read_parquet(path)
            own = [name for name, kind in frame.schema.items() if name in ("asset", "job") and kind == pl.String]
            if own:
                metadata = {k: v for k, v in pl.read_parquet_metadata(path).items() if k.startswith("twinloop")}
                frame.with_columns(pl.col(own).replace({"VEH002": HOSTILE})).write_parquet(path, metadata=metadata)


def main(root: Path) -> None:
    for verb in paths.STAGES:
        print(verb, importlib.import_module(f"twinloop.twins.fleet.{verb}").run(stage(root)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
