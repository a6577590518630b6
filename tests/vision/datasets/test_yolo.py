"""YOLO's text files: boxes and outlines as shares of the image; a faulty row costs its image only."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.vision.datasets.images import put, spot, texture
from tests.vision.datasets.written import yolo as written
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings


def read(source: Path) -> Collection:
    return layouts.read(source, DatasetSettings(kind="auto"))


def test_classes_and_division(tmp_path: Path) -> None:
    found = read(written(tmp_path))
    assert found.layout == "yolo"
    assert Counter(sample.label for sample in found.samples) == {"good": 10, "dent": 6, "scratch": 1}
    assert Counter(sample.division for sample in found.samples) == {"train": 11, "val": 6}


def test_a_box_is_centre_and_size_in_shares(tmp_path: Path) -> None:
    mask = next(s for s in read(written(tmp_path)).samples if s.label == "dent").read().mask
    expected = np.zeros((24, 32), bool)
    expected[6:18, 12:20] = True
    np.testing.assert_array_equal(mask, expected)


def test_an_outline_is_filled(tmp_path: Path) -> None:
    mask = next(s for s in read(written(tmp_path)).samples if s.label == "scratch").read().mask
    assert mask is not None
    assert mask[7, 16]
    assert not mask[16, 9]
    assert 60 < mask.sum() < 150


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("train/images/{}.jpg", "train/labels/{}.txt"),
        ("images/{}.png", "labels/{}.txt"),
        ("{}.jpg", "{}.txt"),
        ("data/{}.JPG", "data/{}.txt"),
        ("imgs/{}.png", "labels/{}.txt"),
        ("JPEGImages/{}.png", "labels/{}.txt"),
        ("train_images/{}.png", "train_labels/{}.txt"),
        ("Images/a/{}.png", "Labels/a/{}.txt"),
    ],
)
def test_labels_lie_beside_or_in_a_folder_of_their_own(tmp_path: Path, image: str, label: str) -> None:
    for i in range(6):
        put(tmp_path / image.format(i), texture(i))
        (tmp_path / label.format(i)).parent.mkdir(parents=True, exist_ok=True)
        if i:
            (tmp_path / label.format(i)).write_text("0 0.5 0.5 0.25 0.5\n" if i > 3 else "")
    (tmp_path / "classes.txt").write_text("hole\n")
    found = read(tmp_path)
    assert found.layout == "yolo"
    assert Counter(sample.label for sample in found.samples) == {"good": 4, "hole": 2}
    assert "1 images have no label file: background to YOLO, they count as good." in found.notes
    assert found.strays == ()


def three_marked(folder: Path, row: str) -> None:
    """Four images, of which all but the first have this row as their label."""
    for i in range(4):
        put(folder / "images" / f"{i}.png", texture(i))
        (folder / "labels").mkdir(exist_ok=True)
        (folder / "labels" / f"{i}.txt").write_text(row if i else "")


@pytest.mark.parametrize("row", ["0 0.5 0.5 0.25 0.5 0.91", "0.0 0.5 0.5 0.25 0.5", "0, 0.5, 0.5, 0.25, 0.5"])
def test_a_row_with_a_confidence_commas_or_a_class_with_a_point_is_read(tmp_path: Path, row: str) -> None:
    three_marked(tmp_path, row)
    found = read(tmp_path)
    assert Counter(sample.label for sample in found.samples) == {"good": 1, "class 0": 3}
    assert any("3 rows carry a fifth number" in note for note in found.notes) == row.endswith("0.91")


@pytest.mark.parametrize("row", ["0 16 12 8 8", "scratch 0.5 0.5 0.2 0.2", "0 0.5 0.5 0.2 0.2 45"])
def test_labels_that_all_cannot_be_read_leave_no_collection_of_good_images(tmp_path: Path, row: str) -> None:
    three_marked(tmp_path, row)
    with pytest.raises(InputError, match=r"no defect is left, 3 files are refused: .*1\.txt:1: expected "):
        read(tmp_path)


FAULTY = {
    "2 0.5 0.5 0.1 0.1": r"0\.txt:1: class 2 is out of range, data\.yaml names 2 classes \(0 to 1\)",
    "0 0.5 0.5 0.1": r"0\.txt:1: expected x y width height, or x y of three corners or more, found '0 0\.5",
    "0 40 30 10 10": r"0\.txt:1: expected shares of the image, 0 … 1, found .*: divide x and width by ",
    "0.5 0.5 0.5 0.1 0.1": r"0\.txt:1: expected a class number, 0 or more, found",
    "-1 0.5 0.5 0.1 0.1": r"0\.txt:1: expected a class number, 0 or more, found",
    "0 0,5 0,5 0,1 0,1": r"0\.txt:1: expected a class number and shares, found",
    "dent 0.5 0.5 0.1 0.1": r"0\.txt:1: expected a class number and shares, found 'dent",
}


@pytest.mark.parametrize(("row", "reason"), FAULTY.items())
def test_a_faulty_row_puts_its_image_aside(tmp_path: Path, row: str, reason: str) -> None:
    written(tmp_path)
    (tmp_path / "labels" / "val" / "0.txt").write_text(row + "\n")
    found = read(tmp_path)
    assert len(found.samples) == 16
    ((name, told),) = found.strays
    assert name == "images/val/0.jpg"
    assert re.match(reason, told)


@pytest.mark.parametrize("row", ["0 0.9 0.5 0.6 0.2", "0 0.5 0.5 0 0.1", "0 nan 0.5 0.1 0.1"])
def test_a_box_outside_the_image_or_without_area_is_refused(tmp_path: Path, row: str) -> None:
    written(tmp_path)
    (tmp_path / "labels" / "val" / "0.txt").write_text(row + "\n")
    sample = next(s for s in read(tmp_path).samples if s.name == "images/val/0.jpg")
    with pytest.raises(Refused, match=r"box .* \(0\.txt:1\) (reaches outside the image of 32×24|has no area)"):
        sample.read()


def test_labels_without_an_image_are_strays(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "images" / "val" / "15.jpg").unlink()
    assert read(tmp_path).strays == (("labels/val/15.txt", "labels have no image"),)


@pytest.mark.parametrize("text", ["names: [a, b\n", "names: 3\n", "names: {a: 0}\n"])
def test_names_that_cannot_be_understood_are_refused_with_the_file(tmp_path: Path, text: str) -> None:
    written(tmp_path)
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(InputError, match=r"data\.yaml:"):
        read(tmp_path)


def test_two_kinds_of_annotation_are_asked_about(tmp_path: Path) -> None:
    written(tmp_path)
    rows = "".join(f"images/{'train' if i % 3 else 'val'}/{i}.jpg,dent\n" for i in range(17))
    (tmp_path / "labels.csv").write_text("file,label\n" + rows)
    with pytest.raises(InputError, match=r"fits the layouts yolo and table: DatasetSettings\.kind=yolo"):
        read(tmp_path)
    assert layouts.read(tmp_path, DatasetSettings(kind="yolo")).layout == "yolo"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config/dataset.yaml", "names: [hole, dent]\n"),
        ("images/data.yml", "names: {'0': hole, '1': dent}\n"),
    ],
)
def test_names_are_found_wherever_their_file_lies_and_with_numbers_in_quotes(
    tmp_path: Path, file: str, text: str
) -> None:
    for i, row in enumerate(["", "", "1 0.5 0.5 0.2 0.2\n"]):
        put(tmp_path / "Images" / f"{i}.png", texture(i))
        (tmp_path / "Labels").mkdir(exist_ok=True)
        (tmp_path / "Labels" / f"{i}.txt").write_text(row)
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    found = read(tmp_path)
    assert found.layout == "yolo"
    assert Counter(sample.label for sample in found.samples) == {"good": 2, "dent": 1}


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "data.yaml").write_text("names: {0: {name: dent}}\n")
    with pytest.raises(InputError, match=r"names: expected a list of names"):
        read(tmp_path)


POINTS = " ".join(f"0.{45 + i} 0.{48 + i} {{}}" for i in range(4))
POSE = f"0 0.5 0.5 0.25 0.5 {POINTS}".format(*"1202")


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        (POSE, "[4, 3]"),
        (POSE, ""),
        (f"0 0.5 0.5 0.25 0.5 {POINTS}".format(*[""] * 4), "[4, 2]"),
        ("0 0.5 0.5 0.25 0.5 0.45 0.48 2", "[1, 3]"),
    ],
)
def test_keypoints_are_refused_and_never_an_outline(tmp_path: Path, row: str, shape: str) -> None:
    three_marked(tmp_path, row)
    (tmp_path / "data.yaml").write_text("names: [dent]\n" + (f"kpt_shape: {shape}\n" if shape else ""))
    with pytest.raises(InputError, match=r"1\.txt:1: keypoints mark no area: keep the first five columns"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("row", "remarked"),
    [
        (f"0 0.5 0.5 0.25 0.5 {POINTS}".format(*[""] * 4), True),
        ("0 0.2 0.2 0.8 0.2 0.9 0.5 0.8 0.8 0.2 0.8", False),
        ("0 0 0 1 0 1 1 0 1 0 0", False),
        ("0 0.5 0.5 0.6 0.5 0.6 0.6 0.5 0.6", False),
    ],
)
def test_outlines_that_may_be_keypoints_are_remarked(tmp_path: Path, row: str, remarked: bool) -> None:
    three_marked(tmp_path, row)
    found = read(tmp_path)
    assert Counter(sample.label for sample in found.samples) == {"good": 1, "class 0": 3}
    assert any("kpt_shape in data.yaml says it" in note for note in found.notes) == remarked


def test_images_of_a_folder_without_labels_are_not_taken_for_good(tmp_path: Path) -> None:
    three_marked(tmp_path, "0 0.5 0.5 0.25 0.5")
    put(tmp_path / "bottle" / "test" / "crack" / "000.png", texture(9))
    put(tmp_path / "bottle" / "ground_truth" / "crack" / "000.png", spot())
    found = read(tmp_path)
    assert Counter(sample.label for sample in found.samples) == {"good": 1, "class 0": 3}
    assert dict(found.strays) == dict.fromkeys(
        ("bottle/ground_truth/crack/000.png", "bottle/test/crack/000.png"), "has no label file"
    )
    (tmp_path / "labels" / "0.txt").write_text("0 0.5 0.5 0.25 0.5")
    with pytest.raises(InputError, match=r"2 images have no label file .* are they good parts\?"):
        read(tmp_path)
