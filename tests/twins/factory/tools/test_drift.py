import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.monitoring.test_monitor import darkened, photographs
from tests.vision.synthetic_graph import write_detector, write_point
from twinloop import cli
from twinloop.learning.drift_settings import DriftSettings
from twinloop.twins.factory import paths
from twinloop.vision.inference.predict import DeployedDetector
from twinloop.vision.monitoring.reference import make_reference
from twinloop.vision.monitoring.statistics import observe


def write_images(folder: Path, images: list[np.ndarray]) -> Path:
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:03d}.png")
    return folder


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in which the loop has run as far as evaluate."""
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    exported = write_detector(tmp_path / paths.ONNX)
    (tmp_path / paths.EVALUATION).mkdir(parents=True)
    point = write_point(tmp_path / paths.EVALUATION / "operating_point.json", exported)
    detector = DeployedDetector(exported, operating_point=point)
    images = photographs(200, seed=2)
    found = detector.predict_batch(images)
    seen = observe(
        np.stack(images)[..., None],
        [one.heat for one in found],
        np.array([one.score for one in found]),
        np.array([one.decision is None or one.decision.value != "accept" for one in found]),
        np.array([one.unlike for one in found]),
    )
    reference = make_reference(
        seen.rows(slice(60)),
        seen.rows(slice(60, None)),
        np.zeros(140, np.int64),
        [str(place) for place in range(140)],
        prevalence=np.array([1.0, 0.0]),
        model=detector.backend.about.model,
        shape=(32, 1),
        settings=DriftSettings(window=60),
        seed=0,
    )
    reference.save(tmp_path / paths.EVALUATION / "drift_reference.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_images_like_those_measured_raise_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_images(root / "monday", photographs(130, seed=3))
    assert cli.main(["drift", str(folder)]) == 0
    assert capsys.readouterr().out == "130 images in 3 window(s), 0 alarm(s)\n"


def test_darker_images_are_named_and_the_exit_status_is_1(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = photographs(120, seed=3)
    folder = write_images(root / "monday", [*images[:60], *map(darkened, images[60:])])
    assert cli.main(["drift", str(folder)]) == 1
    shown = capsys.readouterr()
    assert "images 61 … 120: brightness" in shown.out
    assert "images 1 … 60" not in shown.out
    assert "drift: 1 of 2 window(s) differ from the reference" in shown.err


def test_five_white_pictures_in_a_folder_are_seen(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_images(root / "monday", [np.full((40, 40), 255, np.uint8)] * 5)
    assert cli.main(["drift", str(folder)]) == 1
    assert "images 1 … 5: share unlike anything learnt 1, reference 0.001" in capsys.readouterr().out


def test_everything_is_there_as_json_and_windows_can_be_smaller(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_images(root / "monday", photographs(50, seed=3))
    (folder / "broken.png").write_bytes(b"")
    assert cli.main(["drift", str(folder), "--window", "20", "--json"]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert [window["images"] for window in found["windows"]] == [20, 20, 10]
    assert (found["images"], found["alarms"]) == (50, [])
    assert found["unreadable"] == [{"image": "broken.png", "reason": "file is empty"}]
    assert "drift: broken.png: file is empty" in shown.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["monday", "--window", "4"], "--window 4: expected at least 5 images"),
        (["nowhere"], "expected a folder of images or an image, found neither"),
        (["broken"], "drift: none of 1 image(s) can be read; broken.png: file is empty"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(
    root: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(root / "monday", photographs(5, seed=0))
    (root / "broken").mkdir()
    (root / "broken/broken.png").write_bytes(b"")
    assert cli.main(["drift", *arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(" ")]
    assert len(lines) == 1
    assert told in lines[0]


def test_a_reference_of_another_graph_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_images(root / "monday", photographs(5, seed=0))
    path = root / paths.EVALUATION / "drift_reference.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model": "f" * 64}))
    assert cli.main(["drift", "monday"]) == 2
    assert "the reference was measured on graph ffffffffffff" in capsys.readouterr().err
    path.unlink()
    assert cli.main(["drift", "monday"]) == 2
    assert "run the evaluate stage first" in capsys.readouterr().err
