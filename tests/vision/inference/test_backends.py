from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.synthetic_graph import CLASSES, learnt, spotted, write_detector, write_point
from twinloop.errors import InputError, RunError
from twinloop.files import sha256
from twinloop.learning.export import to_onnx
from twinloop.learning.spec import Spec
from twinloop.learning.tensorrt import obstacle
from twinloop.vision.graph import OUTPUTS, image_input
from twinloop.vision.inference.backends import OnnxBackend, Raw, TensorRTBackend, TorchBackend
from twinloop.vision.inference.predict import DeployedDetector
from twinloop.vision.models.registry import new_detector
from twinloop.vision.models.saving import WEIGHTS_FILE, save_detector
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.models.unlike import WatchedDetector

SIZE = 32
IMAGE = image_input(size=SIZE, channels=1)


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What train and export leave of an untrained detector: folders detector and onnx."""
    folder = tmp_path_factory.mktemp("loop")
    settings = ModelSettings(size_px=SIZE, width=4, decoder_width=8)
    model = new_detector(settings, classes=CLASSES, size=SIZE, channels=1, seed=0).eval()
    save_detector(folder / "detector", model)
    graph = folder / "onnx" / "detector_fp32.onnx"
    watched = WatchedDetector(model)
    watched.learn(np.random.default_rng(0).integers(0, 256, (40, SIZE, SIZE, 1), dtype=np.uint8))
    to_onnx(watched, (IMAGE,), path=graph, outputs=OUTPUTS, metadata={})
    watched.save(folder / "onnx")
    about = {
        "classes": list(CLASSES),
        "size": SIZE,
        "channels": 1,
        "names_defects": True,
        "unlike": learnt(limit=1e6),
        "weights_sha256": sha256(folder / "detector" / WEIGHTS_FILE),
    }
    Spec("fp32", {"fp32": graph.name}, {"fp32": sha256(graph)}, about, outputs=OUTPUTS).save(folder / "onnx")
    return folder


def test_pytorch_and_onnx_runtime_say_the_same(loop: Path, tmp_path: Path) -> None:
    point = write_point(tmp_path / "point.json", loop / "onnx")
    backends = (TorchBackend(loop / "detector", exported=loop / "onnx", device="cpu"), OnnxBackend(loop / "onnx"))
    assert backends[0].about == backends[1].about
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, shape, dtype=np.uint8) for shape in [(32, 32), (64, 48, 3), (20, 33)]]
    judged = [DeployedDetector(backend, operating_point=point).predict_batch(images) for backend in backends]
    for ours, theirs in zip(*judged, strict=True):
        assert (ours.defect_type, ours.decision, ours.boxes) == (theirs.defect_type, theirs.decision, theirs.boxes)
        assert ours.score == pytest.approx(theirs.score, abs=1e-4)
        assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-4)
        assert ours.heat == pytest.approx(theirs.heat, abs=1e-4)
        assert ours.unlike == pytest.approx(theirs.unlike, rel=1e-3)
    assert [DeployedDetector(backend).format for backend in backends] == ["torch", "fp32"]


def test_an_operating_point_needs_the_export_that_it_was_measured_on(loop: Path, tmp_path: Path) -> None:
    point = write_point(tmp_path / "point.json", loop / "onnx")
    with pytest.raises(InputError, match=r"this is a detector without a graph \(torch\)"):
        DeployedDetector(TorchBackend(loop / "detector"), operating_point=point)


def test_weights_that_were_not_exported_are_refused(loop: Path, tmp_path: Path) -> None:
    settings = ModelSettings(size_px=SIZE, width=4, decoder_width=8)
    save_detector(tmp_path, new_detector(settings, classes=CLASSES, size=SIZE, channels=1, seed=1))
    with pytest.raises(InputError, match=r"was exported from other weights than .*: export them again"):
        TorchBackend(tmp_path, exported=loop / "onnx")


def test_a_pickled_checkpoint_is_refused(loop: Path, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes((loop / "detector" / "model.json").read_bytes())
    torch.save({"weight": torch.zeros(1)}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(InputError, match="pickled checkpoints are refused"):
        TorchBackend(tmp_path)


def test_a_gpu_that_is_not_there_is_named(loop: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(RunError, match="expected an NVIDIA GPU for device cuda, found none: use device auto or cpu"):
        TorchBackend(loop / "detector", device="cuda")
    assert TorchBackend(loop / "detector").device == "cpu"


def test_a_graph_altered_after_export_is_refused(tmp_path: Path) -> None:
    folder = write_detector(tmp_path / "onnx")
    graph = folder / "detector_fp32.onnx"
    content = bytearray(graph.read_bytes())
    content[content.index(np.float32(-10).tobytes()) + 3] ^= 0x80  # the bias changes sign: still a valid graph
    graph.write_bytes(content)
    with pytest.raises(
        RunError, match=r"detector_fp32\.onnx: altered after export.*run the export stage again"
    ) as said:
        DeployedDetector(folder)
    assert "\n" not in str(said.value)


def test_a_format_that_is_listed_but_gone_is_named(tmp_path: Path) -> None:
    folder = write_detector(tmp_path / "onnx")
    (folder / "detector_fp32.onnx").unlink()
    with pytest.raises(InputError, match=r"detector_fp32\.onnx: no such file"):
        DeployedDetector(folder)


def test_tensorrt_says_why_it_cannot_run_or_agrees_with_onnx_runtime(loop: Path) -> None:
    reason = obstacle()
    if reason is not None:
        with pytest.raises(RunError, match=f"TensorRT cannot run here: {reason}: use the ONNX graph"):
            TensorRTBackend(loop / "onnx")
        return
    from twinloop.learning.export import to_fp16
    from twinloop.learning.tensorrt import build_engine

    folder = loop / "onnx"
    to_fp16(folder / "detector_fp32.onnx", folder / "detector_fp16.onnx")
    build_engine(folder / "detector_fp16.onnx", folder / "detector_fp16.engine", inputs=[IMAGE])
    batch = np.random.default_rng(0).random((70, 1, SIZE, SIZE), np.float32)
    for ours, theirs in zip(TensorRTBackend(folder)(batch), OnnxBackend(folder)(batch), strict=True):
        assert ours == pytest.approx(theirs, abs=0.1)


def test_a_detector_takes_any_backend(exported: Path) -> None:
    class Negated(OnnxBackend):
        def __call__(self, batch: np.ndarray) -> Raw:
            return super().__call__(1 - batch)

    bright = 255 - spotted()
    assert DeployedDetector(exported).predict(bright).boxes == ((0, 0, 32, 32),)
    assert DeployedDetector(Negated(exported)).predict(bright).boxes == ((16, 8, 8, 8),)


def test_a_spec_without_names_defects_names_them(exported: Path) -> None:
    assert "names_defects" not in Spec.load(exported).about
    assert OnnxBackend(exported).about.names_defects
