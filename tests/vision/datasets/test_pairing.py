"""Masks are told from photographs by what they show, whatever their names; what stays unsure is asked."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.datasets.images import plain_folder, put, spot, texture
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.pairing import paired
from twinloop.vision.datasets.samples import Collection
from twinloop.vision.datasets.settings import DatasetSettings

ANY = DatasetSettings(kind="auto")


def read(source: Path, **changed: object) -> Collection:
    return layouts.read(source, DatasetSettings(**({"kind": "auto"} | changed)))  # type: ignore[arg-type]


BESIDE = ["1_GT.png", "1-mask.png", "1_label.png", "1 seg.bmp", "1.bmp", "1_anything.png", "mask_1.png", "gt-1.png"]


@pytest.mark.parametrize("name", BESIDE)
def test_a_mask_beside_its_image_may_have_any_ending(tmp_path: Path, name: str) -> None:
    for i in range(3):
        put(tmp_path / "good" / f"{i}.jpg", texture(i))
        put(tmp_path / "scratch" / f"{i}.jpg", texture(100 + i))
        put(tmp_path / "scratch" / name.replace("1", str(i)), spot())
    found = read(tmp_path)
    assert [sample.label for sample in found.samples] == ["good"] * 3 + ["scratch"] * 3
    masks = [sample.read().mask for sample in found.samples[3:]]
    assert all(mask is not None and (mask == (spot() > 0)).all() for mask in masks)


TREES = ["mask/scratch", "Masks/scratch", "ground_truth/scratch", "elsewhere/scratch", "scratch/gt", "mask"]


@pytest.mark.parametrize("tree", TREES)
def test_a_tree_of_masks_may_have_any_name(tmp_path: Path, tree: str) -> None:
    for i in range(3):
        put(tmp_path / "good" / f"g{i}.png", texture(i))
        put(tmp_path / "scratch" / f"{i}.png", texture(100 + i))
        put(tmp_path / tree / f"{i}.png", spot())
    found = read(tmp_path)
    assert {sample.label for sample in found.samples} == {"good", "scratch"}
    assert [len(sample.masks) for sample in found.samples] == [0] * 3 + [1] * 3
    assert found.strays == ()


def test_views_of_a_part_are_no_masks(tmp_path: Path) -> None:
    for i in range(4):
        for view in ("", "_cam2", "_mirror"):
            put(tmp_path / "good" / f"{i}{view}.png", texture(10 * i + len(view)))
            put(tmp_path / "dent" / f"{i}{view}.png", texture(500 + 10 * i + len(view)))
    found = read(tmp_path)
    assert len(found.samples) == 24
    assert not any(sample.masks for sample in found.samples)


def test_two_valued_pictures_alone_are_the_pictures(tmp_path: Path) -> None:
    for i in range(3):
        put(tmp_path / "good" / f"{i}.png", np.roll(spot(), i, axis=0))
        put(tmp_path / "dent" / f"{i}.png", np.roll(spot(), i, axis=1))
    assert len(read(tmp_path).samples) == 6


def test_an_all_but_black_photograph_is_no_mask(tmp_path: Path) -> None:
    for i in range(3):
        put(tmp_path / "good" / f"{i}.png", texture(i))
        put(tmp_path / "good" / f"{i}_dark.png", texture(50 + i) // 40)
    assert paired(tmp_path, ANY).masks == {}


def test_a_mixture_of_masks_and_images_is_asked_about(tmp_path: Path) -> None:
    for i in range(4):
        put(tmp_path / "good" / f"g{i}.png", texture(i))
        put(tmp_path / "scratch" / f"{i}.png", texture(100 + i))
        put(tmp_path / "scratch" / f"{i}_b.png", texture(200 + i) if i % 2 else spot())
    with pytest.raises(InputError, match=r"scratch: 2 of 4 pictures that end in _b are two-valued.*masks or images\?"):
        read(tmp_path)


def test_two_valued_pictures_of_another_size_are_asked_about(tmp_path: Path) -> None:
    for i in range(4):
        put(tmp_path / "good" / f"g{i}.png", texture(i))
        put(tmp_path / "scratch" / f"{i}.png", texture(100 + i))
        put(tmp_path / "logos" / f"{i}.png", spot(width=30))
    with pytest.raises(InputError, match="logos: 4 two-valued pictures pair with no image of their name and size"):
        read(tmp_path)


def test_several_masks_of_an_image_are_joined(tmp_path: Path) -> None:
    for i in range(3):
        put(tmp_path / "good" / f"g{i}.png", texture(i))
        put(tmp_path / "scratch" / f"{i}.png", texture(100 + i))
        put(tmp_path / "masks" / "scratch" / str(i) / "a.png", spot())
        put(tmp_path / "masks" / "scratch" / str(i) / "b.png", np.flipud(spot()))
    mask = read(tmp_path).samples[3].read().mask
    assert mask is not None
    assert (mask == ((spot() > 0) | (np.flipud(spot()) > 0))).all()


def test_mvtec_loco_has_a_folder_of_masks_for_each_image(tmp_path: Path) -> None:
    for i in range(4):
        for place in ("train/good", "validation/good", "test/good", "test/logical_anomalies"):
            put(tmp_path / place / f"{i:03d}.png", texture(10 * i + len(place)))
        folder = tmp_path / "ground_truth" / "logical_anomalies" / f"{i:03d}"
        put(folder / "000.png", spot())
        put(folder / "001.png", np.flipud(spot()))
    found = read(tmp_path)
    assert found.layout == "mvtec"
    assert {(s.label, s.division) for s in found.samples} == {
        ("good", "train"), ("good", "val"), ("good", "test"), ("logical_anomalies", "test")
    }  # fmt: skip
    mask = next(s for s in found.samples if s.label != "good").read().mask
    assert mask is not None
    assert mask.sum() > (spot() > 0).sum()


def test_names_pair_in_either_unicode_form(tmp_path: Path) -> None:
    name = "Kratzer schräg é"
    for i in range(2):
        put(tmp_path / "good" / f"{i}.png", texture(i))
        put(tmp_path / "scratch" / unicodedata.normalize("NFC", f"{name}{i}.png"), texture(100 + i))
        put(tmp_path / "masks" / "scratch" / unicodedata.normalize("NFD", f"{name}{i}.png"), spot())
    (tmp_path / "groups.csv").write_text(
        "file,group\n" + "".join(unicodedata.normalize("NFD", f"scratch/{name}{i}.png,part\n") for i in range(2))
    )
    found = read(tmp_path)
    assert all(len(sample.masks) == 1 for sample in found.samples if sample.label != "good")
    assert [sample.group for sample in found.samples][2:] == ["part", "part"]


def turned(path: Path, pixels: np.ndarray, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, exif=exif)


def test_the_turn_of_an_image_is_applied_to_a_mask_of_its_raw_size(tmp_path: Path) -> None:
    put(tmp_path / "good" / "g.png", texture(1))
    turned(tmp_path / "scratch" / "raw.png", texture(2), 6)
    put(tmp_path / "scratch" / "raw_mask.png", spot())
    turned(tmp_path / "scratch" / "seen.png", texture(3), 6)
    put(tmp_path / "scratch" / "seen_mask.png", np.rot90(spot(), -1))
    for sample in read(tmp_path).samples[1:]:
        surface = sample.read()
        assert surface.mask is not None
        assert (surface.mask == (np.rot90(spot(), -1) > 0)).all()


def test_a_turn_that_sizes_do_not_tell_is_asked_about(tmp_path: Path) -> None:
    plain_folder(tmp_path, good=1, scratch=1)
    turned(tmp_path / "scratch" / "s0.png", texture(2), 3)
    sample = next(sample for sample in read(tmp_path).samples if sample.label == "scratch")
    with pytest.raises(Exception, match=r"image is turned by EXIF, sizes do not tell whether mask s0_mask\.png is"):
        sample.read()


def test_kinds_below_a_folder_that_only_says_bad_are_classes(tmp_path: Path) -> None:
    for i in range(3):
        put(tmp_path / "ok" / f"{i}.png", texture(i))
        put(tmp_path / "nok" / "scratch" / f"{i}.png", texture(50 + i))
        put(tmp_path / "nok" / "pit" / f"{i}.png", texture(90 + i))
        put(tmp_path / "dent" / "day 1" / f"{i}.png", texture(190 + i))
    found = read(tmp_path)
    assert {sample.label for sample in found.samples} == {"good", "scratch", "pit", "dent"}
    assert "nok holds kinds of defects: pit, scratch." in found.notes


def test_train_and_val_are_enough(tmp_path: Path) -> None:
    for i, place in enumerate(("train/ok", "train/bad/dent", "val/ok", "val/bad/dent")):
        put(tmp_path / place / "1.png", texture(i))
    found = read(tmp_path)
    assert found.layout == "mvtec"
    assert {(s.label, s.division) for s in found.samples} == {
        ("good", "train"), ("dent", "train"), ("good", "val"), ("dent", "val")
    }  # fmt: skip
