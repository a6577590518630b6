"""LabelMe's JSON beside the images: shapes become masks; what has no area or no image is set aside."""

import base64
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.datasets.images import texture
from tests.vision.datasets.written import labelme as written
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.samples import Collection
from twinloop.vision.datasets.settings import DatasetSettings


def read(source: Path, **changed: object) -> Collection:
    return layouts.read(source, DatasetSettings(**({"kind": "auto"} | changed)))  # type: ignore[arg-type]


def test_shapes_are_filled(tmp_path: Path) -> None:
    found = read(written(tmp_path))
    assert found.layout == "labelme"
    assert Counter(sample.label for sample in found.samples) == {"good": 10, "dent": 5, "pit": 2}
    masks = {sample.name: sample.read().mask for sample in found.samples}
    box = np.zeros((24, 32), bool)
    box[5:15, 8:20] = True
    assert abs(int((masks["12.png"] ^ box).sum())) <= 24  # type: ignore[operator]
    assert masks["11.png"].sum() == pytest.approx(np.pi * 25, rel=0.35)  # type: ignore[union-attr]


FAULTY = {
    '{"shapes": [{"label": "x", "shape_type": "line", "points": [[1, 2], [3, 4]]}]}': "a line of 2 points has no area",
    '{"shapes": [{"label": "x", "points": "all"}]}': r"shapes\[0\]\.points: expected pairs of numbers",
    '{"shapes": [{"label": " ", "points": []}]}': r"shapes\[0\]: expected a label",
    '{"shapes": 3}': "expected LabelMe's JSON with a list of shapes",
    '{"shapes": [': "expected JSON, found",
}


@pytest.mark.parametrize(("text", "reason"), FAULTY.items())
def test_a_faulty_file_is_set_aside_with_the_place(tmp_path: Path, text: str, reason: str) -> None:
    written(tmp_path)
    (tmp_path / "12.json").write_text(text)
    strays = dict(read(tmp_path).strays)
    assert set(strays) <= {"12.json", "12.png"}
    assert reason.replace("\\", "") in strays["12.json"]


def test_files_that_are_all_faulty_leave_no_collection_of_good_images(tmp_path: Path) -> None:
    written(tmp_path)
    for path in tmp_path.glob("*.json"):
        if json.loads(path.read_text())["shapes"]:
            path.write_text('{"shapes": [{"label": "x", "shape_type": "line", "points": [[1, 2], [3, 4]]}]}')
    with pytest.raises(InputError, match=r"no defect is left, \d+ files are refused: 1\d\.json: .* has no area"):
        read(tmp_path)


def test_images_without_json_are_asked_about_where_none_is_empty(tmp_path: Path) -> None:
    written(tmp_path)
    for i in range(10):
        (tmp_path / f"{i}.json").unlink()
    with pytest.raises(InputError, match=r"10 images have no annotation .*are they good parts\?"):
        read(tmp_path)
    assert Counter(s.label for s in read(tmp_path, unmarked="good").samples)["good"] == 10


def test_shapes_drawn_before_the_turn_are_turned_with_the_image(tmp_path: Path) -> None:
    written(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(texture(12)).save(tmp_path / "12.png", exif=exif)
    straight = next(s for s in read(tmp_path).samples if s.name == "15.png").read().mask
    turned = next(s for s in read(tmp_path).samples if s.name == "12.png").read()
    assert straight is not None
    assert turned.image.shape == (32, 24)
    np.testing.assert_array_equal(turned.mask, np.rot90(straight, -1))
    content = json.loads((tmp_path / "12.json").read_text())
    (tmp_path / "12.json").write_text(json.dumps(content | {"imageWidth": 24, "imageHeight": 32}))
    seen = next(s for s in read(tmp_path).samples if s.name == "12.png").read().mask
    assert seen is not None
    assert seen[8, 15]


def shown(pixels: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def with_mask(root: Path, mask: object, corner: tuple[float, float] = (4.0, 5.0)) -> Path:
    """All defects are masks of three rows at this corner."""
    shape = {"label": "dent", "shape_type": "mask", "points": [corner, [10, 7]], "mask": mask}
    for path in written(root).glob("*.json"):
        content = json.loads(path.read_text())
        if content["shapes"]:
            path.write_text(json.dumps(content | {"shapes": [shape]}))
    return root


def test_a_mask_is_read_pixel_by_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).random((3, 7)) < 0.5
    found = read(with_mask(tmp_path, shown(pixels)))
    assert Counter(sample.label for sample in found.samples) == {"good": 10, "dent": 7}
    whole = np.zeros((24, 32), bool)
    whole[5:8, 4:11] = pixels
    np.testing.assert_array_equal(next(s for s in found.samples if s.name == "12.png").read().mask, whole)


@pytest.mark.parametrize(
    ("mask", "corner", "reason"),
    [
        (shown(np.ones((3, 7), bool)), (30.0, 5.0), "reaches outside the image"),
        ("no base64!", (4.0, 5.0), "expected a PNG in base64"),
        (base64.b64encode(b"no image").decode(), (4.0, 5.0), "not an image of a known format"),
        (None, (4.0, 5.0), "expected a mask with two points"),
    ],
)
def test_a_faulty_mask_is_told_with_its_place(
    tmp_path: Path, mask: object, corner: tuple[float, float], reason: str
) -> None:
    with pytest.raises(InputError, match=rf"1\d\.json: shapes\[0\].*{reason}"):
        read(with_mask(tmp_path, mask, corner))
