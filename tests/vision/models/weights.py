"""Weights in the manner of the registry for tests: of the real shapes and names, but of a seed."""

import hashlib
import io
from pathlib import Path

import pytest
import timm
import torch

from twinloop.learning.weights import Places, Weights
from twinloop.vision.models import published
from twinloop.vision.models.pretrained import located
from twinloop.vision.models.settings import ModelSettings

ENCODER = "tf_efficientnet_lite0"
FILE = "lite0.pth"
FROZEN = ModelSettings(
    encoder=ENCODER,
    width=None,
    weights="registry",
    size_px=64,
    decoder_width=16,
    heat_stride=4,
    image_score="both",
    dropout=0.0,
)


def publish(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a checkpoint under another implementation's names and let the registry know it; returns its folder."""
    torch.manual_seed(0)
    model = timm.create_model(ENCODER, pretrained=False)
    content = io.BytesIO()
    torch.save({f"_theirs.{name}": value for name, value in model.state_dict().items()}, content)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content.getvalue())
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    weights = Weights("Lite0", {FILE: digest}, package="no-such-package-of-weights", inside="models")
    monkeypatch.setitem(published.PUBLISHED, ENCODER, published.Published(weights, FILE))  # type: ignore[arg-type]
    return folder


def frozen(folder: Path, monkeypatch: pytest.MonkeyPatch, settings: ModelSettings = FROZEN) -> ModelSettings:
    """`settings` whose weights lie in `folder`."""
    return located(settings, Places(folder=publish(folder / "published", monkeypatch)), cache=folder / "cache")
