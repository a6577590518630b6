import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.special import expit

from tests.vision.synthetic_graph import CLASSES, write_detector
from twinloop.contracts import Decision
from twinloop.errors import InputError
from twinloop.files import sha256, write_json
from twinloop.vision.evaluation.calibration import Calibration
from twinloop.vision.index import INDEX_FILE, SCHEMA, load_images
from twinloop.vision.inference.predict import OnnxDetector, find_boxes, fit_image


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_detector(tmp_path_factory.mktemp("onnx"))


def point(path: Path, **changes: object) -> Path:
    calibration = Calibration(method="platt", share=0.5, slope=0.5, intercept=0.0).record()
    values = {
        "classes": list(CLASSES),
        "calibration": calibration,
        "accept_below": 0.2,
        "reject_from": 0.8,
        "heat_threshold": 0.5,
    }
    write_json(path, {**values, **changes})
    return path


def spotted(size: int = 32, brightness: int = 255) -> np.ndarray:
    image = np.zeros((size, size), np.uint8)
    image[size // 4 : size // 2, size // 2 : 3 * size // 4] = brightness
    return image


def test_a_bright_spot_is_found_where_it_is(exported: Path) -> None:
    finding = OnnxDetector(exported).predict(spotted())
    assert finding.defect_type == "spot"
    assert finding.boxes == ((16, 8, 8, 8),)
    assert finding.score == pytest.approx(10 + np.log1p(np.exp(-3)), abs=1e-3)
    assert finding.defect_probability == pytest.approx(expit(finding.score))
    assert finding.decision is None
    assert finding.inference_ms > 0


def test_a_dark_image_is_good_and_has_no_box(exported: Path) -> None:
    finding = OnnxDetector(exported).predict(np.zeros((32, 32), np.uint8))
    assert (finding.defect_type, finding.boxes) == ("good", ())
    assert finding.confidence == pytest.approx(1 - finding.defect_probability)


def test_boxes_and_heat_map_are_in_pixels_of_the_image_that_was_given(exported: Path) -> None:
    finding = OnnxDetector(exported).predict(np.kron(spotted(), np.ones((4, 2), np.uint8)))
    assert finding.size == (128, 64)
    assert finding.boxes == ((32, 32, 16, 32),)
    assert finding.heat.shape == (8, 8)
    assert finding.heat_map.shape == (128, 64)
    assert finding.heat_map is finding.heat_map
    row, column = np.unravel_index(finding.heat_map.argmax(), finding.heat_map.shape)
    assert 32 <= row < 64
    assert 32 <= column < 48
    assert finding.heat_map_at((8, 8)) == pytest.approx(finding.heat)


def test_the_operating_point_decides_on_calibrated_probabilities(exported: Path, tmp_path: Path) -> None:
    detector = OnnxDetector(exported, operating_point=point(tmp_path / "point.json"))
    findings = detector.predict_batch([spotted(brightness=value) for value in (0, 128, 255)])
    assert [finding.decision for finding in findings] == [Decision.ACCEPT, Decision.REINSPECT, Decision.REJECT]
    assert [finding.defect_type for finding in findings] == ["good", "spot", "spot"]
    for finding in findings:
        assert finding.defect_probability == pytest.approx(expit(0.5 * finding.score))
    share = 1 / (1 + np.exp(-3))
    assert findings[2].confidence == pytest.approx(findings[2].defect_probability * share, abs=1e-5)


@pytest.mark.parametrize(
    ("probability", "decision"),
    [
        (0.0, Decision.ACCEPT),
        (0.19999, Decision.ACCEPT),
        (0.2, Decision.REINSPECT),
        (0.79999, Decision.REINSPECT),
        (0.8, Decision.REJECT),
        (1.0, Decision.REJECT),
    ],
)
def test_thresholds_belong_to_the_worse_side(
    exported: Path, tmp_path: Path, probability: float, decision: Decision
) -> None:
    detector = OnnxDetector(exported, operating_point=point(tmp_path / "point.json"))
    assert detector.decide(probability) is decision


def test_a_batch_says_what_single_images_say(exported: Path) -> None:
    random = np.random.default_rng(0)
    images = [
        random.integers(0, 256, shape, dtype=np.uint8) for shape in [(32, 32), (40, 50), (20, 20, 3), (33, 31, 1)]
    ]
    detector = OnnxDetector(exported)
    for alone, together in zip(map(detector.predict, images), detector.predict_batch(images), strict=True):
        assert together.score == pytest.approx(alone.score, abs=1e-5)
        assert together.boxes == alone.boxes
    assert detector.predict_batch([]) == []


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_resized_as_the_dataset_is(channels: int, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = []
    for place, shape in enumerate([(64, 80), (32, 32), (20, 28), (90, 24)]):
        name = f"{place}.png"
        pixels = random.integers(0, 256, (*shape, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
        rows.append(
            {
                "image": name,
                "label": "good",
                "group": name,
                "split": "test",
                "sha256": sha256(tmp_path / name),
                "width": shape[1],
                "height": shape[0],
                "source": name,
            }
        )
    pl.DataFrame(rows, schema=SCHEMA).write_parquet(tmp_path / INDEX_FILE)
    data = load_images(tmp_path, "test", size=32, channels=channels)
    for row, expected in zip(rows, data.images, strict=True):
        pixels = np.asarray(Image.open(tmp_path / str(row["image"])))
        assert np.array_equal(fit_image(pixels, size=32, channels=channels), expected)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((32, 32), np.float32),
        np.zeros((32, 32), np.uint16),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros(32, np.uint8),
        np.zeros((2, 32, 32, 1), np.uint8),
        np.zeros((0, 32), np.uint8),
    ],
)
def test_what_is_no_image_is_refused(exported: Path, image: np.ndarray) -> None:
    with pytest.raises(InputError, match="image: expected"):
        OnnxDetector(exported).predict(image)


def test_a_missing_export_names_the_stage_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run the export stage first"):
        OnnxDetector(tmp_path)


def test_a_format_that_was_not_exported_is_named(exported: Path) -> None:
    with pytest.raises(InputError, match="holds no 'int8' graph, only fp32"):
        OnnxDetector(exported, graph_format="int8")


def test_the_operating_point_of_another_model_is_refused(exported: Path, tmp_path: Path) -> None:
    path = point(tmp_path / "point.json", classes=["good", "dent"])
    with pytest.raises(InputError, match="made for the classes good, dent"):
        OnnxDetector(exported, operating_point=path)


@given(arrays(np.float32, (6, 7), elements=st.floats(0, 1, width=32)), st.integers(6, 200), st.integers(7, 200))
def test_boxes_lie_in_the_image_and_hold_every_hot_place(heat: np.ndarray, height: int, width: int) -> None:
    boxes = find_boxes(heat, threshold=0.5, size=(height, width))
    for x, y, across, down in boxes:
        assert 0 <= x < x + across <= width
        assert 0 <= y < y + down <= height
    for row, column in np.argwhere(heat >= 0.5):
        centre = ((column + 0.5) * width / 7, (row + 0.5) * height / 6)
        assert any(x <= centre[0] <= x + w and y <= centre[1] <= y + h for x, y, w, h in boxes)


def test_the_hottest_region_comes_first_and_corners_touch() -> None:
    heat = np.zeros((6, 6), np.float32)
    heat[0, 0] = heat[1, 1] = 0.6
    heat[4, 4] = 0.9
    assert find_boxes(heat, threshold=0.5, size=(6, 6)) == ((4, 4, 1, 1), (0, 0, 2, 2))


def test_predicting_imports_neither_torch_nor_lightning(exported: Path) -> None:
    code = (
        "import sys, numpy as np; from twinloop.vision.inference.predict import OnnxDetector; "
        f"OnnxDetector({str(exported)!r}).predict(np.zeros((8, 8), np.uint8)); "
        "heavy = {'torch', 'timm', 'pytorch_lightning', 'mlflow', 'sklearn', 'onnx'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
