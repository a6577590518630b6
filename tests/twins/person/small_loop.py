"""The person's stages, for real and tiny, in a folder.

Run as a module with a root: `python -m tests.twins.person.small_loop ROOT`; so torch stays out of the process that
tests what comes behind it. One worker does it: tests/pipeline/test_loop.py compares with what two make.
"""

import importlib
import sys
from pathlib import Path

from tests.twins.small_loop import CONF, SilentTracker
from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.twins.person.config import PersonConfig
from twinloop.twins.stage import Stage

STAGES = ("prepare", "tune", "train", "export", "evaluate")


def config(*overrides: str) -> PersonConfig:
    """The person's part of conf/ under profile smoke."""
    values = compose(CONF, ("profile=smoke", *overrides)).values
    return parse(PersonConfig, {key: values[key] for key in ("profile", "seed", "person")})


def stage(root: Path, *overrides: str, workers: int = 1) -> Stage[PersonConfig]:
    """A stage at `root` under profile smoke."""
    return Stage(config(*overrides), root, SilentTracker(), workers)


def run(root: Path, *overrides: str, stages: tuple[str, ...] = STAGES, workers: int = 1) -> dict[str, str]:
    """Run stages in order; their summary lines."""
    made = stage(root, *overrides, workers=workers)
    return {name: importlib.import_module(f"twinloop.twins.person.{name}").run(made) for name in stages}


if __name__ == "__main__":
    for name, line in run(Path(sys.argv[1]), *sys.argv[2:]).items():
        print(f"{name}: {line}")
