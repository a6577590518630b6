"""Registering the detector once per detector, without pickle."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.tracking.tiny import SIZE, export
from twinloop.errors import InputError
from twinloop.files import read_json, write_json
from twinloop.tracking.execution import Execution, find_or_create
from twinloop.tracking.serving import detector_digest, register, save, serve_command
from twinloop.tracking.store import Store

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
        return register(
            store, execution, name=NAME, exported=folder, operating_point=operating_point, card="# The detector"
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
    save(tmp_path / "model", exported=exported, operating_point=point)
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
    save(tmp_path / "model", exported=exported, operating_point=point)
    kept = {path.name for path in (tmp_path / "model" / "artifacts").rglob("*") if path.is_file()}
    assert kept == {"detector_fp32.onnx", "spec.json", "operating_point.json"}


def test_without_an_export_the_command_to_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"spec\.json: no such file: run the export and evaluate stages first"):
        detector_digest(tmp_path, tmp_path / "operating_point.json")


def test_the_model_is_served_on_loopback() -> None:
    command = serve_command(NAME, 3, port=5099)
    assert command[command.index("-m", 3) + 1] == "models:/factory-detector/3"
    assert command[command.index("-h") + 1] == "127.0.0.1"


def test_an_answer_is_what_the_detector_finds(tmp_path: Path) -> None:
    import base64
    import io

    from twinloop.tracking.served_detector import answer, refused
    from twinloop.vision.inference.predict import OnnxDetector

    exported, point = export(tmp_path / "one")
    pixels = np.full((SIZE, SIZE), 60, np.uint8)
    pixels[8:12, 16:20] = 250
    found = answer(OnnxDetector(exported, operating_point=point).predict(pixels))
    assert (found["defect_type"], found["decision"], found["boxes"]) == ("pit", "reject", [[16, 8, 4, 4]])
    heat = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["heat_map"]))))
    assert heat.shape == (SIZE // 4, SIZE // 4)
    assert np.unravel_index(heat.argmax(), heat.shape) == (2, 4)
    assert refused("why").keys() == found.keys()
