"""A team's database: several workers and stages that come to an empty PostgreSQL at once all find their tables."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinloop.tracking.execution import PARENT
from twinloop.tracking.store import open_store

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
WORKER = """
import sys
from pathlib import Path
from tests.learning import objectives

found = objectives.run(objectives.hill, Path(sys.argv[2]), storage=sys.argv[1], trials=4, workers=1, heartbeat_s=60)
print(len(found.trials))
"""
STAGE = """
import sys
from pathlib import Path
from twinloop.tracking.stage_run import stage_run
from twinloop.tracking.store import open_store

store = open_store(sys.argv[1], Path(sys.argv[2]))
with stage_run(store, twin="factory", stage=sys.argv[3], execution_key="k", params={}, tags={}) as run:
    run.log({"loss": 1.0}, step=0)
"""


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    """Address of an empty database of a PostgreSQL that runs for this test alone."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    account = "postgres" if os.geteuid() == 0 else None
    if account and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL refuses to run as root, and there is no runuser")
    as_account = ["runuser", "-u", account, "--"] if account else []
    folder = Path("/tmp") / f"twinloop-postgres-{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        if account:
            shutil.chown(folder, account)
        data, binaries = folder / "data", BINARIES[-1]
        make = [str(binaries / "initdb"), "-D", str(data), "-U", "twin", "-A", "trust", "--no-sync"]
        subprocess.run([*as_account, *make], check=True, capture_output=True, cwd="/")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"]
        server = subprocess.Popen(
            [*as_account, str(binaries / "postgres"), "-D", str(data), *options],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"postgresql://twin@127.0.0.1:{port}/postgres"
            wait_for(address)
            yield address
        finally:
            # Its own process, not runuser's, which would leave it behind.
            os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder)


def wait_for(address: str, *, limit_s: float = 60) -> None:
    import psycopg

    begin = time.monotonic()
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            assert time.monotonic() - begin < limit_s, "PostgreSQL does not answer"
            time.sleep(0.1)
        else:
            return


def together(commands: list[list[str]]) -> list[str]:
    """Start all at once; returns what each printed."""
    started = [
        subprocess.Popen([sys.executable, "-c", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    ended = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0] * len(started), ended
    return [printed for printed, _ in ended]


def test_workers_on_an_empty_database_share_one_study(postgres: str, tmp_path: Path) -> None:
    # Each with a folder of its own, as on machines of its own: no lock file is shared.
    printed = together([[WORKER, postgres, str(tmp_path / f"{worker}" / "study.db")] for worker in range(2)])
    assert all(int(trials) >= 4 for trials in printed)


def test_stages_on_an_empty_database_share_one_row(postgres: str, tmp_path: Path) -> None:
    printed = together([[STAGE, postgres, str(tmp_path), f"stage-{number}"] for number in range(3)])
    assert printed == [""] * 3, "and without a word"
    store = open_store(postgres, tmp_path)
    runs = store.client.search_runs([store.experiment("factory")])
    assert len([run for run in runs if PARENT not in run.data.tags]) == 1
    assert {run.info.run_name for run in runs if PARENT in run.data.tags} == {f"stage-{n}" for n in range(3)}
