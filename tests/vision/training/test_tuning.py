from typing import Any

import pytest

from twinloop.config import parse
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.settings import TrainSettings
from twinloop.vision.training.tuning import check_space, tuned

RATE = {"kind": "float", "low": 1e-3, "high": 1e-2, "log": True}


def test_tuned_values_replace_settings_of_both_sections() -> None:
    model, train = tuned(ModelSettings(), TrainSettings(), values={"model.width": 8, "train.learning_rate": 0.5})
    assert (model.width, train.learning_rate) == (8, 0.5)
    assert (model.encoder, train.epochs) == (ModelSettings().encoder, TrainSettings().epochs)


@pytest.mark.parametrize(
    "values", [{"model.width": 1}, {"train.momentum": 0.9}, {"model.weights": "x.safetensors"}, {"data.kind": "voc"}]
)
def test_tuned_values_are_checked_again(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected an integer ≥ 4|nothing of that name"):
        tuned(ModelSettings(), TrainSettings(), values=values)


@pytest.mark.parametrize(
    ("space", "line"),
    [
        ({"learning_rat": RATE}, r"model\.space\.train\.learning_rat = 0\.001: nothing of that name can be searched"),
        ({"epochs": {"kind": "int", "low": 1, "high": 9}}, "nothing of that name"),
        ({"warmup": RATE | {"high": 1.5}}, r"model\.space\.train\.warmup = 1\.5: .*expected a number < 1"),
    ],
)
def test_a_space_that_the_training_would_refuse_is_refused_before_it_is_searched(
    space: dict[str, Any], line: str
) -> None:
    model = parse(ModelSettings, {"space": {"train": space}})
    with pytest.raises(ValueError, match=line):
        check_space(model, TrainSettings())


def test_a_space_of_both_sections_passes() -> None:
    space = {"train": {"learning_rate": RATE}, "model": {"dropout": RATE}}
    check_space(parse(ModelSettings, {"space": space}), TrainSettings())
