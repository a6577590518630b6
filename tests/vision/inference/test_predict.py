import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from scipy.special import expit

from tests.vision.synthetic_graph import spotted, write_detector, write_point
from twinloop.contracts import Decision
from twinloop.errors import InputError
from twinloop.files import read_json, sha256, write_json
from twinloop.vision.index import INDEX_FILE, SCHEMA, load_images
from twinloop.vision.inference.predict import DeployedDetector, fit_image


def test_a_bright_spot_is_found_where_it_is(exported: Path) -> None:
    finding = DeployedDetector(exported).predict(spotted())
    assert finding.defect_type == "spot"
    assert finding.boxes == ((16, 8, 8, 8),)
    assert finding.score == pytest.approx(10 + np.log1p(np.exp(-3)), abs=1e-3)
    assert finding.defect_probability == pytest.approx(expit(finding.score))
    assert finding.decision is None
    assert finding.inference_ms > 0


def test_a_dark_image_is_good_and_has_no_box(exported: Path) -> None:
    finding = DeployedDetector(exported).predict(np.zeros((32, 32), np.uint8))
    assert (finding.defect_type, finding.boxes) == ("good", ())
    assert finding.confidence == pytest.approx(1 - finding.defect_probability)


def test_boxes_and_heat_map_are_in_pixels_of_the_image_that_was_given(exported: Path) -> None:
    finding = DeployedDetector(exported).predict(np.kron(spotted(), np.ones((4, 2), np.uint8)))
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
    detector = DeployedDetector(exported, operating_point=write_point(tmp_path / "point.json", exported))
    findings = detector.predict_batch([spotted(brightness=value) for value in (0, 128, 255)])
    assert [finding.decision for finding in findings] == [Decision.ACCEPT, Decision.REINSPECT, Decision.REJECT]
    assert [finding.defect_type for finding in findings] == ["good", "spot", "spot"]
    for finding in findings:
        assert finding.defect_probability == pytest.approx(expit(0.5 * finding.score))
    assert not any(finding.reason for finding in findings)
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
    detector = DeployedDetector(exported, operating_point=write_point(tmp_path / "point.json", exported))
    assert detector.decide(probability) is decision


def test_a_batch_says_what_single_images_say(exported: Path) -> None:
    random = np.random.default_rng(0)
    images = [
        random.integers(0, 256, shape, dtype=np.uint8) for shape in [(32, 32), (40, 50), (20, 20, 3), (33, 31, 1)]
    ]
    detector = DeployedDetector(exported)
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
        DeployedDetector(exported).predict(image)


def test_a_missing_export_names_the_stage_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run the export stage first"):
        DeployedDetector(tmp_path)


def test_a_format_that_was_not_exported_is_named(exported: Path) -> None:
    with pytest.raises(InputError, match="holds no 'int8' graph, only fp32"):
        DeployedDetector(exported, graph_format="int8")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"classes": ["good", "dent"]}, "made for the classes good, dent, the model has good, spot, smear"),
        ({"model": "0" * 64}, r"measured on graph 000000000000, this is [0-9a-f]{12} \(fp32\): run the evaluate stage"),
    ],
)
def test_the_operating_point_of_another_model_is_refused(
    exported: Path, tmp_path: Path, changes: dict[str, object], line: str
) -> None:
    path = write_point(tmp_path / "point.json", exported, **changes)
    with pytest.raises(InputError, match=line):
        DeployedDetector(exported, operating_point=path)


@pytest.mark.parametrize(
    ("content", "line"),
    [("{}", "it lacks accept_below, calibration"), ("not json", "no operating point"), (None, "found none")],
)
def test_what_is_no_operating_point_is_named(exported: Path, tmp_path: Path, content: str | None, line: str) -> None:
    path = tmp_path / "point.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=line):
        DeployedDetector(exported, operating_point=path)


def test_a_detector_that_names_no_defects_says_defect_with_all_its_confidence(tmp_path: Path) -> None:
    folder = write_detector(tmp_path / "onnx")
    spec = read_json(folder / "spec.json")
    write_json(folder / "spec.json", spec | {"about": spec["about"] | {"names_defects": False}})
    detector = DeployedDetector(folder)
    finding = detector.predict(spotted())
    assert finding.defect_type == "defect"
    assert finding.confidence == finding.defect_probability
    assert detector.predict(np.zeros((32, 32), np.uint8)).defect_type == "good"


def test_predicting_imports_neither_torch_nor_lightning(exported: Path) -> None:
    code = (
        "import sys, numpy as np; from twinloop.vision.inference.predict import DeployedDetector; "
        f"DeployedDetector({str(exported)!r}).predict(np.zeros((8, 8), np.uint8)); "
        "heavy = {'torch', 'timm', 'pytorch_lightning', 'mlflow', 'sklearn', 'onnx'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


def test_a_picture_unlike_anything_learnt_is_looked_at_again_whatever_its_score(tmp_path: Path) -> None:
    folder = write_detector(tmp_path / "onnx", limit=0.5)
    detector = DeployedDetector(folder, operating_point=write_point(tmp_path / "point.json", folder))
    usual, white = detector.predict_batch([spotted(), np.full((32, 32), 255, np.uint8)])
    assert (usual.decision, usual.reason) == (Decision.REJECT, "")
    assert usual.unlike == pytest.approx(1 / 16)
    assert (white.decision, white.reason) == (Decision.REINSPECT, "unlike anything learnt: score 1, limit 0.5")
    undecided = DeployedDetector(folder).predict(np.full((32, 32), 255, np.uint8))
    assert (undecided.decision, undecided.reason) == (None, white.reason)


@pytest.mark.parametrize(
    ("shape", "unlike"), [((40, 59), False), ((40, 62), True), ((40, 400), True), ((59, 40), False), ((400, 40), True)]
)
def test_a_picture_of_another_shape_is_unlike_anything_learnt(
    shape: tuple[int, int], unlike: bool, tmp_path: Path
) -> None:
    folder = write_detector(tmp_path / "onnx", limit=0.5, shapes=(1.0, 1.0))
    detector = DeployedDetector(folder, operating_point=write_point(tmp_path / "point.json", folder))
    finding = detector.predict(np.zeros(shape, np.uint8))
    assert finding.decision is (Decision.REINSPECT if unlike else Decision.ACCEPT)
    assert (finding.unlike > 0.5) is unlike
    if unlike:
        height, width = shape
        assert f"{width} × {height} pixels, learnt were widths of 1 heights" in finding.reason


def test_an_export_without_an_unlike_score_is_refused(tmp_path: Path) -> None:
    folder = write_detector(tmp_path / "onnx")
    spec = read_json(folder / "spec.json")
    del spec["about"]["unlike"]
    write_json(folder / "spec.json", spec)
    with pytest.raises(InputError, match="expected a detector with an unlike score, this one has none: export it"):
        DeployedDetector(folder)
