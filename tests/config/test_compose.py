"""Composition, digest and the protection of choices made by hand."""

from pathlib import Path

import pytest
import yaml

from twinloop.config.compose import choose, compose, difference, write_params
from twinloop.config.digest import conf_digest
from twinloop.errors import InputError


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A small conf/ with a group, a profile and the digest."""
    folder = tmp_path / "conf"
    files = {
        "config.yaml": "defaults:\n  - plant/train: quick\n  - _self_\n  - profile: default\n  - choices\n"
        "conf_digest: ${conf_digest:}\nvalues_digest: ${values_digest:}\nseed: 1\n",
        "choices.yaml": "# @package _global_\n",
        "plant/train/quick.yaml": "# epochs over the data\nepochs: 3\nrate: 0.1\n",
        "plant/train/slow.yaml": "epochs: 30\nrate: 0.01\n",
        "profile/default.yaml": "# @package _global_\nprofile: default\n",
        "profile/smoke.yaml": "# @package _global_\nprofile: smoke\nplant:\n  train:\n    epochs: 1\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_groups_profiles_and_overrides_compose_in_this_order(conf: Path) -> None:
    assert compose(conf).values["plant"]["train"] == {"epochs": 3, "rate": 0.1}
    assert compose(conf, ["plant/train=slow"]).values["plant"]["train"]["epochs"] == 30
    assert compose(conf, ["plant/train=slow", "profile=smoke"]).values["plant"]["train"] == {"epochs": 1, "rate": 0.01}
    assert compose(conf, ["profile=smoke", "plant.train.epochs=7"]).values["plant"]["train"]["epochs"] == 7


def test_the_composition_carries_the_digest_of_its_files(conf: Path) -> None:
    before = compose(conf).values["conf_digest"]
    assert before == conf_digest(conf)
    (conf / "plant/train/slow.yaml").write_text("epochs: 31\n", encoding="utf-8")
    assert compose(conf).values["conf_digest"] == conf_digest(conf) != before


def test_the_digest_counts_names_and_contents_but_not_line_endings(conf: Path) -> None:
    before = conf_digest(conf)
    config = conf / "config.yaml"
    config.write_bytes(config.read_bytes().replace(b"\n", b"\r\n"))
    assert conf_digest(conf) == before
    (conf / "plant/train/slow.yaml").rename(conf / "plant/train/sluggish.yaml")
    assert conf_digest(conf) != before


@pytest.mark.parametrize(
    ("keys", "overrides", "origin"),
    [
        (("plant", "train", "epochs"), [], "conf/plant/train/quick.yaml:2"),
        (("plant", "train", "epochs"), ["profile=smoke"], "conf/profile/smoke.yaml:5"),
        (("plant", "train", "rate"), ["plant/train=slow"], "conf/plant/train/slow.yaml:2"),
        (("plant", "train", "epochs"), ["plant.train.epochs=0"], "override plant.train.epochs=0"),
        (("seed",), [], "conf/config.yaml:8"),
        (("plant", "train", "epochs"), ["plant.train={epochs: 0}"], "override plant.train={epochs: 0}"),
    ],
)
def test_the_origin_of_a_value_is_its_file_and_line(
    conf: Path, keys: tuple[str, ...], overrides: list[str], origin: str
) -> None:
    assert compose(conf, overrides).origin(keys) == origin


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["plant.train.epoch=3"], "epoch"),
        (["plant/train=fast"], "fast"),
        (["profile=huge"], "huge"),
        (["plant.train.epochs=[1"], "plant.train.epochs"),
    ],
)
def test_an_override_that_fits_nothing_is_one_line(conf: Path, overrides: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        compose(conf, overrides)
    assert "\n" not in str(caught.value)


def test_a_value_left_open_is_refused_with_its_place(conf: Path) -> None:
    (conf / "plant/train/quick.yaml").write_text("epochs: ???\nrate: 0.1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"plant\.train\.epochs: expected a value.*quick\.yaml:1"):
        compose(conf)


def test_an_environment_value_would_be_written_down_and_is_refused(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    (conf / "plant/train/quick.yaml").write_text("epochs: 1\nrate: ${oc.env:SECRET}\n", encoding="utf-8")
    with pytest.raises(InputError, match="oc.env") as caught:
        compose(conf)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "override", ["plant.train.rate=${oc.env:SECRET}", "plant.train.rate='${oc.decode:${oc.env:SECRET}}'"]
)
def test_an_environment_value_in_an_override_is_refused_too(
    conf: Path, override: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "7041776")
    with pytest.raises(InputError, match="would stand in params.yaml in clear") as caught:
        choose(conf, [override])
    assert "7041776" not in str(caught.value)


def test_the_difference_lists_changed_new_and_gone_values() -> None:
    old = {"a": 1, "b": {"c": [1, 2]}, "gone": True}
    new = {"a": 2, "b": {"c": [1, 2, 3]}, "new": None}
    assert difference(old, new) == ["a: 1 → 2", "gone: True → (absent)", "b.c.2: (absent) → 3", "new: (absent) → None"]


def _write(conf: Path, *overrides: str, force: bool = False) -> list[str]:
    return write_params(conf.parent, conf, choose(conf, overrides), force=force)


def test_a_value_set_by_hand_is_not_overwritten_without_force(conf: Path) -> None:
    _write(conf)
    params = conf.parent / "params.yaml"
    by_hand = params.read_text(encoding="utf-8").replace("epochs: 3", "epochs: 5")
    params.write_text(by_hand, encoding="utf-8")
    with pytest.raises(InputError, match=r"plant\.train\.epochs: 3 → 5.*--force"):
        _write(conf)
    assert params.read_text(encoding="utf-8") == by_hand
    assert _write(conf, "plant.train.epochs=5") == []
    assert _write(conf, "~plant.train.epochs") == ["plant.train.epochs: 5 → 3"]
    params.write_text(by_hand, encoding="utf-8")
    assert _write(conf, force=True) == ["plant.train.epochs: 5 → 3"]
    assert yaml.safe_load(params.read_text(encoding="utf-8"))["plant"]["train"]["epochs"] == 3


def test_an_edit_by_hand_survives_an_edit_of_conf_too(conf: Path) -> None:
    _write(conf)
    params = conf.parent / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("epochs: 3", "epochs: 5"), encoding="utf-8")
    (conf / "plant/train/quick.yaml").write_text("epochs: 4\nrate: 0.1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"plant\.train\.epochs"):
        _write(conf)


def test_switching_profiles_back_and_forth_needs_no_force(conf: Path) -> None:
    _write(conf)
    assert _write(conf, "profile=smoke") == ["plant.train.epochs: 3 → 1", "profile: default → smoke"]
    _write(conf, "profile=default")
    assert _write(conf) == []
