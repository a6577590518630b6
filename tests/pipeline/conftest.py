"""The loops of all twins, run once for real with profile smoke: every pipeline test looks at this run or goes on."""

import fcntl
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import run_in

COMMAND = ("python", "-m", "twinloop", "repro", "--profile", "smoke")


@dataclass(frozen=True)
class Loop:
    """A clone in which the loops have run, and what that run printed."""

    clone: Path
    first: subprocess.CompletedProcess[str]

    def run(self, *command: str, check: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        """A command of a user in this clone."""
        return run_in(self.clone, *command, check=check, **extra)


@pytest.fixture(scope="session")
def loop(fresh_clone: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Loop:
    """`make repro PROFILE=smoke` in a fresh clone (without make's own set-up, which has been done).

    Test processes side by side run it once: the first that asks makes it, each works in a copy of its own.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "loop"
    shared.mkdir(exist_ok=True)
    made, printed = shared / "twinloop", shared / "printed.json"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.is_file():
            clone = fresh_clone()
            first = run_in(clone, *COMMAND, TWINLOOP_WORKERS="2")
            shutil.copytree(clone, made, symlinks=True)
            printed.write_text(json.dumps({"stdout": first.stdout, "stderr": first.stderr}), encoding="utf-8")
        own = tmp_path_factory.mktemp("loop") / "twinloop"
        shutil.copytree(made, own, symlinks=True)
    said = json.loads(printed.read_text(encoding="utf-8"))
    return Loop(own, subprocess.CompletedProcess(COMMAND, 0, **said))
