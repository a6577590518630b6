"""The command line: what it lists, what it refuses and with which status."""

from pathlib import Path

import pytest

from twinloop import cli
from twinloop.twins import registry
from twinloop.twins.registry import VERBS

STAGES = [(twin.name, verb) for twin in registry.chosen() for verb in twin.verbs]
TWIN_TOOLS = [(twin.name, tool) for twin in registry.chosen() for tool in twin.tools]


def test_without_arguments_it_lists_twins_stages_and_tools(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    for word in (*registry.TWINS, *VERBS, *cli.TOOLS, *(tool for _, tool in TWIN_TOOLS)):
        assert word in shown


def test_a_twin_alone_lists_its_stages_and_its_own_tools(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["factory"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert listed == [*VERBS, *registry.find("factory").tools]


@pytest.mark.parametrize(("twin", "verb"), STAGES)
def test_every_stage_has_help_with_an_example(twin: str, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([twin, verb, "--help"])
    assert stopped.value.code == 0
    assert f"example:\n  python -m twinloop {twin} {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("tool", cli.TOOLS)
def test_every_tool_has_help_with_an_example(tool: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([tool, "--help"])
    assert stopped.value.code == 0
    assert "example:\n  python -m twinloop" in capsys.readouterr().out


@pytest.mark.parametrize("with_twin", [True, False])
@pytest.mark.parametrize(("twin", "tool"), TWIN_TOOLS)
def test_a_twins_tool_has_help_with_and_without_the_twins_name(
    twin: str, tool: str, with_twin: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([*([twin] if with_twin else []), tool, "--help"])
    assert stopped.value.code == 0
    example = capsys.readouterr().out.partition("example:\n  python -m twinloop ")[2].removeprefix(f"{twin} ")
    assert example.startswith(tool)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vessel", "train"], "there is no twin or tool 'vessel'; known: factory, fleet, person"),
        (["repro", "vessel"], "there is no twin 'vessel'; twins: factory, fleet, person"),
        (["factory", "trian"], "factory: has no stage 'trian'; stages: prepare, tune"),
        (["factory", "talk"], "tools: camera, drift"),
        (["serve", "--model", "talker"], "serve: --model talker: expected one of factory-detector, factory-scheduler"),
        (["conf", "factory.train.epochs=0"], "conf: factory.train.epochs = 0: expected an integer ≥ 1 (override"),
        (["conf", "factory.train.epoch=3"], "epoch"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    repository: Path,
) -> None:
    monkeypatch.chdir(repository)
    assert cli.main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def test_outside_the_project_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["doctor"]) == 2
    assert "run this inside the project's folder" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5"])
def test_a_wrong_worker_count_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINLOOP_WORKERS", given)
    with pytest.raises(cli.InputError, match="TWINLOOP_WORKERS"):
        cli.workers()


def test_doctor_names_every_check(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    cli.main(["doctor"])
    shown = capsys.readouterr().out
    for what in (
        "python",
        "packages",
        "git",
        "gpu",
        "tensorrt",
        "configuration",
        "mlflow store",
        "cache",
        "factory data",
        "disk",
    ):
        assert what in shown
