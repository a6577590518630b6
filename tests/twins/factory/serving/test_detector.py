"""Registering the detector once per detector, without pickle."""

import base64
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.tracking import conftest as stores
from tests.tracking.tiny import SIZE, export
from twinloop.errors import InputError
from twinloop.files import read_json, write_json
from twinloop.tracking.execution import Execution, find_or_create
from twinloop.tracking.registering import registered_version, serve_command
from twinloop.tracking.store import Store
from twinloop.twins.factory.serving.detector import detector_digest, register_detector, save_detector

empty_store, store = stores.empty_store, stores.store
NAME = "factory-detector"


@pytest.fixture
def execution(store: Store) -> Execution:
    return find_or_create(store, twin="factory", key="k")


def test_the_same_detector_is_registered_once_and_another_one_anew(
    store: Store, execution: Execution, tmp_path: Path
) -> None:
    exported, point = export(tmp_path / "one")
    other, other_point = export(tmp_path / "other", bias=-7.0)

    def registered(folder: Path, operating_point: Path) -> str:
        return register_detector(
            store, execution, exported=folder, operating_point=operating_point, card="# The detector"
        )

    assert [registered(exported, point), registered(exported, point)] == ["1", "1"]
    assert registered(other, other_point) == "2"
    assert registered(exported, point) == "1"
    moved = read_json(point) | {"accept_below": 0.2}
    write_json(point, moved)
    assert registered(exported, point) == "3", "another threshold is another detector"
    first = store.client.get_model_version(NAME, "1")
    assert first.description == "# The detector"
    assert first.run_id == execution.run_id
    assert first.tags["execution_key"] == "k"


def test_the_saved_model_is_source_and_data_with_a_signature(tmp_path: Path) -> None:
    exported, point = export(tmp_path / "one")
    save_detector(tmp_path / "model", exported=exported, operating_point=point)
    files = [path for path in (tmp_path / "model").rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".pt", ".pyc")]
    described = yaml.safe_load((tmp_path / "model" / "MLmodel").read_text())
    assert "served_detector.py" in {path.name for path in files}
    assert "python_model" not in described["flavors"]["python_function"], "that would be a pickle"
    assert '"image"' in described["signature"]["inputs"]
    assert '"heat_map"' in described["signature"]["outputs"]
    requirements = (tmp_path / "model" / "requirements.txt").read_text()
    assert "onnxruntime==" in requirements
    assert "torch" not in requirements


def test_only_the_deployed_graph_is_kept(tmp_path: Path) -> None:
    exported, point = export(tmp_path / "one")
    spec = read_json(exported / "spec.json")
    (exported / "detector_int8.onnx").write_bytes(b"another graph")
    write_json(exported / "spec.json", spec | {"files": {**spec["files"], "int8": "detector_int8.onnx"}})
    save_detector(tmp_path / "model", exported=exported, operating_point=point)
    kept = {path.name for path in (tmp_path / "model" / "artifacts").rglob("*") if path.is_file()}
    assert kept == {"detector_fp32.onnx", "spec.json", "operating_point.json"}


def test_without_an_export_the_command_to_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"spec\.json: expected an exported model, found none: run the export"):
        detector_digest(tmp_path, tmp_path / "operating_point.json")
    exported, point = export(tmp_path)
    point.unlink()
    with pytest.raises(InputError, match=r"operating_point\.json: no such file: run the evaluate stage first"):
        detector_digest(exported, point)


def test_the_newest_version_is_served_unless_one_is_named(store: Store, execution: Execution, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="serve: no model 'factory-detector' is registered: run `make repro` first"):
        registered_version(store, NAME)
    for place, bias in enumerate((-8.0, -7.0)):
        exported, point = export(tmp_path / str(place), bias=bias)
        register_detector(store, execution, exported=exported, operating_point=point, card="")
    assert registered_version(store, NAME) == "2"
    assert registered_version(store, NAME, wanted=1) == "1"
    with pytest.raises(InputError, match="factory-detector has no version 7, only 1, 2: choose one of these"):
        registered_version(store, NAME, wanted=7)


def test_the_model_is_served_on_loopback() -> None:
    command = serve_command(NAME, 3, port=5099)
    assert command[-3:] == ["models:/factory-detector/3", "--port", "5099"]
    assert 'host="127.0.0.1"' in Path(command[2]).read_text(encoding="utf-8")


