"""Kolektor: the mask tells the class, the commutator is the part."""

from collections import Counter
from pathlib import Path

from tests.vision.datasets.images import put, spot, texture
from tests.vision.datasets.written import kolektor_sdd as written
from tests.vision.datasets.written import kolektor_sdd2 as written2
from twinloop.vision.datasets.kolektor import kolektor_sdd, kolektor_sdd2
from twinloop.vision.datasets.settings import DatasetSettings

SETTINGS = DatasetSettings(kind="kolektor_sdd")


def test_the_class_is_read_from_the_mask_and_a_folder_is_one_part(tmp_path: Path) -> None:
    samples = kolektor_sdd(written(tmp_path), SETTINGS).samples
    assert Counter(sample.label for sample in samples) == {"good": 14, "defect": 4}
    assert Counter(sample.group for sample in samples) == {f"kos{number:02d}": 3 for number in range(1, 7)}
    assert {sample.division for sample in samples} == {""}
    for sample in samples:
        mask = sample.read().mask
        assert mask is not None
        assert mask.any() == (sample.label == "defect")


def test_the_second_set_has_a_division_and_no_parts(tmp_path: Path) -> None:
    samples = kolektor_sdd2(written2(tmp_path), SETTINGS).samples
    assert Counter(sample.label for sample in samples) == {"good": 10, "defect": 7}
    assert Counter(sample.division for sample in samples) == {"train": 11, "test": 6}
    assert len({sample.group for sample in samples}) == 17


def test_without_a_usable_mask_the_class_is_unknown_and_the_image_a_stray(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "kos01" / "Part0_label.bmp").unlink()
    (tmp_path / "kos01" / "Part1_label.bmp").write_bytes(b"")
    put(tmp_path / "kos01" / "Part2_label.bmp", texture(3))
    put(tmp_path / "kos02" / "Part9_label.bmp", spot())
    strays = dict(kolektor_sdd(tmp_path, SETTINGS).strays)
    assert strays.pop("kos01/Part2.jpg").startswith("mask has ")
    assert strays == {
        "kos01/Part0.jpg": "mask Part0_label is missing",
        "kos01/Part1.jpg": "mask Part1_label.bmp: file is empty",
        "kos02/Part9_label.bmp": "mask has no image",
    }
