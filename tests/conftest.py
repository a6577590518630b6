"""Fixtures shared by all tests."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
# Tests run side by side: one thread each, in the processes they start too.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Clones of the checkout need not compile again what it has compiled.
MACHINE_CODE = ROOT / ".pytest_cache" / "machine_code"
os.environ.setdefault("NUMBA_CACHE_DIR", str(MACHINE_CODE))
# The same examples in every run, however slow the machine: a test that passes here passes everywhere.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")
# By hand, with `--hypothesis-profile=many`: other examples in every run, and many of them.
hypothesis.settings.register_profile(
    "many", deadline=None, max_examples=3000, suppress_health_check=list(hypothesis.HealthCheck)
)


def pytest_configure(config: pytest.Config) -> None:
    """What set-up has compiled beside the sources serves the tests too: it takes minutes."""
    if hasattr(config, "workerinput"):
        return
    for compiled in (ROOT / "src").glob("**/__pycache__/*/*.nb[ic]"):
        package = ".".join(compiled.relative_to(ROOT / "src").parts[:-3])
        place = MACHINE_CODE / package / compiled.parent.name / compiled.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copy(compiled, place)


# Test processes take file after file. The longest comes first and makes the real loop, beside it the twins' own tests
# run; then comes what goes on from that loop, and last the many small files, so that no process waits long at the end.
LONGEST_FIRST = ("tests/pipeline/test_examples.py", "tests/twins", "tests/pipeline", "tests")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files by LONGEST_FIRST; within a file and a folder nothing moves."""
    places = [ROOT / place for place in LONGEST_FIRST]
    items.sort(key=lambda item: next(k for k, place in enumerate(places) if item.path.is_relative_to(place)))


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Makes a folder that the test processes side by side share: the first that asks for it by name fills it, the
    others wait. It is only to be read.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "once"
    shared.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                # What a process left that failed.
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout under test; tests read it and never write to it."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data to try things on: $TWINLOOP_DATA or ../shared/data; the test is skipped where there is none."""
    folder = Path(os.environ.get("TWINLOOP_DATA", ROOT.parent / "shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set TWINLOOP_DATA to run this test")
    return folder


def environment(clone: Path) -> dict[str, str]:
    """The environment of a user inside `clone`: its code, this virtual environment's commands, its own store.

    One worker: tests run side by side. What more of them make is asked where it matters.
    """
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(clone / "src"),
        "DVC_NO_ANALYTICS": "1",
        "NO_COLOR": "1",
        "TWINLOOP_WORKERS": "1",
    }
    return {
        key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "MLFLOW_", "TWINLOOP_"))
    } | own


def run_in(clone: Path, *command: str, check: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user inside `clone`; its output is shown when it fails although it must not."""
    done = subprocess.run(
        command, cwd=clone, env=environment(clone) | extra, capture_output=True, text=True, check=False, timeout=1200
    )
    assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def fresh_clone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes a new git clone of the checkout as it stands, changes not yet committed included."""

    def make() -> Path:
        clone = tmp_path_factory.mktemp("clone") / "twinloop"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (clone / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, clone / name)
        run_in(clone, "git", "init", "-q", "-b", "main")
        run_in(clone, "git", "config", "user.email", "tester@example.org")
        run_in(clone, "git", "config", "user.name", "tester")
        run_in(clone, "git", "add", "-A")
        run_in(clone, "git", "commit", "-q", "-m", "as it stands")
        return clone

    return make
