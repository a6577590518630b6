"""COCO: boxes and polygons become masks; what is wrong is told with its JSON path."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.vision.datasets.images import put, texture
from tests.vision.datasets.written import coco as written
from tests.vision.datasets.written import coco_content
from twinloop.errors import InputError
from twinloop.vision.datasets.coco import coco
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings


def read(source: Path) -> Collection:
    return coco(source, DatasetSettings(kind="coco", source=str(source)))


def single(root: Path, change: Callable[[dict[str, Any]], object] = lambda content: None) -> Path:
    """One file beside its images, changed."""
    content = coco_content()
    for entry in content["images"]:
        put(root / entry["file_name"], texture(entry["id"]))
    change(content)
    (root / "annotations.json").write_text(json.dumps(content))
    return root


def test_classes_division_and_several_classes(tmp_path: Path) -> None:
    found = read(written(tmp_path))
    assert Counter((sample.label, sample.division) for sample in found.samples) == {
        ("good", "train"): 5, ("dent", "train"): 3, ("scratch", "train"): 1,
        ("good", "test"): 5, ("dent", "test"): 3, ("scratch", "test"): 1,
    }  # fmt: skip
    assert any(note.startswith("2 images hold several classes") for note in found.notes)
    assert any(note.startswith("8 defects have no polygon, their box is filled") for note in found.notes)


def test_a_box_is_filled_and_a_polygon_replaces_its_box(tmp_path: Path) -> None:
    samples = {sample.name: sample for sample in read(single(tmp_path)).samples}
    box, outline = (samples[name].read().mask for name in ("train_5.png", "train_8.png"))
    assert box is not None
    assert outline is not None
    expected = np.zeros((24, 32), bool)
    expected[5:12, 4:14] = True
    np.testing.assert_array_equal(box, expected)
    # Half of a square of ten pixels, and its diagonal.
    assert 45 <= outline.sum() <= 66
    assert outline[6, 5]
    assert not outline[13, 12]
    assert samples["train_0.png"].read().mask is not None


@pytest.mark.parametrize(
    ("place", "images"),
    [
        ("annotations.json", "."),
        ("annotations.json", "images"),
        ("train/_annotations.coco.json", "train"),
        ("annotations/train.json", "train"),
        ("annotations/instances_train.json", "images/train"),
    ],
)
def test_the_file_and_the_images_may_lie_in_several_places(tmp_path: Path, place: str, images: str) -> None:
    content = coco_content()
    for entry in content["images"]:
        put(tmp_path / images / entry["file_name"], texture(entry["id"]))
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(json.dumps(content))
    assert len(read(tmp_path).samples) == 9


def test_captions_beside_instances_are_left_alone(tmp_path: Path) -> None:
    content = coco_content() | {"annotations": []}
    (written(tmp_path) / "annotations" / "person_keypoints_train.json").write_text(json.dumps(content))
    assert len(read(tmp_path).samples) == 18


MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "id": (lambda c: c["images"][2].pop("id"), r"images\[2\]\.id: field required"),
    "name": (lambda c: c["images"][1].update(file_name=7), r"images\[1\]\.file_name: input should be a valid string"),
    "box": (
        lambda c: c["annotations"][0].update(bbox=["a"]),
        r"annotations\[0\]\.bbox\[0\]: input should be",
    ),
    "twice": (lambda c: c["images"][8].update(id=3), r"images\[8\]\.id: 3 occurs a second time"),
    "categories": (lambda c: c["categories"][1].update(id=1), r"categories\[1\]\.id: 1 occurs a second time"),
    "list": (lambda c: c.update(categories={}), r"categories: input should be a valid"),
}


@pytest.mark.parametrize(("change", "path"), MALFORMED.values(), ids=list(MALFORMED))
def test_a_file_of_another_form_is_refused_with_the_json_path(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], path: str
) -> None:
    with pytest.raises(InputError, match=rf"annotations\.json: {path}"):
        read(single(tmp_path, change))


def test_broken_json_is_refused_with_its_row(tmp_path: Path) -> None:
    single(tmp_path)
    text = (tmp_path / "annotations.json").read_text()
    (tmp_path / "annotations.json").write_text(text[:-3])
    with pytest.raises(InputError, match=r"annotations\.json: content: invalid JSON: .* line 1 column"):
        read(tmp_path)


QUARANTINED: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "category": (
        lambda c: c["annotations"][0].update(category_id=9),
        "train_5.png",
        r"annotations.json: annotations[0].category_id: no category has the id 9",
    ),
    "numbers": (
        lambda c: c["annotations"][0].update(bbox=[1, 2, 3]),
        "train_5.png",
        "annotations.json: annotations[0].bbox: expected left, top, width, height, found 3 numbers",
    ),
    "corners": (
        lambda c: c["annotations"][3].update(segmentation=[[1, 2, 3, 4]]),
        "train_8.png",
        "annotations.json: annotations[3].segmentation[0]: expected x, y of at least three corners",
    ),
    "twice": (
        lambda c: c["images"].append(c["images"][0] | {"id": 70}),
        "train_0.png",
        "annotations.json: images[9]: listed a second time",
    ),
}


@pytest.mark.parametrize(("change", "file", "reason"), QUARANTINED.values(), ids=list(QUARANTINED))
def test_a_fault_in_one_image_costs_that_image_only(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], file: str, reason: str
) -> None:
    assert read(single(tmp_path, change)).strays == ((file, reason),)


def test_images_and_annotations_without_each_other_are_strays(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"][0]["file_name"] = "../secret.png"
        content["images"][1]["file_name"] = "gone.png"
        content["annotations"][0]["image_id"] = 99

    put(tmp_path / "secret.png", texture(1))
    assert read(single(tmp_path / "set", change)).strays == (
        ("../secret.png", "annotations.json: images[0].file_name: there is no such file below set"),
        ("gone.png", "annotations.json: images[1].file_name: there is no such file below set"),
        ("annotations.json", "annotations[0].image_id: no image has the id 99"),
        ("train_0.png", "no annotation file lists it"),
        ("train_1.png", "no annotation file lists it"),
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda c: c["annotations"][0].update(bbox=[20, 5, 30, 7]),
            r"box 20 5 50 12 \(annotations\.json: annotations\[0\]\) reaches outside the image of 32×24",
        ),
        (lambda c: c["annotations"][0].update(bbox=[4, 5, 0, 7]), "has no area"),
        (lambda c: c["images"][5].update(width=24, height=32), "image is 32×24, its annotation says 24×32"),
    ],
)
def test_a_box_that_does_not_fit_refuses_its_image(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    sample = next(s for s in read(single(tmp_path, change)).samples if s.name == "train_5.png")
    with pytest.raises(Refused, match=reason):
        sample.read()


def test_objects_that_are_no_defects_leave_an_image_good(tmp_path: Path) -> None:
    samples = read(single(tmp_path, lambda c: c["categories"][0].update(name="OK"))).samples
    assert Counter(sample.label for sample in samples) == {"good": 8, "scratch": 1}


def test_a_heavy_file_is_refused(tmp_path: Path) -> None:
    single(tmp_path)
    with pytest.raises(InputError, match=r"at most 1024 \(DatasetSettings\.max_bytes\)"):
        coco(tmp_path, DatasetSettings(kind="coco", max_bytes=1024))
