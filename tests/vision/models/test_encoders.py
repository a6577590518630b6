import dataclasses
from pathlib import Path

import huggingface_hub.constants
import pytest
import safetensors.torch
import timm
import torch
from timm.utils.attention_extract import AttentionExtract

from tests.vision.models.networks import SHRUNK, TOLERANCE, detector, export_difference
from twinloop.errors import InputError
from twinloop.vision.models.base import parameters
from twinloop.vision.models.encoders import FAMILIES, Encoder
from twinloop.vision.models.settings import ModelSettings


@pytest.mark.parametrize("family", sorted(SHRUNK))
@pytest.mark.parametrize("channels", [1, 3])
def test_every_family_gives_one_logit_per_class_and_a_heat_map(family: str, channels: int) -> None:
    logits, heat = detector(SHRUNK[family], size=64, channels=channels)(torch.rand(2, channels, 64, 64))
    assert logits.shape == (2, 3)
    assert heat.shape == (2, 1, 32, 32)


@pytest.mark.parametrize("family", sorted(SHRUNK))
def test_maps_are_described_and_the_finest_has_stride_four(family: str) -> None:
    encoder = Encoder(SHRUNK[family], size=64, channels=1).eval()
    maps = encoder(torch.rand(2, 1, 64, 64))
    assert encoder.strides[0] == 4
    shapes = [
        (2, count, 64 // stride, 64 // stride) for count, stride in zip(encoder.channels, encoder.strides, strict=True)
    ]
    assert [tuple(level.shape) for level in maps] == shapes


@pytest.mark.parametrize("family", sorted(SHRUNK))
def test_the_exported_graph_takes_another_batch(family: str, tmp_path: Path) -> None:
    assert export_difference(detector(SHRUNK[family], size=64), tmp_path / "detector.onnx", batch=5) < TOLERANCE


@pytest.mark.parametrize("family", ["resnet", "swin", "vit"])
def test_a_chosen_stage_is_the_map_of_the_whole_encoder(family: str) -> None:
    torch.manual_seed(0)
    whole = Encoder(SHRUNK[family], size=32, channels=1).eval()
    torch.manual_seed(0)
    first = Encoder(SHRUNK[family], size=32, channels=1, stages=(1,)).eval()
    first.body.load_state_dict(whole.body.state_dict(), strict=False)
    images = torch.rand(1, 1, 32, 32)
    # A ViT's own maps follow the finer one that was made of them.
    torch.testing.assert_close(first(images)[0], whole(images)[1 if family == "vit" else 0])
    assert parameters(first) < parameters(whole)


def test_width_none_builds_the_stock_encoder() -> None:
    encoder = Encoder(ModelSettings(width=None), size=64, channels=3)
    assert encoder.channels == (64, 128, 256, 512)
    assert encoder.strides == (4, 8, 16, 32)
    # timm publishes 5.44 million parameters for resnet10t, a classifier of 1000 classes included.
    assert round((parameters(encoder) + 513 * 1000) / 1e6, 2) == 5.44


def test_the_stock_vit_has_its_twelve_blocks() -> None:
    encoder = Encoder(ModelSettings(encoder="vit_tiny_patch16_224", width=None), size=64, channels=3)
    assert encoder.strides == (4, 16, 16, 16, 16)
    # 5.72 million are published for 224 px: a norm, a classifier and 180 positions of 192 channels are not here.
    assert round((parameters(encoder.body) + 384 + 193 * 1000 + 180 * 192) / 1e6, 2) == 5.72


@pytest.mark.parametrize("family", ["swin", "vit"])
def test_unfused_attention_can_be_read_and_gives_the_same_maps(family: str) -> None:
    encoder = Encoder(SHRUNK[family], size=32, channels=1).eval()
    images = torch.rand(2, 1, 32, 32)
    before = encoder(images)
    assert encoder.unfuse() is encoder
    found = AttentionExtract(encoder, method="hook")(images)
    assert len(found) == sum(SHRUNK[family].depths)
    for weights in found.values():
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]))
    for fused, open_ in zip(before, encoder(images), strict=True):
        torch.testing.assert_close(fused, open_)


def saved(folder: Path, family: str = "resnet") -> Path:
    """Weights of a whole timm model, as hubs keep them."""
    torch.manual_seed(1)
    settings = SHRUNK[family]
    arguments = FAMILIES[family].arguments(settings, 32)
    arguments.pop("out_indices", None)
    path = folder / "model.safetensors"
    model = timm.create_model(settings.encoder, in_chans=1, num_classes=3, **arguments)
    safetensors.torch.save_file(model.state_dict(), path)
    return path


def holds(encoder: Encoder, path: Path) -> bool:
    """Whether every tensor of the encoder is in the file; timm's pyramids write stages_0 for stages.0."""
    given = {name.replace(".", "_"): value for name, value in safetensors.torch.load_file(path).items()}
    taken = {name.replace(".", "_").removeprefix("model_"): value for name, value in encoder.body.state_dict().items()}
    return all(torch.equal(value, given[name]) for name, value in taken.items())


def with_weights(family: str, source: str) -> ModelSettings:
    return dataclasses.replace(SHRUNK[family], weights=source)


@pytest.mark.parametrize("family", sorted(SHRUNK))
def test_local_weights_of_the_same_encoder_are_taken(tmp_path: Path, family: str) -> None:
    path = saved(tmp_path, family)
    encoder = Encoder(with_weights(family, str(path)), size=32, channels=1)
    assert holds(encoder, path)


def test_pretrained_weights_bring_their_normalisation(tmp_path: Path) -> None:
    model = detector(with_weights("resnet", str(saved(tmp_path))))
    # timm's ImageNet mean of red, green and blue, 0.485, 0.456 and 0.406, for grey images.
    assert model.mean.item() == pytest.approx(0.449)
    assert model.std.item() == pytest.approx(0.226)


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_weights_that_cannot_be_read_are_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "encoder.safetensors"
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.weights = .*encoder\.safetensors"):
        Encoder(with_weights("resnet", str(path)), size=32, channels=1)


@pytest.mark.parametrize(("family", "foreign"), [("resnet", "convnext"), ("swin", "resnet"), ("resnet", "mobilenetv4")])
def test_weights_of_another_encoder_are_not_passed_over_in_silence(tmp_path: Path, family: str, foreign: str) -> None:
    settings = with_weights(family, str(saved(tmp_path, foreign)))
    with pytest.raises(InputError, match=r"model\.weights = .*give weights of the same encoder"):
        Encoder(settings, size=32, channels=1)


def in_hub(folder: Path, family: str) -> None:
    """Lay out a hub cache as the hub's own client does, so that the weights are found without a network."""
    snapshot = folder / "models--owner--encoder/snapshots/0123456789abcdef"
    snapshot.mkdir(parents=True)
    saved(snapshot, family)
    (folder / "models--owner--encoder/refs").mkdir()
    (folder / "models--owner--encoder/refs/main").write_text(snapshot.name)


def test_weights_from_the_hub_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    in_hub(tmp_path, "resnet")
    encoder = Encoder(with_weights("resnet", "hf-hub:owner/encoder"), size=32, channels=1)
    assert holds(encoder, next(tmp_path.rglob("model.safetensors")))


def test_a_hub_out_of_reach_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=r"^model\.weights = hf-hub:owner/none: cannot be had .* leave them out$"):
        Encoder(with_weights("resnet", "hf-hub:owner/none"), size=32, channels=1)
