"""The plain folder layout: classes, masks and parts are found; what does not fit is said."""

from pathlib import Path

import pytest

from tests.vision.datasets.images import plain_folder, put, spot, texture
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings


def read(source: Path, **changed: object) -> Collection:
    return layouts.read(source, DatasetSettings(kind="folder", source=str(source), **changed))  # type: ignore[arg-type]


def test_classes_are_folders_and_masks_lie_beside_their_images(tmp_path: Path) -> None:
    samples = read(plain_folder(tmp_path, good=2, scratch=1)).samples
    assert [(s.name, s.label) for s in samples] == [
        ("good/g0.png", "good"), ("good/g1.png", "good"), ("scratch/s0.png", "scratch")
    ]  # fmt: skip
    assert samples[0].read().mask is None
    mask = samples[2].read().mask
    assert mask is not None
    assert mask.sum() == 7 * 12


@pytest.mark.parametrize("name", ["s0.png", "s0_mask.png", "s0.bmp"])
def test_masks_may_lie_in_a_parallel_tree(tmp_path: Path, name: str) -> None:
    put(tmp_path / "OK" / "g.png", texture(1))
    put(tmp_path / "scratch" / "s0.png", texture(2))
    put(tmp_path / "masks" / "scratch" / name, spot())
    scratched = read(tmp_path).samples[1]
    assert scratched.name == "scratch/s0.png"
    assert scratched.read().mask is not None


@pytest.mark.parametrize("name", ["good", "Good", "OK", "normal", "defect-free", "No Defect"])
def test_good_parts_are_known_by_many_names(tmp_path: Path, name: str) -> None:
    put(tmp_path / name / "1.png", texture(1))
    put(tmp_path / "dent" / "1.png", texture(2))
    assert {sample.label for sample in read(tmp_path).samples} == {"good", "dent"}


def test_one_folder_around_everything_is_passed_through(tmp_path: Path) -> None:
    plain_folder(tmp_path / "download" / "parts")
    assert read(tmp_path).samples[0].name == "good/g0.png"


def test_names_with_a_double_underscore_name_the_part(tmp_path: Path) -> None:
    for name in ("good/t1__a.png", "good/t1__b.png", "scratch/t1__c.png", "scratch/other.png"):
        put(tmp_path / name, texture(len(name)))
    assert [s.group for s in read(tmp_path).samples] == ["t1", "t1", "scratch/other.png", "t1"]


def test_a_group_file_names_the_parts(tmp_path: Path) -> None:
    plain_folder(tmp_path, good=2, scratch=1)
    (tmp_path / "groups.csv").write_text("file,group\ngood/g0.png,tile 1\nscratch/s0.png,tile 1\n")
    assert [s.group for s in read(tmp_path).samples] == ["tile 1", "good/g1.png", "tile 1"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("image,part\ngood/g0.png,1\n", "expected the columns file,group"),
        ("file,group\ngood/g9.png,1\n", r"names 'good/g9\.png', which is not an image"),
        ("file,group\ngood/g0.png,\n", r"groups\.csv:2: expected one file and its group"),
        ("file,group\ngood/g0.png,1\ngood/g0.png,2\n", r"groups\.csv:3"),
        ("", "expected the columns"),
    ],
)
def test_a_wrong_group_file_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    plain_folder(tmp_path, good=2, scratch=1)
    (tmp_path / "groups.csv").write_text(text)
    with pytest.raises(InputError, match=complaint):
        read(tmp_path)


def test_a_mask_without_image_is_a_stray(tmp_path: Path) -> None:
    plain_folder(tmp_path)
    put(tmp_path / "scratch" / "gone_mask.png", spot())
    assert read(tmp_path).strays == (("scratch/gone_mask.png", "mask has no image"),)


@pytest.mark.parametrize(
    ("place", "mask", "reason"),
    [
        ("scratch/s0", spot() * 0, r"mask s0_mask\.png is empty, class is scratch"),
        ("good/g0", spot(), r"mask g0_mask\.png marks a defect, class is good"),
        ("scratch/s0", spot(width=30), "mask is 30×24, image 32×24"),
    ],
)
def test_a_mask_that_contradicts_its_image_is_refused(tmp_path: Path, place: str, mask: object, reason: str) -> None:
    plain_folder(tmp_path, good=1, scratch=1)
    put(tmp_path / f"{place}_mask.png", mask)  # type: ignore[arg-type]
    sample = next(s for s in read(tmp_path).samples if s.name == f"{place}.png")
    with pytest.raises(Refused, match=reason):
        sample.read()


def test_hidden_files_and_other_files_are_left_alone(tmp_path: Path) -> None:
    plain_folder(tmp_path, good=1, scratch=1)
    (tmp_path / "good" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "good" / "._g0.png").write_bytes(b"x")
    (tmp_path / "good" / "notes.txt").write_text("x")
    (tmp_path / "__MACOSX" / "good").mkdir(parents=True)
    assert [s.name for s in read(tmp_path).samples] == ["good/g0.png", "scratch/s0.png"]


def test_the_note_beside_the_images_is_their_origin(tmp_path: Path) -> None:
    plain_folder(tmp_path)
    assert "unknown" in read(tmp_path).origin
    (tmp_path / "SOURCE.txt").write_text("licence: CC0")
    assert read(tmp_path).origin == "licence: CC0"


def test_an_empty_source_and_an_empty_class_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected one folder per class"):
        read(tmp_path)
    plain_folder(tmp_path)
    (tmp_path / "crack").mkdir()
    with pytest.raises(InputError, match=r"crack: expected images .* found none"):
        read(tmp_path)


def test_two_folders_of_one_class_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "dent<1>" / "a.png", texture(1))
    put(tmp_path / "dent[1]" / "a.png", texture(2))
    with pytest.raises(InputError, match="both read as class 'dent_1_'"):
        read(tmp_path)


def test_markup_in_a_folder_name_does_not_reach_the_class(tmp_path: Path) -> None:
    put(tmp_path / "good" / "a.png", texture(1))
    put(tmp_path / "<script>alert(1)" / "a.png", texture(2))
    assert {s.label for s in read(tmp_path).samples} == {"good", "_script_alert_1_"}
