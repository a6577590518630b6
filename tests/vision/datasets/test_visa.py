"""VisA: what the CSV files list is read, and their rows are checked."""

from collections import Counter
from pathlib import Path

import pytest

from tests.vision.datasets.images import put, texture
from tests.vision.datasets.written import numbered_mask
from tests.vision.datasets.written import visa as written
from twinloop.errors import InputError
from twinloop.vision.datasets.samples import Collection
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.visa import visa


def read(source: Path, category: str = "") -> Collection:
    return visa(source, DatasetSettings(kind="visa", source=str(source), category=category))


def test_defects_are_named_by_the_annotation_of_their_object(tmp_path: Path) -> None:
    found = read(written(tmp_path))
    assert Counter(sample.label for sample in found.samples) == {
        "good": 20, "candle bent": 6, "candle melt": 1, "pcb1 bent": 6, "pcb1 melt": 1
    }  # fmt: skip
    assert Counter(sample.division for sample in found.samples) == {"train": 12, "test": 22}
    assert "2 rows name several defects; each image takes the first." in found.notes


def test_masks_hold_numbers_of_defects(tmp_path: Path) -> None:
    bent = next(sample for sample in read(written(tmp_path), "pcb1").samples if sample.label == "bent")
    mask = bent.read().mask
    assert mask is not None
    assert (mask == (numbered_mask() > 0)).all()


def test_one_object_alone_is_read_whatever_its_folder_is_called(tmp_path: Path) -> None:
    written(tmp_path / "all")
    (tmp_path / "all" / "pcb1").rename(tmp_path / "boards")
    samples = read(tmp_path / "boards").samples
    assert Counter(sample.label for sample in samples) == {"good": 10, "bent": 6, "melt": 1}


def test_without_annotations_the_division_lists_the_images(tmp_path: Path) -> None:
    written(tmp_path)
    for name in ("candle", "pcb1"):
        (tmp_path / name / "image_anno.csv").unlink()
    assert Counter(s.label for s in read(tmp_path).samples) == {
        "good": 20, "candle anomaly": 7, "pcb1 anomaly": 7
    }  # fmt: skip


def test_a_row_that_names_a_missing_file_is_a_stray_and_so_is_an_unlisted_image(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "candle" / "Data" / "Images" / "Normal" / "0003.JPG").unlink()
    (tmp_path / "candle" / "Data" / "Masks" / "Anomaly" / "002.png").unlink()
    put(tmp_path / "pcb1" / "Data" / "Images" / "Normal" / "0099.JPG", texture(1))
    listed = "candle/Data/Images/Normal/0003.JPG"
    assert read(tmp_path).strays == (
        (listed, f"image_anno.csv:5 names {listed}, which is not there"),
        (
            "candle/Data/Images/Anomaly/002.JPG",
            "image_anno.csv:14 names candle/Data/Masks/Anomaly/002.png, which is not there",
        ),
        ("pcb1/Data/Images/Normal/0099.JPG", "is in no list"),
    )


def test_a_row_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    written(tmp_path / "visa")
    put(tmp_path / "secret.png", texture(1))
    with (tmp_path / "visa" / "candle" / "image_anno.csv").open("a") as stream:
        stream.write("candle/../../secret.png,normal,\n")
    assert [reason for _, reason in read(tmp_path / "visa").strays] == [
        "image_anno.csv:19 names candle/../../secret.png, which is not there"
    ]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("candle/Data/Images/Anomaly/000.JPG,bent,\n", ":19: expected an image, its label and for a defect its mask"),
        (",normal,\n", ":19: expected an image"),
        ("candle/Data/Images/Normal/0000.JPG,,\n", ":19: expected an image"),
        ("candle/a.JPG,normal,,more\n", ":19: expected 3 cells, found 4"),
        ("x" * 200_000 + ",normal,\n", ":19: expected CSV, found: field larger"),
    ],
)
def test_a_malformed_row_is_refused_with_file_and_row(tmp_path: Path, row: str, place: str) -> None:
    path = written(tmp_path) / "candle" / "image_anno.csv"
    with path.open("a") as stream:
        stream.write(row)
    with pytest.raises(InputError, match=rf"image_anno\.csv{place}"):
        read(tmp_path)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    (written(tmp_path) / "candle" / "image_anno.csv").write_text("file,class\na,b\n")
    with pytest.raises(InputError, match="expected the columns image,label,mask, found file,class"):
        read(tmp_path)
