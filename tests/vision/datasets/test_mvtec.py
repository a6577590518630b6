"""MVTec AD and its like: classes, masks and the division are where the layout puts them."""

from collections import Counter
from pathlib import Path

import pytest

from tests.vision.datasets.images import put, spot, texture
from tests.vision.datasets.written import mvtec as written
from twinloop.vision.datasets.mvtec import locate, mvtec
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings


def read(source: Path) -> Collection:
    return mvtec(source, DatasetSettings(kind="mvtec", source=str(source)))


def test_classes_and_division_follow_from_the_folders(tmp_path: Path) -> None:
    samples = read(written(tmp_path)).samples
    assert Counter((sample.label, sample.division) for sample in samples) == {
        ("good", "train"): 6, ("good", "test"): 4, ("crack", "test"): 4, ("hole", "test"): 3
    }  # fmt: skip
    mask = next(sample for sample in samples if sample.label == "hole").read().mask
    assert mask is not None
    assert (mask == (spot() > 0)).all()


def test_the_licence_beside_the_images_is_their_origin(tmp_path: Path) -> None:
    assert read(written(tmp_path)).origin == "CC BY-NC-SA 4.0"


def test_masks_may_have_the_names_of_their_images(tmp_path: Path) -> None:
    put(tmp_path / "train" / "ok" / "0.bmp", texture(0))
    put(tmp_path / "test" / "ko" / "1.bmp", texture(1))
    put(tmp_path / "ground_truth" / "ko" / "1.png", spot())
    good, bad = sorted(read(tmp_path).samples, key=lambda sample: sample.label != "good")
    assert (good.label, bad.label) == ("good", "ko")
    assert bad.read().mask is not None


def test_defects_in_train_need_masks_of_their_own_split(tmp_path: Path) -> None:
    put(tmp_path / "train" / "good" / "0.png", texture(0))
    for split in ("train", "test"):
        put(tmp_path / split / "bad" / "1.png", texture(len(split)))
        put(tmp_path / "ground_truth" / split / "bad" / "1.png", spot() // (1 if split == "train" else 255) * 1)
    assert all(s.read().mask is not None for s in read(tmp_path).samples if s.label == "bad")


def test_without_ground_truth_the_pixel_truth_is_unknown_and_said_to_be(tmp_path: Path) -> None:
    put(tmp_path / "train" / "ok_front" / "0.png", texture(0))
    put(tmp_path / "train" / "good" / "0.png", texture(4))
    put(tmp_path / "test" / "def_front" / "1.png", texture(1))
    found = read(tmp_path)
    assert next(s for s in found.samples if s.label == "def_front").read().mask is None
    assert any("2 defective images come without ground_truth" in note for note in found.notes)


def test_an_image_without_its_mask_and_a_mask_without_image_are_strays(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "ground_truth" / "hole" / "005_mask.png").unlink()
    put(tmp_path / "ground_truth" / "crack" / "044_mask.png", spot())
    assert sorted(read(tmp_path).strays) == [
        ("ground_truth/crack/044_mask.png", "mask has no image"),
        ("test/hole/005.png", "mask 005_mask.png is missing"),
    ]


def test_an_image_without_its_folder_of_masks_is_told_so(tmp_path: Path) -> None:
    put(tmp_path / "train" / "good" / "0.png", texture(0))
    for i in range(3):
        put(tmp_path / "test" / "bad" / f"{i}.png", texture(i + 1))
        put(tmp_path / "ground_truth" / "bad" / f"{i}" / "000.png", spot())
    (tmp_path / "ground_truth" / "bad" / "1" / "000.png").unlink()
    assert read(tmp_path).strays == (
        ("test/bad/1.png", "its masks are missing: no folder 1 with images in ground_truth"),
    )


def test_an_empty_mask_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    put(tmp_path / "ground_truth" / "hole" / "005_mask.png", spot() * 0)
    sample = next(sample for sample in read(tmp_path).samples if sample.name == "test/hole/005.png")
    with pytest.raises(Refused, match=r"mask 005_mask\.png is empty, class is hole"):
        sample.read()


def test_folders_named_after_contents_are_no_classes(tmp_path: Path) -> None:
    for split in ("train", "test"):
        put(tmp_path / split / "images" / "0.png", texture(0))
        (tmp_path / split / "labels").mkdir()
    assert locate(tmp_path) is None
