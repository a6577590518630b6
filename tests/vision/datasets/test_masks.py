"""Masks of every tool: inverted, in transparency, numbered, in several levels; read right or asked about."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.datasets.images import plain_folder, put, spot, texture
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.masks import read_mask
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings

TRUTH = spot() > 0
LIMITS = {"max_bytes": 100_000, "max_pixels": 10_000}


def read(source: Path, **changed: object) -> Collection:
    return layouts.read(source, DatasetSettings(**({"kind": "auto"} | changed)))  # type: ignore[arg-type]


def inverted(root: Path) -> Path:
    plain_folder(root)
    for path in root.glob("*/*_mask.png"):
        put(path, 255 - spot())
    return root


def test_masks_that_mark_nearly_everything_are_asked_about(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"masks mark 89% of their image .*DatasetSettings\.mask_values=black"):
        read(inverted(tmp_path))


@pytest.mark.parametrize(("values", "expected"), [("black", TRUTH), ("white", ~TRUTH)])
def test_the_setting_says_which_of_two_values_is_the_defect(tmp_path: Path, values: str, expected: np.ndarray) -> None:
    sample = read(inverted(tmp_path), mask_values=values).samples[-1]
    np.testing.assert_array_equal(sample.read().mask, expected)


def test_inverted_masks_of_good_images_are_asked_about_too(tmp_path: Path) -> None:
    for i in range(6):
        put(tmp_path / "images" / f"{i}.png", texture(i))
        put(tmp_path / "masks" / f"{i}.png", 255 - spot() * np.uint8(i > 3))
    with pytest.raises(InputError, match="is the defect black in them"):
        read(tmp_path)
    labels = [sample.label for sample in read(tmp_path, mask_values="black").samples]
    assert labels == ["good"] * 4 + ["defect"] * 2


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 0, 0), (255, 255, 255)])
def test_a_mask_may_be_in_the_transparency(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    pixels = np.zeros((24, 32, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = spot()
    Image.fromarray(pixels).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png", (24, 32), **LIMITS), TRUTH)


def test_colour_and_transparency_that_disagree_are_refused(tmp_path: Path) -> None:
    pixels = np.dstack([np.flipud(spot())] * 3 + [spot()])
    Image.fromarray(pixels).save(tmp_path / "m.png")
    with pytest.raises(Refused, match=r"mask m\.png: colour and transparency mark different pixels"):
        read_mask(tmp_path / "m.png", (24, 32), **LIMITS)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_class_numbers_are_a_mask(tmp_path: Path, depth: type) -> None:
    numbers = TRUTH.astype(depth)
    numbers[15:20, 2:6] = 3
    path = put(tmp_path / "m.png", numbers)
    np.testing.assert_array_equal(read_mask(path, (24, 32), **LIMITS), numbers > 0)


def test_several_grey_levels_are_refused_with_the_way_out(tmp_path: Path) -> None:
    levels = spot() // 2
    levels[15:20, 2:6] = 255
    path = put(tmp_path / "m.png", levels)
    with pytest.raises(Refused, match="mask has 3 levels from 0 to 255") as refused:
        read_mask(path, (24, 32), **LIMITS)
    assert refused.value.for_operator.endswith("numbered (DatasetSettings.mask_values)")
    np.testing.assert_array_equal(read_mask(path, (24, 32), values="numbered", **LIMITS), levels > 0)
