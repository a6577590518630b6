"""Faults of the pipeline as a user meets them: stale or hostile configuration, two runs at once, altered data."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import environment, run_in
from twinloop import cli
from twinloop.twins.factory import paths


@pytest.fixture(scope="module")
def clone(fresh_clone: Callable[[], Path]) -> Path:
    """A clone in which nothing has run yet."""
    return fresh_clone()


def test_conf_newer_than_params_stops_the_run_with_the_command_that_mends_it(clone: Path) -> None:
    config = clone / "conf/config.yaml"
    before = config.read_text(encoding="utf-8")
    config.write_text(before + "\n# edited\n", encoding="utf-8")
    try:
        stopped = run_in(clone, "python", "-m", "twinloop", "repro", "factory", check=False)
        assert stopped.returncode == 1
        assert "run `python -m twinloop conf`" in stopped.stderr
        assert not (clone / paths.DATASET).exists()
        plain = run_in(clone, "dvc", "repro", check=False)
        assert plain.returncode != 0
        assert "run `python -m twinloop conf`" in plain.stdout + plain.stderr
        run_in(clone, "python", "-m", "twinloop", "conf")
        assert run_in(clone, "python", "-m", "twinloop", "conf", "--check").returncode == 0
    finally:
        config.write_text(before, encoding="utf-8")
        run_in(clone, "python", "-m", "twinloop", "conf")


def test_a_second_run_beside_the_first_stops_and_does_no_harm(clone: Path) -> None:
    run_in(clone, "python", "-m", "twinloop", "conf", "profile=smoke")
    first = subprocess.Popen(
        ["dvc", "repro", "factory-prepare"],
        cwd=clone,
        env=environment(clone),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # The first one holds the stage's lock as soon as DVC has said that it runs the stage.
    assert first.stdout is not None
    for line in first.stdout:
        if "Running stage 'factory-prepare'" in line:
            break
    second = run_in(clone, "python", "-m", "twinloop", "repro", "factory", check=False)
    told, _ = first.communicate(timeout=120)
    assert second.returncode != 0
    assert "running here" in second.stderr or "busy" in second.stderr
    assert first.returncode == 0, told
    assert (clone / paths.DATASET / "index.parquet").is_file()


@pytest.mark.parametrize(
    "override",
    [
        "+factory.model._target_=os.system",
        "+factory.model.callable=builtins.eval",
        "factory.model.encoder=__import__",
        "+factory.train.loss_class=torch.load",
        "+hooks.after=os.system",
        "factory.data.kind=pickle",
    ],
)
def test_a_configuration_cannot_name_code_to_run(
    override: str, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    before = (repository / "params.yaml").read_bytes()
    assert cli.main(["conf", override]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert (repository / "params.yaml").read_bytes() == before
