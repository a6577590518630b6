"""A team's servers: several workers and stages that come to an empty PostgreSQL at once all find their tables, and a
server with accounts takes those that it knows.
"""

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


USER, PASSWORD = "admin", "a-password-of-the-team"


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of MLflow's server with accounts, as the README starts it, with one administrator."""
    pytest.importorskip("flask_wtf", reason="the extra `auth` is not installed")
    folder = tmp_path_factory.mktemp("accounts")
    rules = {
        "default_permission": "READ",
        "database_uri": f"sqlite:///{folder}/accounts.db",
        "admin_username": USER,
        "admin_password": PASSWORD,
        "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
    }
    lines = [f"{name} = {value}" for name, value in rules.items()]
    (folder / "accounts.ini").write_text("\n".join(["[mlflow]", *lines, ""]), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ["--backend-store-uri", f"sqlite:///{folder}/runs.db", "--artifacts-destination", str(folder / "artifacts")]
    keys = {"MLFLOW_AUTH_CONFIG_PATH": str(folder / "accounts.ini"), "MLFLOW_FLASK_SERVER_SECRET_KEY": "of this test"}
    with (folder / "said").open("w") as said:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth"),
                *where,
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                "--workers",
                "1",
            ],
            env=os.environ | keys,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            begin = time.monotonic()
            while not answers(port):
                assert server.poll() is None, (folder / "said").read_text()[-2000:]
                assert time.monotonic() - begin < 300, "the server does not answer"
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stage_as(address: str, folder: Path, **account: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", STAGE, address, str(folder), "train"],
        env=os.environ | {f"MLFLOW_TRACKING_{name.upper()}": value for name, value in account.items()},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_known_account_records_by_environment_or_address(accounts: str, tmp_path: Path) -> None:
    by_address = accounts.replace("://", f"://{USER}:{PASSWORD}@")
    assert stage_as(accounts, tmp_path, username=USER, password=PASSWORD).stderr == ""
    assert stage_as(by_address, tmp_path).stderr == ""


@pytest.mark.parametrize("account", [{}, {"username": USER, "password": "not-the-password"}], ids=["none", "wrong"])
def test_another_account_is_refused_in_a_line_that_says_what_to_set(
    accounts: str, tmp_path: Path, account: dict[str, str]
) -> None:
    refused = stage_as(accounts, tmp_path, **account)
    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    assert last.endswith("does not know the account: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD")
    assert "not-the-password" not in refused.stderr
