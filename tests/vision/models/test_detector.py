import json
import pickle
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import safetensors.torch
import torch

from twinloop.errors import InputError
from twinloop.vision.models.detector import Detector, load_detector, parameters, save_detector
from twinloop.vision.models.encoders import Encoder
from twinloop.vision.models.settings import ModelSettings

CLASSES = ("good", "crack", "pit")
SHRUNK = {
    "resnet": ModelSettings(width=8, decoder_width=8),
    "convnext": ModelSettings(encoder="convnext_atto", width=8, depths=(1, 1, 1, 1), decoder_width=8),
    "swin": ModelSettings(
        encoder="swin_tiny_patch4_window7_224", width=16, depths=(1, 1), heads=(1, 2), decoder_width=8
    ),
}


def detector(settings: ModelSettings = SHRUNK["resnet"], *, size: int = 32, channels: int = 1) -> Detector:
    torch.manual_seed(0)
    return Detector(settings, classes=CLASSES, size=size, channels=channels).eval()


@pytest.mark.parametrize("family", sorted(SHRUNK))
@pytest.mark.parametrize("channels", [1, 3])
def test_every_family_gives_one_logit_per_class_and_a_heat_map(family: str, channels: int) -> None:
    logits, heat = detector(SHRUNK[family], size=64, channels=channels)(torch.rand(2, channels, 64, 64))
    assert logits.shape == (2, 3)
    assert heat.shape == (2, 1, 32, 32)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_the_heat_map_has_the_configured_stride(stride: int) -> None:
    settings = ModelSettings(width=8, decoder_width=8, heat_stride=stride)
    assert detector(settings, size=36)(torch.rand(1, 1, 36, 36))[1].shape[-1] == 36 // stride


def test_width_none_builds_the_stock_encoder() -> None:
    encoder = Encoder(ModelSettings(width=None), size=64, channels=3)
    assert encoder.channels == (64, 128, 256, 512)
    assert encoder.strides == (4, 8, 16, 32)
    # timm publishes 5.44 million parameters for resnet10t, a classifier of 1000 classes included.
    assert round((parameters(encoder) + 513 * 1000) / 1e6, 2) == 5.44


def test_an_image_is_judged_alike_alone_and_in_company() -> None:
    model, images = detector(), torch.rand(3, 1, 32, 32)
    together, alone = model(images), model(images[1:2])
    torch.testing.assert_close(together[0][1:2], alone[0])
    torch.testing.assert_close(together[1][1:2], alone[1])


def test_attention_is_where_the_heat_is_and_sums_to_one() -> None:
    model, images = detector(), torch.rand(2, 1, 32, 32)
    attention, heat = model.attention(images), model(images)[1]
    assert attention.shape == (2, 1, 8, 8)
    torch.testing.assert_close(attention.sum(dim=(1, 2, 3)), torch.ones(2))
    coarse = torch.nn.functional.avg_pool2d(heat, 2)
    assert attention.flatten(1).argmax(1).tolist() == coarse.flatten(1).argmax(1).tolist()


def test_normalisation_is_inside_the_model() -> None:
    model, images = detector(), torch.rand(2, 1, 32, 32)
    model.normalise_to(torch.tensor([0.5]), torch.tensor([0.25]))
    before = model(images)[0]
    model.normalise_to(torch.tensor([0.25]), torch.tensor([0.125]))
    torch.testing.assert_close(model(images / 2)[0], before)


@pytest.mark.parametrize(
    ("classes", "size", "channels"),
    [(("crack", "good"), 32, 1), (("good",), 32, 1), (CLASSES, 30, 1), (CLASSES, 16, 1), (CLASSES, 32, 2)],
)
def test_impossible_detectors_are_refused(classes: tuple[str, ...], size: int, channels: int) -> None:
    with pytest.raises(InputError, match="expected"):
        Detector(SHRUNK["resnet"], classes=classes, size=size, channels=channels)


def test_a_saved_detector_comes_back_whole(tmp_path: Path) -> None:
    model, images = detector(SHRUNK["convnext"]), torch.rand(2, 1, 32, 32)
    save_detector(tmp_path, model)
    loaded = load_detector(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "weights.safetensors"]
    assert (loaded.classes, loaded.size, loaded.settings) == (CLASSES, 32, SHRUNK["convnext"])
    assert not loaded.training
    for mine, theirs in zip(model(images), loaded(images), strict=True):
        assert torch.equal(mine, theirs)


def test_saving_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_detector(tmp_path / name, detector())
    assert (tmp_path / "a/weights.safetensors").read_bytes() == (tmp_path / "b/weights.safetensors").read_bytes()


class Gadget:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("/tmp/never-to-be-seen"),)


@pytest.mark.parametrize("content", [pickle.dumps(Gadget()), b"", b"\x00" * 64], ids=["pickle", "empty", "zeros"])
def test_weights_that_are_no_safetensors_are_refused(tmp_path: Path, content: bytes) -> None:
    save_detector(tmp_path, detector())
    (tmp_path / "weights.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"expected safetensors weights, .* pickled checkpoints are refused"):
        load_detector(tmp_path)
    assert not Path("/tmp/never-to-be-seen").exists()


def test_a_torch_checkpoint_in_the_weights_place_is_refused(tmp_path: Path) -> None:
    save_detector(tmp_path, detector())
    torch.save(detector().state_dict(), tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="pickled checkpoints are refused"):
        load_detector(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"classes": ["good", "crack"]},
        {"settings": {"encoder": "os.system"}},
        {"settings": {"width": 12}},
        {"size": "32"},
    ],
)
def test_a_description_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    save_detector(tmp_path, detector())
    described = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(described | change))
    with pytest.raises(InputError, match="train again"):
        load_detector(tmp_path)


def test_a_folder_without_a_detector_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=str(tmp_path)):
        load_detector(tmp_path)


def test_local_weights_of_the_same_encoder_are_taken(tmp_path: Path) -> None:
    donor = Encoder(SHRUNK["resnet"], size=32, channels=1)
    path = tmp_path / "encoder.safetensors"
    safetensors.torch.save_file(donor.body.state_dict(), path)
    settings = ModelSettings(width=8, decoder_width=8, weights=str(path))
    taken = Encoder(settings, size=32, channels=1)
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(donor.parameters(), taken.parameters(), strict=True))


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_weights_that_cannot_be_read_are_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "encoder.safetensors"
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.weights = .*encoder\.safetensors"):
        Encoder(ModelSettings(width=8, weights=str(path)), size=32, channels=1)


def test_the_exported_graph_of_a_swin_takes_any_batch(tmp_path: Path) -> None:
    model, path = detector(SHRUNK["swin"], size=64), tmp_path / "detector.onnx"
    batch = torch.export.Dim("batch", min=1, max=256)
    torch.onnx.export(
        model, (torch.rand(2, 1, 64, 64),), path, dynamo=True, dynamic_shapes=({0: batch},), verbose=False
    )
    images = torch.rand(5, 1, 64, 64)
    session = onnxruntime.InferenceSession(path)
    results = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    for ours, theirs in zip(model(images), results, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs, atol=1e-5)
