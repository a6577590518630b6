"""The detector: a timm encoder, a light top-down decoder for the defect's place, and a head for its class.

The decoder follows feature pyramid networks (Lin et al., 2017); sub-pixel convolution (Shi et al., 2016) brings its
stride-4 map to the heat map's stride at almost no cost. The head pools features where the heat map points, beside
global pooling, so what it attended to can be shown. Only raw scores leave the graph: thresholds live beside it.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from twinloop.config import Invalid, parse
from twinloop.errors import InputError
from twinloop.files import atomic, write_json
from twinloop.vision.models.encoders import Encoder
from twinloop.vision.models.settings import ModelSettings

WEIGHTS_FILE = "weights.safetensors"
MODEL_FILE = "model.json"
FORMAT = 1
DECODER_STRIDE = 4
RARE = 0.02


class Decoder(nn.Module):
    """Adds each coarser feature map to the next finer one: list of [N, C_i, h_i, w_i] → [N, width, H/4, W/4]."""

    def __init__(self, channels: Sequence[int], *, width: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        self.smooth = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        merged: Tensor = self.laterals[-1](maps[-1])
        for lateral, level in zip(reversed(self.laterals[:-1]), reversed(maps[:-1]), strict=True):
            merged = lateral(level) + functional.interpolate(merged, size=level.shape[-2:], mode="nearest")
        smoothed: Tensor = self.smooth(merged)
        return smoothed


class Detector(nn.Module):
    """Says which defect an image shows and where.

    forward(images [N, C, size, size] float in 0…1) → (class logits [N, K], "good" first;
    heat [N, 1, size/stride, size/stride], the logit that a place is defective). Normalisation is inside.
    """

    def __init__(self, settings: ModelSettings, *, classes: Sequence[str], size: int, channels: int) -> None:
        super().__init__()
        if len(classes) < 2 or classes[0] != "good":
            raise InputError(f'classes = {list(classes)}: expected "good" first and at least one defect class')
        if size < 32 or size % DECODER_STRIDE or channels not in (1, 3):
            raise InputError(
                f"images of {size} px with {channels} channels: expected a multiple of 4 from 32 on, 1 or 3 channels"
            )
        self.settings, self.classes, self.size, self.channels = settings, tuple(classes), size, channels
        self.encoder = Encoder(settings, size=size, channels=channels)
        self.decoder = Decoder(self.encoder.channels, width=settings.decoder_width)
        self.enlarge = DECODER_STRIDE // settings.heat_stride
        self.heat = nn.Conv2d(settings.decoder_width, self.enlarge**2, 1)
        pooled = settings.decoder_width + self.encoder.channels[-1] + 1
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(pooled, len(classes)))
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.full((1, channels, 1, 1), 0.5))
        self.register_buffer("std", torch.full((1, channels, 1, 1), 0.25))
        # Defective pixels are rare: starting there spares the first epochs the unlearning of "everywhere".
        nn.init.constant_(_bias(self.heat), float(torch.logit(torch.tensor(RARE))))

    def normalise_to(self, mean: Tensor, std: Tensor) -> None:
        """Set the mean and deviation of the training images per channel, in 0…1; shape [channels] each."""
        self.mean.copy_(mean.reshape(self.mean.shape))
        self.std.copy_(std.clamp_min(1e-3).reshape(self.std.shape))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features, deepest, heat = self._look(images)
        attended = (features * _attention(heat, self.enlarge)).sum(dim=(2, 3))
        pooled = torch.cat([attended, deepest.mean(dim=(2, 3)), heat.amax(dim=(2, 3))], dim=1)
        return self.head(pooled), heat

    def attention(self, images: Tensor) -> Tensor:
        """Where the class was read from: weights [N, 1, size/4, size/4] that sum to one per image."""
        return _attention(self._look(images)[2], self.enlarge)

    def _look(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = self.encoder((images - self.mean) / self.std)
        features = self.decoder(maps)
        heat = self.heat(features)
        if self.enlarge > 1:
            heat = functional.pixel_shuffle(heat, self.enlarge)
        return features, maps[-1], heat


def _attention(heat: Tensor, enlarge: int) -> Tensor:
    coarse = functional.avg_pool2d(heat, enlarge) if enlarge > 1 else heat
    return coarse.flatten(2).softmax(dim=2).reshape(coarse.shape)


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def parameters(model: nn.Module) -> int:
    """The number of trainable values."""
    return sum(tensor.numel() for tensor in model.parameters() if tensor.requires_grad)


def save_detector(directory: str | Path, model: Detector) -> None:
    """Write weights.safetensors and model.json (settings, classes, size, channels) into `directory`."""
    folder = Path(directory)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with atomic(folder / WEIGHTS_FILE) as temporary:
        safetensors.torch.save_file(weights, temporary)
    description = {
        "format": FORMAT,
        "classes": list(model.classes),
        "size": model.size,
        "channels": model.channels,
        "parameters": parameters(model),
        "settings": json.loads(json.dumps(dataclasses.asdict(model.settings))),
    }
    write_json(folder / MODEL_FILE, description)


def load_detector(directory: str | Path) -> Detector:
    """The saved detector, on the CPU, in evaluation mode.

    Only safetensors and JSON are read, which cannot hold code. Raises InputError for anything else.
    """
    folder = Path(directory)
    described = _description(folder / MODEL_FILE)
    path = folder / WEIGHTS_FILE
    try:
        weights = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(
            f"{path}: expected safetensors weights, got {_first_line(error)}; pickled checkpoints are refused, "
            "they may run code; train again to write it"
        ) from error
    try:
        settings = parse(ModelSettings, described["settings"] | {"weights": ""}, path=("settings",))
        model = Detector(settings, classes=described["classes"], size=described["size"], channels=described["channels"])
        model.load_state_dict(weights)
    except (Invalid, KeyError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{folder}: {MODEL_FILE} and {WEIGHTS_FILE} do not fit together ({_first_line(error)}); train again to "
            "write both"
        ) from error
    return model.eval()


def _description(path: Path) -> dict[str, Any]:
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected a detector's description in JSON, got {_first_line(error)}") from error
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise InputError(f"{path}: expected a detector's description of format {FORMAT}; train again to write it")
    return described


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
