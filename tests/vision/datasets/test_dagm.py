"""DAGM: a class folder is a texture, an image with a label is defective."""

from collections import Counter
from pathlib import Path

from tests.vision.datasets.images import put, spot
from tests.vision.datasets.written import dagm as written
from twinloop.vision.datasets.dagm import dagm
from twinloop.vision.datasets.samples import Collection
from twinloop.vision.datasets.settings import DatasetSettings


def read(source: Path, **changed: str) -> Collection:
    return dagm(source, DatasetSettings(kind="dagm", source=str(source), **changed))


def test_defects_are_named_after_their_texture(tmp_path: Path) -> None:
    samples = read(written(tmp_path)).samples
    assert Counter(sample.label for sample in samples) == {"good": 20, "defect 1": 7, "defect 2": 7}
    assert {sample.division for sample in samples} == {"train", "test"}
    assert [s.read().mask is None for s in samples] == [s.label == "good" for s in samples]


def test_one_texture_has_one_defect(tmp_path: Path) -> None:
    written(tmp_path)
    chosen, alone = read(tmp_path, category="Class2"), read(tmp_path / "Class2")
    assert {s.label for s in chosen.samples} == {s.label for s in alone.samples} == {"good", "defect"}
    assert all(s.name.startswith("Class2/") for s in chosen.samples)


def test_a_label_without_image_is_a_stray(tmp_path: Path) -> None:
    put(written(tmp_path) / "Class1" / "Test" / "Label" / "0999_label.PNG", spot())
    assert read(tmp_path).strays == (("Class1/Test/Label/0999_label.PNG", "mask has no image"),)
