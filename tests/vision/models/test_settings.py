from typing import Any

import pytest

from twinloop.config import Invalid, parse
from twinloop.vision.models.settings import ModelSettings, tuned
from twinloop.vision.training.settings import TrainSettings

RATE = {"kind": "float", "low": 1e-3, "high": 1e-2, "log": True}


@pytest.mark.parametrize(
    ("changed", "expectation"),
    [
        ({"encoder": "os.system"}, "expected one of 'resnet10t'"),
        ({"width": 1}, "expected an integer ≥ 4"),
        ({"size_px": 98}, "multiple of 4"),
        ({"heads": [2, 4]}, "heads belong to swin"),
        ({"depths": [1, 1]}, "needs four numbers"),
        ({"encoder": "swin_tiny_patch4_window7_224", "depths": [1, 1], "heads": [1]}, "same length"),
        ({"encoder": "swin_tiny_patch4_window7_224", "width": 16, "depths": [1, 1], "heads": [3, 3]}, "divisible"),
        ({"weights": "model.pt"}, "other formats may run code"),
        ({"space": {"train": {"learning_rat": RATE}}}, "nothing of that name can be searched"),
        ({"space": {"train": {"epochs": {"kind": "int", "low": 1, "high": 9}}}}, "nothing of that name"),
        ({"space": {"model": {"width": {"kind": "int", "low": 1, "high": 9}}}}, r"space\.model\.width = 1"),
        ({"space": {"model": {"dropout": RATE | {"low": 0.2}}}}, "low ≤ high"),
        ({"space": {"model": {"dropout": RATE | {"kind": "categorical"}}}}, "list of choices"),
        ({"space": {"model": {"dropout": RATE | {"low": 0.0, "high": 0.5}}}}, "low > 0"),
        ({"space": {"model": {"width": {"kind": "int", "low": 8.5, "high": 16}}}}, "whole numbers"),
    ],
)
def test_settings_that_make_no_detector_are_refused(changed: dict[str, Any], expectation: str) -> None:
    with pytest.raises(Invalid, match=expectation):
        parse(ModelSettings, changed)


def test_tuned_values_replace_settings_of_both_sections() -> None:
    model, train = tuned(ModelSettings(), TrainSettings(), values={"model.width": 8, "train.learning_rate": 0.5})
    assert (model.width, train.learning_rate) == (8, 0.5)
    assert (model.encoder, train.epochs) == (ModelSettings().encoder, TrainSettings().epochs)


@pytest.mark.parametrize("values", [{"model.width": 1}, {"train.momentum": 0.9}, {"model.weights": "x.safetensors"}])
def test_tuned_values_are_checked_again(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"greater than or equal to 4|nothing of that name"):
        tuned(ModelSettings(), TrainSettings(), values=values)
