import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinloop.config import Invalid, parse
from twinloop.vision.models.settings import ModelSettings

VIT = {"encoder": "vit_tiny_patch16_224", "width": 64, "depths": [2], "heads": [4], "patch_px": 8}
RATE = {"kind": "float", "low": 1e-3, "high": 1e-2, "log": True}


@pytest.mark.parametrize(
    ("changed", "expectation"),
    [
        ({"encoder": "os.system"}, "expected one of 'resnet10t'"),
        ({"width": 1}, "expected an integer ≥ 4"),
        ({"size_px": 98}, "multiple of 4"),
        ({"heads": [2, 4]}, "heads belong to swin and vit"),
        ({"depths": [1, 1]}, "needs four numbers"),
        ({"encoder": "swin_tiny_patch4_window7_224", "depths": [1, 1], "heads": [1]}, "same length"),
        ({"encoder": "swin_tiny_patch4_window7_224", "width": 16, "depths": [1, 1], "heads": [3, 3]}, "divisible"),
        ({"encoder": "convnext_atto", "patch_px": 8}, "patch_px belongs to vit"),
        (VIT | {"depths": [2, 2]}, "one number each"),
        (VIT | {"heads": [3]}, "64 channels of stage 1 must be divisible by its 3 heads"),
        (VIT | {"patch_px": 2}, "expected one of 4, 8 or 16"),
        (VIT | {"size_px": 100}, "multiple of 8, not 100"),
        ({"encoder": "swin_tiny_patch4_window7_224", "width": 8}, "divisible by its 3 heads"),
        ({"encoder": "mobilenetv4_conv_small"}, "no arguments that shrink .*smallest mobilenetv4_conv_small_035"),
        ({"encoder": "wide_resnet50_2", "width": None, "depths": [1, 1, 1, 1]}, "smaller is resnet18"),
        ({"encoder": "mobilenetv4_conv_smal"}, "did you mean 'mobilenetv4_conv_small'"),
        ({"kind": "patchcor"}, "did you mean 'patchcore'"),
        ({"members": 0}, "expected an integer ≥ 1"),
        ({"kind": "patchcore", "members": 2}, "learns no weights: members must be 1"),
        ({"kind": "padim", "stages": []}, "rising numbers from 1 to 4"),
        ({"kind": "padim", "stages": [2, 1]}, "rising numbers from 1 to 4"),
        ({"kind": "patchcore", "stages": [4, 5]}, "rising numbers from 1 to 4"),
        (VIT | {"kind": "padim", "stages": [3]}, r"rising numbers from 1 to 2 \(vit_tiny"),
        ({"kind": "patchcore", "bank_patches": 200, "bank_candidates": 100}, "bank_patches ≤ bank_candidates"),
        ({"kind": "patchcore", "bank_patches": 5}, "bank_neighbours ≤ bank_patches"),
        ({"gaussian_ridge": 0.0}, "expected a number > 0"),
        ({"weights": "model.pt"}, "other formats may run code"),
        ({"space": {"model": {"widht": RATE}}}, "nothing of that name can be searched"),
        (
            {"space": {"model": {"weights": {"kind": "categorical", "choices": ["a.safetensors"]}}}},
            "nothing of that name",
        ),
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


def test_every_option_of_the_configuration_gives_every_field_and_is_valid(repository: Path) -> None:
    options = sorted((repository / "conf/factory/model").glob("*.yaml"))
    assert {"ensemble", "padim", "patchcore", "simulated", "vit"} <= {option.stem for option in options}
    for option in options:
        values = yaml.safe_load(option.read_text(encoding="utf-8"))
        assert list(values) == [field.name for field in dataclasses.fields(ModelSettings)], option
        parse(ModelSettings, values)


def test_settings_that_only_another_kind_reads_are_not_judged() -> None:
    assert ModelSettings(stages=(9,), bank_patches=2, bank_neighbours=5).kind == "supervised"
