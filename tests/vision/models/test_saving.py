import json
import pickle
from pathlib import Path

import pytest
import torch

from tests.vision.models.networks import CLASSES, SHRUNK, detector
from twinloop.errors import InputError
from twinloop.vision.models.base import SurfaceDetector, parameters
from twinloop.vision.models.one_class import OneClassDetector
from twinloop.vision.models.saving import load_detector, save_detector
from twinloop.vision.models.settings import ModelSettings

KINDS = {
    "supervised": SHRUNK["resnet"],
    "simulated": ModelSettings(kind="simulated", width=8, decoder_width=8),
    "ensemble": ModelSettings(width=8, decoder_width=8, members=2),
    "patchcore": ModelSettings(kind="patchcore", width=8, bank_patches=50),
    # Six images of 64 places give a smaller bank than the settings allow.
    "patchcore of few": ModelSettings(kind="patchcore", width=8, bank_patches=5000),
    "padim": ModelSettings(kind="padim", width=8, gaussian_dims=8),
}


def made(name: str) -> SurfaceDetector:
    model = detector(KINDS[name])
    if isinstance(model, OneClassDetector):
        random = torch.Generator().manual_seed(1)
        model.fit([torch.rand(6, 1, 32, 32, generator=random)], held_out=[torch.rand(3, 1, 32, 32)], seed=0)
    return model


@pytest.mark.parametrize("name", [*KINDS, *(family for family in SHRUNK if family != "resnet")])
def test_a_saved_detector_comes_back_whole(name: str, tmp_path: Path) -> None:
    model = made(name) if name in KINDS else detector(SHRUNK[name])
    save_detector(tmp_path, model)
    loaded = load_detector(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "weights.safetensors"]
    assert (type(loaded), loaded.settings, loaded.training) == (type(model), model.settings, False)
    assert (loaded.classes, loaded.size, loaded.channels) == (CLASSES, 32, 1)
    images = torch.rand(3, 1, 32, 32)
    for mine, theirs in zip(model(images), loaded(images), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize(("name", "names_defects"), [("ensemble", True), ("simulated", False), ("padim", False)])
def test_the_description_says_what_the_detector_is(name: str, names_defects: bool, tmp_path: Path) -> None:
    model = made(name)
    save_detector(tmp_path, model)
    described = json.loads((tmp_path / "model.json").read_text())
    assert described["kind"] == model.settings.kind
    assert described["names_defects"] is names_defects
    assert described["classes"] == list(CLASSES)
    assert described["parameters"] == parameters(model)


def test_saving_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_detector(tmp_path / name, detector())
    assert (tmp_path / "a/weights.safetensors").read_bytes() == (tmp_path / "b/weights.safetensors").read_bytes()


def test_a_detector_that_was_not_fitted_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="padim: this detector was not fitted"):
        save_detector(tmp_path, detector(KINDS["padim"]))
    assert not list(tmp_path.iterdir())


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
    ("change", "reason"),
    [
        ({"format": 99}, "expected a detector's description of format 2"),
        ({"classes": ["good", "crack"]}, r"2 of \d+ tensors differ, such as head.1.bias: expected \[2\], found \[3\]"),
        ({"classes": ["crack", "good"]}, 'expected "good" first'),
        ({"settings": {"encoder": "os.system"}}, "settings.encoder = 'os.system': expected one of '"),
        ({"settings": {"width": 12}}, r"tensors differ, such as decoder"),
        ({"size": "32"}, "not supported"),
        ({"kind": "patchcore"}, "kind is 'patchcore' and settings.kind 'supervised'"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    save_detector(tmp_path, detector())
    described = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(described | change))
    with pytest.raises(InputError, match=f"{reason}.*train again"):
        load_detector(tmp_path)


@pytest.mark.parametrize("key", ["kind", "classes", "size", "channels", "settings"])
def test_a_description_with_a_gap_names_it(tmp_path: Path, key: str) -> None:
    save_detector(tmp_path, detector())
    described = json.loads((tmp_path / "model.json").read_text())
    del described[key]
    (tmp_path / "model.json").write_text(json.dumps(described))
    with pytest.raises(InputError, match=f"{key} is missing"):
        load_detector(tmp_path)


@pytest.mark.parametrize("other", ["convnext", "swin", "simulated", "ensemble", "patchcore", "padim"])
def test_weights_of_another_architecture_or_kind_are_refused(tmp_path: Path, other: str) -> None:
    save_detector(tmp_path, detector())
    save_detector(tmp_path / "other", made(other) if other in KINDS else detector(SHRUNK[other]))
    (tmp_path / "other/weights.safetensors").replace(tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match=r"do not fit together \(\d+ of \d+ tensors differ, such as .*\); train again"):
        load_detector(tmp_path)


def test_a_folder_without_a_detector_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=str(tmp_path)):
        load_detector(tmp_path)
