"""The whole plan is checked before anything runs: a setting has its effect or is refused at its place."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinloop.config import Invalid, parse
from twinloop.config.digest import conf_digest
from twinloop.errors import InputError
from twinloop.twins import configuration, registry
from twinloop.twins.factory.config import FactoryConfig


@pytest.fixture(scope="module")
def params(repository: Path) -> Any:
    return yaml.safe_load((repository / "params.yaml").read_text(encoding="utf-8"))


def changed(params: Any, path: str, value: Any) -> Any:
    """A copy of params with one value changed; keys are separated by slashes."""
    node = values = copy.deepcopy(params)
    *keys, last = (int(key) if key.isdigit() else key for key in path.split("/"))
    for key in keys:
        node = node[key]
    node[last] = value
    return values


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("factory/simulate/levers/0/change/threshold", "abc", "expected 'chosen' or a number in [0, 1]"),
        ("factory/simulate/levers/0/change/threshold", 1.5, "expected 'chosen' or a number in [0, 1]"),
        ("factory/simulate/levers/1/change/model", "int4", "expected one of fp32, fp16, int8"),
        ("factory/simulate/levers/2/change/errors", 0.5, "expected {scale: 0.5} or the like"),
        ("factory/simulate/levers/4/change", {"bufer_2": 3}, "did you mean 'buffer_2'?"),
        ("factory/simulate/levers/3/change", {"stations.{station}.repare.mean": 2}, "no station has"),
        ("factory/simulate/optimise/space/crew.siz", {"kind": "int", "low": 1, "high": 4}, "did you mean 'size'?"),
        ("factory/maintenance/station", "weldin", "did you mean 'welding'?"),
        ("factory/maintenance/station", "camera", "this one has no repair time"),
        ("factory/upkeep/machines/0/name", "mil_1", "did you mean 'mill_1'?"),
        ("factory/upkeep/foresight/days", 1e11, "expected a number ≤ 36500"),
        ("factory/schedule/changes/0/machine", "mil_1", "did you mean 'mill_1'?"),
        ("factory/schedule/changes/2/rush/product", "brackets", "did you mean 'bracket'?"),
        ("factory/export/opset", 99, "expected an integer ≤ 23"),
        ("factory/model/width", 10**11, "expected an integer ≤ 4096"),
        ("factory/train/devices", 10**11, "expected an integer ≤ 1024"),
        ("factory/simulate/replications", 10**11, "expected an integer ≤ 1000000"),
        ("factory/simulate/days", 1e11, "expected a number ≤ 36500"),
        ("factory/maintenance/foresight/days", 1e11, "expected a number ≤ 36500"),
        ("factory/schedule/deterministic_limit", 1e11, "expected a number ≤ 100000"),
        ("factory/export/parity_batches/1", 10**11, "expected an integer ≤ 65536"),
        ("factory/model/stages/1", 10**11, "expected an integer ≤ 64"),
        ("factory/schedule/replications", 10**11, "expected an integer ≤ 1000000"),
    ],
)
def test_what_cannot_work_is_refused_at_its_place(params: Any, path: str, value: Any, expected: str) -> None:
    with pytest.raises(Invalid) as caught:
        registry.check(changed(params, path, value))
    fault = caught.value.faults[0]
    assert expected in fault.expected
    assert fault.dotted.startswith(path.replace("/", "."))


def test_a_value_that_the_search_replaces_is_said(params: Any) -> None:
    def config(trials: int) -> FactoryConfig:
        values = changed(params, "factory/tune/trials", trials)
        return parse(FactoryConfig, {key: values[key] for key in ("profile", "seed", "factory")})

    assert "factory.train.learning_rate" in config(12).searched
    assert config(0).searched == ()


def test_a_password_in_an_address_is_refused_with_the_way_to_give_it(
    params: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    values = changed(params, "factory/tune/storage", "postgresql://ann:hunter2@db/study")
    values["conf_digest"] = conf_digest(tmp_path / "conf")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(InputError, match=r"factory\.tune\.storage: a password .*env:NAME") as caught:
        configuration.check(tmp_path)
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("STUDY", "postgresql://ann:hunter2@db/study")
    assert configuration.from_environment("factory.tune.storage", "env:STUDY").endswith("@db/study")
    with pytest.raises(InputError, match="ABSENT is not set"):
        configuration.from_environment("factory.tune.storage", "env:ABSENT")


def test_the_tracking_server_is_shown_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://ann:hunter2@mlflow.example.org")
    assert configuration.store_location(tmp_path) == "https://ann:***@mlflow.example.org"
