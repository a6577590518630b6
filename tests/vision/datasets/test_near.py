"""A source without a known layout is told what it comes near to; nobody is told to remove labels."""

from pathlib import Path

import pytest

from tests.vision.datasets.images import put, texture
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.near import near
from twinloop.vision.datasets.settings import DatasetSettings


def test_images_in_one_folder_lack_a_word_on_what_is_good(tmp_path: Path) -> None:
    for i in range(3):
        put(tmp_path / f"{i}.png", texture(i))
    told = near(tmp_path)
    assert told[0] == "3 images (3 in .)"
    assert told[1].startswith("nothing says which are good: put them into good/")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("0.txt", "1 × .txt, 1 named like an image: YOLO by name, not by content"),
        ("scan.xml", "1 × .xml, none named like an image: labels bear the names of their images"),
        ("list.csv", "1 × .csv: a table needs a column of file names as they lie here and one of classes"),
    ],
)
def test_labels_that_do_not_fit_are_told_by_kind(tmp_path: Path, name: str, told: str) -> None:
    put(tmp_path / "0.png", texture(0))
    (tmp_path / name).write_text("what it is, nobody knows\n")
    assert told in near(tmp_path)


def test_without_images_there_is_nothing_near(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert near(tmp_path) == ()


def test_a_class_folder_that_holds_labels_is_not_to_be_removed(tmp_path: Path) -> None:
    put(tmp_path / "good" / "0.png", texture(0))
    (tmp_path / "marks").mkdir()
    (tmp_path / "marks" / "9.txt").write_text("x")
    with pytest.raises(InputError, match=r"marks: expected images of a class, found 1 × \.txt") as refused:
        layouts.read(tmp_path, DatasetSettings(kind="folder"))
    assert "remove" not in str(refused.value)
