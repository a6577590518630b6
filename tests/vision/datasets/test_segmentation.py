"""Images and masks in two folders: the mask tells the class; images without one are asked about."""

from collections import Counter
from pathlib import Path

import pytest

from tests.vision.datasets.images import put, spot, texture
from tests.vision.datasets.written import segmentation as written
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.samples import Collection
from twinloop.vision.datasets.settings import DatasetSettings


def read(source: Path, **changed: object) -> Collection:
    return layouts.read(source, DatasetSettings(**({"kind": "auto"} | changed)))  # type: ignore[arg-type]


def test_an_empty_mask_is_good_and_any_other_a_defect(tmp_path: Path) -> None:
    found = read(written(tmp_path))
    assert Counter(sample.label for sample in found.samples) == {"good": 10, "defect": 7}
    mask = found.samples[-1].read().mask
    assert mask is not None


@pytest.mark.parametrize(
    ("images", "masks"), [("imgs", "GT"), ("scans", "marked"), ("train/images", "train/labels"), (".", ".")]
)
def test_folders_may_have_other_names(tmp_path: Path, images: str, masks: str) -> None:
    for i in range(6):
        put(tmp_path / images / f"{i}.png", texture(i))
        name = f"{i}_gt.png" if masks == "." else f"{i}.png"
        put(tmp_path / masks / name, spot() * (i > 2))
    found = read(tmp_path)
    assert found.layout == "segmentation"
    assert Counter(sample.label for sample in found.samples) == {"good": 3, "defect": 3}


def test_images_without_a_mask_are_left_out_where_good_ones_have_empty_masks(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "masks" / "3.png").unlink()
    assert read(tmp_path).strays == (("images/3.png", "has no mask"),)


def test_images_without_a_mask_are_asked_about_where_no_mask_is_empty(tmp_path: Path) -> None:
    written(tmp_path)
    for i in range(10):
        (tmp_path / "masks" / f"{i}.png").unlink()
    with pytest.raises(InputError, match=r"10 images have no mask and no mask is empty .*unmarked=good"):
        read(tmp_path)
    assert Counter(s.label for s in read(tmp_path, unmarked="good").samples) == {"good": 10, "defect": 7}
    assert len(read(tmp_path, unmarked="left_out").strays) == 10
