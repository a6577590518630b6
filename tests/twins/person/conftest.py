"""The person's small loop, run once in a process of its own; every test of the twin looks at it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Once


@pytest.fixture(scope="session")
def person_root(once: Once) -> Path:
    """A folder in which the stages up to evaluate have run; their lines are in `printed`. Only to be read."""

    def make(root: Path) -> None:
        command = [sys.executable, "-m", "tests.twins.person.small_loop", str(root)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        (root / "printed").write_text(done.stdout, encoding="utf-8")

    return once("person", make)
