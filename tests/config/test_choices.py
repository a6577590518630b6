"""Choices made with `conf` hold in every later composition, DVC's own in a workspace and in a copy included.

Of a queue tests/pipeline/test_changes.py tells it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import run_in
from twinloop.config.compose import compose
from twinloop.errors import InputError
from twinloop.twins import configuration


@pytest.fixture(scope="module")
def clone(fresh_clone: Callable[[], Path]) -> Path:
    """A clone in which nothing has run yet, whose lock knows of no run elsewhere either: DVC reads it slowly."""
    clone = fresh_clone()
    run_in(clone, "git", "rm", "-q", "dvc.lock")
    run_in(clone, "git", "commit", "-q", "-m", "nothing has run")
    return clone


def conf(clone: Path, *overrides: str) -> str:
    """`twinloop conf` in this process; what it says of the choices."""
    configuration.write(clone, overrides)
    return configuration.choices_line(clone)


def reset(clone: Path) -> None:
    configuration.write(clone, [], reset=True, force=True)


def params(clone: Path, revision: str | None = None) -> dict[str, Any]:
    """params.yaml of the workspace, or of an experiment."""
    shown = run_in(clone, "git", "show", f"{revision}:params.yaml").stdout if revision else ""
    values: dict[str, Any] = yaml.safe_load(shown or (clone / "params.yaml").read_text(encoding="utf-8"))
    return values


def experiment(clone: Path, name: str) -> str:
    """The revision of an experiment by name."""
    return run_in(clone, "git", "for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{name}").stdout.strip()


def test_a_choice_holds_in_an_experiment_here_and_in_a_copy(clone: Path) -> None:
    conf(clone, "factory/data=auto", "factory.data.source=notebooks")
    told = conf(clone, "profile=smoke")
    assert told.startswith("your choices: factory/data=auto profile=smoke factory.data.source=notebooks  (")

    run_in(clone, "dvc", "exp", "run", "-S", "factory.train.epochs=7", "conf")
    run_in(clone, "dvc", "exp", "run", "--temp", "-n", "in-a-copy", "-S", "factory.train.epochs=8", "conf")
    for revision, epochs in ((None, 7), (experiment(clone, "in-a-copy"), 8)):
        values = params(clone, revision)
        assert values["factory"]["train"]["epochs"] == epochs
        assert values["factory"]["data"]["kind"] == "auto"
        assert values["factory"]["data"]["source"] == "notebooks"
        assert values["profile"] == "smoke"


def test_an_experiment_is_composed_over_by_neither_a_choice_nor_another_experiment_in_silence(clone: Path) -> None:
    reset(clone)
    run_in(clone, "dvc", "exp", "run", "-S", "factory.train.epochs=7", "conf")
    with pytest.raises(InputError, match="factory.train.epochs: 40 → 7"):
        conf(clone, "seed=2")
    conf(clone, "seed=2", "factory.train.epochs=7")
    assert (params(clone)["factory"]["train"]["epochs"], params(clone)["seed"]) == (7, 2)

    edited = (clone / "params.yaml").read_text(encoding="utf-8").replace("epochs: 7", "epochs: 6")
    (clone / "params.yaml").write_text(edited, encoding="utf-8")
    refused = run_in(clone, "dvc", "exp", "run", "-S", "seed=3", "conf", check=False)
    assert refused.returncode != 0
    assert "params.yaml was edited by hand" in refused.stdout + refused.stderr
    assert (clone / "params.yaml").read_text(encoding="utf-8") == edited


def test_a_committed_smoke_checkout_stays_smoke_in_a_new_clone(clone: Path, tmp_path: Path) -> None:
    reset(clone)
    conf(clone, "profile=smoke")
    run_in(clone, "git", "add", "-A")
    run_in(clone, "git", "commit", "-q", "-m", "smoke")
    run_in(clone, "git", "clone", "-q", str(clone), str(tmp_path / "second"))
    assert compose(tmp_path / "second/conf", ["seed=5"]).values["profile"] == "smoke"


def test_reset_returns_to_the_default_composition(clone: Path) -> None:
    reset(clone)
    before = params(clone)
    conf(clone, "profile=smoke", "seed=9", "factory.line.crew.size=3")
    assert params(clone)["factory"]["line"]["crew"]["size"] == 3
    reset(clone)
    assert params(clone) == before
    assert configuration.choices_line(clone) == ""


def test_one_choice_is_dropped_by_its_name(clone: Path) -> None:
    reset(clone)
    conf(clone, "seed=9", "factory.line.crew.size=3")
    conf(clone, "~seed")
    assert (params(clone)["seed"], params(clone)["factory"]["line"]["crew"]["size"]) == (1, 3)
    with pytest.raises(InputError, match="~seed: expected one of your choices: factory.line.crew.size"):
        conf(clone, "~seed")


def test_a_choice_within_a_list_keeps_the_rest_of_the_list(clone: Path) -> None:
    reset(clone)
    conf(clone, "factory.line.stations.1.cycle.mean=1.7")
    conf(clone, "factory.line.stations.0.cycle.mean=1.6")
    stations = params(clone)["factory"]["line"]["stations"]
    assert [station["cycle"]["mean"] for station in stations[:3]] == [1.6, 1.7, 1.9]


def test_an_option_set_back_to_the_default_is_no_choice_any_more(clone: Path) -> None:
    reset(clone)
    conf(clone, "profile=smoke")
    assert conf(clone, "profile=default") == ""


def test_a_refused_override_changes_neither_params_nor_choices(clone: Path) -> None:
    reset(clone)
    files = [clone / "params.yaml", clone / "conf/choices.yaml"]
    before = [path.read_bytes() for path in files]
    with pytest.raises(InputError, match=r"factory\.train\.epochs = 0: .*override factory\.train\.epochs=0"):
        conf(clone, "seed=9", "factory.train.epochs=0")
    assert [path.read_bytes() for path in files] == before


def test_data_that_git_ignores_is_found_in_a_copy_of_the_checkout(clone: Path) -> None:
    reset(clone)
    folder = clone / "data/source/images/good"
    folder.mkdir(parents=True)
    (folder / "1.png").write_text("no picture", encoding="utf-8")
    conf(clone, "factory/data=auto", "factory.data.source=data/source/images")
    stopped = run_in(clone, "dvc", "exp", "run", "--temp", "-S", "profile=smoke", "factory-prepare", check=False)
    told = stopped.stdout + stopped.stderr
    # DVC found the dependency from the copy, and prepare the file itself: it is no picture.
    assert "does not exist" not in told
    assert "images/good/1.png: not an image" in told
