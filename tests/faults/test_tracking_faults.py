"""Faults of the store: eight stages at once on a fresh one, a server down at the start, a server lost midway."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from twinloop.errors import RunError
from twinloop.files import write_json
from twinloop.tracking.execution import PARENT, Execution
from twinloop.tracking.record import Outcome, record
from twinloop.tracking.stage_run import stage_run
from twinloop.tracking.store import open_store
from twinloop.tracking.view import Columns

STAGE = """
import sys
from pathlib import Path
from twinloop.tracking.stage_run import stage_run
from twinloop.tracking.store import open_store

store = open_store(None, Path(sys.argv[1]))
with stage_run(store, twin="factory", stage=sys.argv[2], execution_key="k", params={}, tags={}) as run:
    run.log({"loss": 1.0}, step=0)
"""


def test_eight_stages_that_open_a_fresh_store_at_once_all_succeed_on_one_row(tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", STAGE, str(tmp_path), f"stage-{number}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(8)
    ]
    said = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0] * 8, said
    assert {output for both in said for output in both} == {b""}, "and without a word"
    store = open_store(None, tmp_path)
    runs = store.client.search_runs([store.experiment("factory")])
    rows = [run for run in runs if PARENT not in run.data.tags]
    assert len(rows) == 1
    nested = [run for run in runs if run.data.tags.get(PARENT) == rows[0].info.run_id]
    assert sorted(run.info.run_name for run in nested) == [f"stage-{number}" for number in range(8)]
    assert {run.info.status for run in nested} == {"FINISHED"}


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.mark.parametrize("scheme", ["http", "https", "postgresql"])
def test_a_server_that_is_down_fails_within_five_seconds_with_one_clear_line(scheme: str, tmp_path: Path) -> None:
    uri = f"{scheme}://127.0.0.1:{closed_port()}"
    begin = time.monotonic()
    with pytest.raises(RunError) as caught:
        open_store(uri, tmp_path)
    assert time.monotonic() - begin < 5
    line = str(caught.value)
    assert line.startswith(f"tracking: no MLflow server answers at {uri} (Connection refused): start it, or unset")
    assert "\n" not in line


def test_a_server_that_is_not_mlflow_is_told(tmp_path: Path) -> None:
    port = closed_port()
    other = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/", other)
        with pytest.raises(RunError, match=r"no MLflow server answers at .* \(HTTP 404\)"):
            open_store(f"http://127.0.0.1:{port}", tmp_path)
    finally:
        other.terminate()
        other.wait(timeout=10)


@dataclass
class Server:
    """An `mlflow server` on loopback that can be ended and started again over the same files."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        database = f"sqlite:///{self.folder}/server.db"
        command = [
            *(sys.executable, "-W", "ignore", "-m", "mlflow", "server", "--backend-store-uri", database),
            *("--artifacts-destination", str(self.folder / "artifacts"), "--workers", "1"),
            *("--host", "127.0.0.1", "--port", str(self.port)),
        ]
        quick = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=os.environ | quick, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(f"{self.uri}/health", self.process)

    def end(self) -> None:
        """Kill the server and its worker: they share a process group of their own."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=30)
            self.process = None


def wait_for(url: str, process: subprocess.Popen[bytes], *, limit_s: float = 120) -> None:
    begin = time.monotonic()
    while time.monotonic() - begin < limit_s:
        assert process.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no answer from {url} in {limit_s} s")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    started = Server(folder, closed_port())
    started.start()
    yield started
    started.end()


def test_a_server_that_dies_in_mid_run_costs_one_warning_and_record_sends_the_figures_later(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    metrics = tmp_path / "train.json"
    store = open_store(server.uri, tmp_path)
    with stage_run(store, twin="factory", stage="train", execution_key="k", params={"epochs": 3}, tags={}) as run:
        run.child("trial 0", params={}, metrics={"ap": 0.5})
        server.end()
        begin = time.monotonic()
        run.child("trial 1", params={}, metrics={"ap": 0.6})
        for epoch in range(3):
            run.log({"loss": 1.0}, step=epoch)
        write_json(metrics, {"val_ap": 0.91, "device": "cpu"})
        run.finish(metrics)
    assert time.monotonic() - begin < 15
    told = capfd.readouterr().err.splitlines()
    assert len(told) == 1, told
    assert told[0].startswith("factory train: warning: the MLflow store went away (")
    assert metrics.is_file()

    outcome = Outcome(
        name="after the loss",
        columns=Columns(labels=("model",), metrics={"AP": ("train", "val_ap")}),
        stages={"train": {"val_ap": 0.91, "device": "cpu"}},
        params={"epochs": 3},
        labels={"model": "tiny"},
    )
    with pytest.raises(RunError, match="did not take the row"):
        record(store, run.execution, outcome)
    server.start()
    later = open_store(server.uri, tmp_path)
    record(later, Execution("factory", "k", run.execution.experiment_id, run.execution.run_id), outcome)
    row = later.client.get_run(run.execution.run_id)
    assert (row.info.run_name, row.info.status) == ("after the loss", "FINISHED")
    assert row.data.metrics == {"AP": 0.91, "train.val_ap": 0.91}
    stage = later.client.get_run(run.run_id)
    assert stage.info.status == "FINISHED", "the run left open is closed"
    assert stage.data.metrics["val_ap"] == 0.91
