"""The loops of all twins, run once for real with profile smoke: every pipeline test looks at this run or goes on."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import run_in


@dataclass(frozen=True)
class Loop:
    """A clone in which the loops have run, and what that run printed."""

    clone: Path
    first: subprocess.CompletedProcess[str]

    def run(self, *command: str, check: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        """A command of a user in this clone."""
        return run_in(self.clone, *command, check=check, **extra)


@pytest.fixture(scope="session")
def loop(fresh_clone: Callable[[], Path]) -> Loop:
    """`make repro PROFILE=smoke` in a fresh clone (without make's own set-up, which has been done)."""
    clone = fresh_clone()
    first = run_in(clone, "python", "-m", "twinloop", "repro", "--profile", "smoke", TWINLOOP_WORKERS="2")
    return Loop(clone, first)
