"""What cannot be prepared together is refused before anything is read."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from twinloop.config import Invalid, parse
from twinloop.config.compose import compose
from twinloop.vision.datasets.settings import DatasetSettings, SurfaceSettings


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"val_share": 0.5, "test_share": 0.5}, "val_share \\+ test_share below 1"),
        ({"folds": 1}, "expected folds 0 \\(one division\\), -1 \\(as needed\\) or at least 2, found 1"),
        ({"folds": 5, "fold": 5}, "expected fold from 0 to 4, found 5"),
        ({"fold": 1}, "expected fold from 0 to 0, found 1"),
        ({"folds": 2, "val_share": 0.5}, "expected val_share below 0.5"),
        ({"folds": 5, "division": "given"}, "expected division made where folds are asked for"),
        ({"kind": "imagenet"}, "kind"),
        ({"division": "random"}, "division"),
    ],
)
def test_wrong_settings_are_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        DatasetSettings(**given)  # type: ignore[arg-type]


def test_every_fold_of_five_can_be_asked_for() -> None:
    assert DatasetSettings(folds=-1, division="given").folds == -1
    assert [DatasetSettings(folds=5, fold=fold).fold for fold in range(5)] == [0, 1, 2, 3, 4]


def test_a_range_of_a_rendered_surface_is_told_with_its_path() -> None:
    with pytest.raises(Invalid) as refusal:
        parse(DatasetSettings, {"surfaces": {"light": {"gain": [1.2, 0.8]}}}, path=("factory", "data"))
    fault = refusal.value.faults[0]
    assert fault.dotted == "factory.data.surfaces.light.gain"
    assert fault.expected == "expected a range [lowest, highest], found 1.2 above 0.8"


def test_every_option_of_conf_composes_and_together_they_name_every_setting(repository: Path) -> None:
    named = set()
    for path in sorted((repository / "conf" / "factory" / "data").glob("*.yaml")):
        values = compose(repository / "conf", [f"factory/data={path.stem}"]).values["factory"]["data"]
        parse(DatasetSettings, values)
        named |= set(values)
    assert named == {field.name for field in dataclasses.fields(DatasetSettings)}


def test_the_default_option_holds_the_defaults_of_the_code(repository: Path) -> None:
    written = yaml.safe_load((repository / "conf" / "factory" / "data" / "synthetic.yaml").read_text(encoding="utf-8"))
    assert set(written["surfaces"]) == {field.name for field in dataclasses.fields(SurfaceSettings)}
    assert parse(SurfaceSettings, written["surfaces"]) == SurfaceSettings()
