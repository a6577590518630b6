import socket
from pathlib import Path

import pytest

from twinloop import cli


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dvc.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["serve", "--port", str(port)]) == 2
    assert f"serve: port {port} is taken: choose another one with --port" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_without_a_record_the_command_to_run_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert cli.main(["serve", "--port", str(port)]) == 2
    assert "serve: nothing is recorded in .twinloop/mlflow/mlflow.db: run `make repro` first" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--traces", "1.5"], "serve: --traces 1.5: expected a share from 0 to 1"),
        (["--counters", "gone/served.prom"], "serve: --counters gone/served.prom: there is no such folder"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", *arguments]) == 2
    assert told in capsys.readouterr().err
