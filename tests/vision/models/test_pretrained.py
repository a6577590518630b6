"""Weights of the registry are read once, kept as safetensors, and used as they were published."""

import dataclasses
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

from tests.vision.models.networks import TOLERANCE, detector, export_difference
from tests.vision.models.weights import ENCODER, FILE, FROZEN, frozen, publish
from twinloop.errors import LONGEST, InputError, RunError
from twinloop.learning.weights import Places
from twinloop.vision.models.encoders import Encoder
from twinloop.vision.models.pretrained import in_order, located, require_located
from twinloop.vision.models.published import PUBLISHED, is_at_hand, kept
from twinloop.vision.models.saving import load_detector, save_detector
from twinloop.vision.models.settings import ModelSettings


def test_the_encoder_has_the_published_numbers_under_timms_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = frozen(tmp_path, monkeypatch)
    theirs = list(torch.load(tmp_path / "published" / FILE, weights_only=True).values())
    body = detector(settings, size=64, channels=3).encoder.body.state_dict()
    assert torch.equal(body["conv_stem.weight"], theirs[0])
    names = list(timm.create_model(ENCODER).state_dict())
    for name, value in body.items():
        assert torch.equal(value, theirs[names.index(name)]), name


def test_they_are_read_once_and_then_come_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = frozen(tmp_path, monkeypatch)
    (tmp_path / "published" / FILE).unlink()
    assert located(FROZEN, Places(), cache=tmp_path / "cache") == first
    assert Path(first.weights_file).suffix == ".safetensors"


def test_a_kept_file_that_was_altered_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(frozen(tmp_path, monkeypatch).weights_file)
    before = path.read_bytes()
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    assert kept(PUBLISHED[ENCODER], tmp_path / "cache") is None
    located(FROZEN, Places(folder=tmp_path / "published"), cache=tmp_path / "cache")
    assert path.read_bytes() == before


def test_a_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = publish(tmp_path / "mine", monkeypatch)
    settings = dataclasses.replace(FROZEN, weights=f"registry:{folder}")
    assert located(settings, Places(), cache=tmp_path / "cache").weights_file


def test_a_file_of_another_digest_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = publish(tmp_path / "mine", monkeypatch)
    (folder / FILE).write_bytes(b"other weights")
    with pytest.raises(RunError, match=r"lite0\.pth is not what was published.*choose factory/weights=none") as refused:
        located(FROZEN, Places(folder=folder, remedy="choose factory/weights=none"), cache=tmp_path / "cache")
    assert len(str(refused.value)) <= LONGEST
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "cache").exists()


def test_a_missing_package_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path / "mine", monkeypatch)
    assert not is_at_hand(ENCODER)
    with pytest.raises(RunError, match="package no-such-package-of-weights is not installed"):
        located(FROZEN, Places(), cache=tmp_path / "cache")


def test_weights_that_nobody_looked_for_are_never_random_numbers() -> None:
    with pytest.raises(InputError, match=r"model\.weights = registry: expected the file"):
        require_located(FROZEN)
    require_located(ModelSettings())


def test_another_networks_tensors_are_refused() -> None:
    with pytest.raises(RunError, match="expected 1 tensors"):
        in_order({"a": torch.zeros(3)}, {"b": torch.zeros(2)})


def test_what_the_package_ships_fits_the_encoder(tmp_path: Path) -> None:
    if not is_at_hand(ENCODER):
        pytest.skip(f"package {PUBLISHED[ENCODER].weights.package} is not installed")
    settings = located(FROZEN, Places(), cache=tmp_path)
    weights = safetensors.torch.load_file(settings.weights_file)
    # Each of the published encoder's filters, summed over colours, is what it makes of grey images.
    stem = Encoder(settings, size=64, channels=1).body.state_dict()["conv_stem.weight"]
    torch.testing.assert_close(stem, weights["conv_stem.weight"].sum(dim=1, keepdim=True))


def test_a_frozen_detector_is_exported_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = detector(frozen(tmp_path, monkeypatch), size=64)
    assert export_difference(model, tmp_path / "detector.onnx", batch=3) < TOLERANCE
    assert model.mean.flatten()[0] == 0.5
    assert not any(parameter.requires_grad for parameter in model.encoder.parameters())


def test_a_saved_one_needs_no_package_and_names_no_place_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = detector(frozen(tmp_path, monkeypatch), size=64)
    save_detector(tmp_path / "model", model)
    loaded = load_detector(tmp_path / "model")
    images = torch.rand(2, 1, 64, 64)
    for one, other in zip(model(images), loaded(images), strict=True):
        assert torch.equal(one, other)
    assert str(tmp_path) not in (tmp_path / "model/model.json").read_text()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"encoder": "resnet18"}, "the registry has no weights of resnet18"),
        ({"members": 2}, "members must be 1"),
        ({"heat_stride": 2}, "heat_stride must be 4"),
        ({"weights": "lite0.pth"}, "expected registry, a .safetensors file"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        dataclasses.replace(FROZEN, **changes)  # type: ignore[arg-type]