def test_an_answer_is_what_the_detector_finds(tmp_path: Path) -> None:
    from twinloop.twins.factory.serving.served_detector import answer, refused
    from twinloop.vision.inference.predict import DeployedDetector

    exported, point = export(tmp_path / "one")
    pixels = np.full((SIZE, SIZE), 60, np.uint8)
    pixels[8:12, 16:20] = 250
    found = answer(DeployedDetector(exported, operating_point=point).predict(pixels))
    assert (found["defect_type"], found["decision"], found["boxes"]) == ("pit", "reject", [[16, 8, 4, 4]])
    heat = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["heat_map"]))))
    assert heat.shape == (SIZE // 4, SIZE // 4)
    assert np.unravel_index(heat.argmax(), heat.shape) == (2, 4)
    assert refused("why").keys() == found.keys()


def test_an_answer_to_a_picture_unlike_anything_learnt_says_so(tmp_path: Path) -> None:
    from twinloop.twins.factory.serving.served_detector import answer
    from twinloop.vision.inference.predict import DeployedDetector

    exported, point = export(tmp_path / "one")
    detector = DeployedDetector(exported, operating_point=point)
    usual, white = (answer(detector.predict(np.full((SIZE, SIZE), level, np.uint8))) for level in (60, 255))
    assert (usual["decision"], usual["reason"]) == ("accept", "")
    assert usual["unlike"] == pytest.approx(60 / 255)
    assert (white["decision"], white["reason"]) == ("re-inspect", "unlike anything learnt: score 1, limit 0.9")


def posted(pixels: np.ndarray, file_format: str = "PNG") -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, file_format)
    return base64.b64encode(stream.getvalue()).decode()


def bright() -> np.ndarray:
    pixels = np.full((SIZE, SIZE), 60, np.uint8)
    pixels[8:12, 16:20] = 250
    return pixels


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model as MLflow's server loads it."""
    from mlflow.pyfunc import load_model

    folder = tmp_path_factory.mktemp("served")
    exported, point = export(folder / "one")
    save_detector(folder / "model", exported=exported, operating_point=point)
    before = list(sys.path)
    loaded = load_model(str(folder / "model"))
    sys.path[:] = before  # MLflow puts the model's copy of the code first
    return loaded


def asked(served: Any, images: list[Any]) -> list[dict[str, Any]]:
    import pandas as pd

    answers: list[dict[str, Any]] = served.predict(pd.DataFrame({"image": images}))
    return answers


def test_one_image_is_answered_and_a_batch_in_order(served: Any) -> None:
    (alone,) = asked(served, [posted(bright())])
    assert (alone["decision"], alone["error"]) == ("reject", None)
    batch = asked(
        served, [posted(bright() if place in (3, 11) else np.zeros((40, 30), np.uint8)) for place in range(16)]
    )
    assert [answer["decision"] for answer in batch].count("reject") == 2
    timeless = [{**answer, "inference_ms": None} for answer in (batch[3], batch[11], alone)]
    assert timeless[0] == timeless[1] == timeless[2]


def test_every_bad_image_has_its_own_error_and_leaves_its_neighbours_alone(served: Any) -> None:
    whole = base64.b64decode(posted(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)))
    huge = posted(np.zeros((8000, 8000), np.uint8))
    bad = {
        "cannot be read": base64.b64encode(whole[: len(whole) // 2]).decode(),
        "not base64": "not base64!",
        "not an image of a known format": base64.b64encode(b"words").decode(),
        "image is 8000×8000, more than 50000000 pixels": huge,
        "image is 1×1, at least 8 pixels a side are needed": posted(np.zeros((1, 1), np.uint8)),
        "empty": "",
        "the file is larger than 20 MB": "A" * 27_000_000,
    }
    fine = posted(bright())
    answers = asked(served, [image for wrong in bad.values() for image in (fine, wrong)])
    assert [answer["decision"] for answer in answers] == ["reject", None] * len(bad)
    for reason, answer in zip(bad, answers[1::2], strict=True):
        assert answer["error"].startswith(f"image: {reason}")
        assert "factory." not in answer["error"]


def wrapped(encoded: str, *, width: int = 76) -> str:
    """Base64 as mail programs and `base64` write it."""
    return "".join(f"{encoded[start : start + width]}\r\n" for start in range(0, len(encoded), width))


def test_base64_is_read_as_encoders_write_it(served: Any) -> None:
    plain = posted(bright())
    ways = [
        plain,
        f"{plain}\n",
        wrapped(plain),
        f"data:image/png;base64,{plain}",
        f"DATA:image/png;charset=x;BASE64,\n{wrapped(plain)}",
    ]
    answers = asked(served, ways)
    assert [(answer["decision"], answer["error"]) for answer in answers] == [("reject", None)] * len(ways)
    (unencoded,) = asked(served, ["data:image/svg+xml,%3Csvg%3E"])
    assert unencoded["error"].startswith("image: not base64")


def test_several_clients_at_once_get_the_answers_that_one_gets(served: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    requests = [[posted(bright() if place % 3 else np.zeros((40, 30), np.uint8))] for place in range(24)]
    requests[5] = ["not base64!"]

    def timeless(request: list[str]) -> dict[str, Any]:
        return {**asked(served, request)[0], "inference_ms": None}

    with ThreadPoolExecutor(4) as clients:
        together = list(clients.map(timeless, requests))
    assert together == [timeless(request) for request in requests]


def test_images_of_other_kinds_are_converted_as_the_dataset_is(served: Any) -> None:
    deep, palette = bright().astype(np.uint16) * 257, np.asarray(bright())
    stream = io.BytesIO()
    Image.fromarray(palette).convert("P").save(stream, "PNG")
    answers = asked(served, [posted(deep), base64.b64encode(stream.getvalue()).decode(), posted(bright(), "TIFF")])
    assert [(answer["decision"], answer["boxes"]) for answer in answers] == [("reject", [[16, 8, 4, 4]])] * 3
