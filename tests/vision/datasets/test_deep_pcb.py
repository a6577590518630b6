"""DeepPCB: pairs stay together, boxes are filled, a faulty row costs its image only."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.vision.datasets.images import put, texture
from tests.vision.datasets.written import deep_pcb as written
from twinloop.vision.datasets.deep_pcb import deep_pcb
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings

BOXES = Path("PCBData/group00041/00041_not/00041000.txt")
TESTED = "group00041/00041/00041000_test.jpg"


def read(source: Path) -> Collection:
    return deep_pcb(source, DatasetSettings(kind="deep_pcb", source=str(source)))


def test_a_template_is_good_and_belongs_to_its_tested_image(tmp_path: Path) -> None:
    samples = read(written(tmp_path)).samples
    assert Counter(sample.label for sample in samples) == {"good": 8, "open": 8}
    assert set(Counter(sample.group for sample in samples).values()) == {2}
    assert Counter(sample.division for sample in samples) == {"train": 12, "test": 4}


def test_boxes_are_filled_and_the_largest_area_gives_the_class(tmp_path: Path) -> None:
    found = read(written(tmp_path))
    tested = next(sample for sample in found.samples if sample.name == TESTED)
    mask = tested.read().mask
    assert mask is not None
    expected = np.zeros((24, 32), bool)
    expected[5:12, 4:14] = expected[8:10, 20:24] = True
    np.testing.assert_array_equal(mask, expected)
    assert tested.label == "open"
    assert any("box truth" in note for note in found.notes)
    assert any(note.startswith("8 images hold several classes") for note in found.notes)


def test_a_tested_image_without_boxes_is_good(tmp_path: Path) -> None:
    (written(tmp_path) / BOXES).write_text("\n")
    assert next(sample for sample in read(tmp_path).samples if sample.name == TESTED).label == "good"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4 5 14 12 1\n4 5 14\n", "00041000.txt:2: expected x1 y1 x2 y2 class, found '4 5 14'"),
        ("a b c d 1\n", "00041000.txt:1: expected x1 y1 x2 y2 class, found 'a b c d 1'"),
        ("4 5 14 12 9\n", "00041000.txt:1: expected a class from 1 to 6, found '9'"),
    ],
)
def test_a_malformed_row_puts_its_image_aside(tmp_path: Path, text: str, reason: str) -> None:
    (written(tmp_path) / BOXES).write_text(text)
    assert read(tmp_path).strays == ((TESTED, reason),)


def test_missing_boxes_and_a_foreign_name_put_images_aside(tmp_path: Path) -> None:
    (written(tmp_path) / BOXES).unlink()
    put(tmp_path / "PCBData" / "group00041" / "00041" / "copy.jpg", texture(1))
    assert read(tmp_path).strays == (
        (TESTED, "annotation 00041000.txt: no such file or directory"),
        ("group00041/00041/copy.jpg", "expected a name that ends in _temp or _test"),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4 5 90 12 1\n", r"box 4 5 90 12 \(00041000\.txt:1\) reaches outside the image of 32×24"),
        ("14 5 4 12 1\n", r"box 14 5 4 12 \(00041000\.txt:1\) has no area"),
        ("nan 5 4 12 1\n", "has no area"),
    ],
)
def test_an_impossible_box_refuses_its_image(tmp_path: Path, text: str, reason: str) -> None:
    (written(tmp_path) / BOXES).write_text(text)
    sample = next(sample for sample in read(tmp_path).samples if sample.name == TESTED)
    with pytest.raises(Refused, match=reason):
        sample.read()
