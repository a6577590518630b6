"""timm encoders by name, stock or shrunk, as a pyramid of feature maps.

Each family knows what timm calls its widths and depths; nothing outside this registry can be named. Features come
out as [N, C, H, W] whatever the family's own layout is (Swin's is [N, H, W, C]).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors
import timm
from torch import Tensor, nn

from twinloop.errors import InputError
from twinloop.vision.models.settings import WEIGHTS_FROM_HUB, ModelSettings

RESNET_STOCK_STEM = 64


def _resnet(settings: ModelSettings, size: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if settings.width:
        arguments["channels"] = tuple(settings.width * 2**stage for stage in range(4))
        # The tiered stem of the "t" variants is the only one whose width timm lets free.
        if settings.encoder.endswith("t"):
            arguments["stem_width"] = max(8, settings.width // 2)
    if settings.depths:
        arguments["layers"] = settings.depths
    return arguments


def _convnext(settings: ModelSettings, size: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if settings.width:
        arguments["dims"] = tuple(settings.width * 2**stage for stage in range(4))
    if settings.depths:
        arguments["depths"] = settings.depths
    return arguments


def _swin(settings: ModelSettings, size: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {"img_size": size}
    if settings.width:
        arguments["embed_dim"] = settings.width
    if settings.depths:
        arguments["depths"] = settings.depths
        arguments["num_heads"] = settings.heads
    return arguments


FAMILIES: dict[str, Callable[[ModelSettings, int], dict[str, Any]]] = {
    "resnet": _resnet,
    "convnext": _convnext,
    "swin": _swin,
}


class Encoder(nn.Module):
    """The stages of a timm model from stride 4 on: forward([N, C, H, W]) gives one feature map per stage.

    `channels` and `strides` describe the maps, `mean` and `std` the normalisation that the weights expect.
    Raises InputError when the named weights are missing, unsafe or do not fit.
    """

    def __init__(self, settings: ModelSettings, *, size: int, channels: int) -> None:
        super().__init__()
        family = next(build for prefix, build in FAMILIES.items() if settings.encoder.startswith(prefix))
        arguments = family(settings, size) | _weights(settings.weights)
        try:
            self.body = timm.create_model(settings.encoder, features_only=True, in_chans=channels, **arguments)
        except (RuntimeError, OSError, ValueError, safetensors.SafetensorError) as error:
            if not settings.weights:
                raise
            first = str(error).splitlines()[0]
            raise InputError(
                f"model.weights = {settings.weights}: cannot be put into {settings.encoder} ({first}); give weights of "
                "the same encoder, width and depths, or leave them out"
            ) from error
        info: Any = self.body.feature_info
        self._kept = [index for index, stride in enumerate(info.reduction()) if stride >= 4]
        self._channels_last = str(getattr(self.body, "output_fmt", "NCHW")).endswith("NHWC")
        self.channels: tuple[int, ...] = tuple(info.channels()[index] for index in self._kept)
        self.strides: tuple[int, ...] = tuple(info.reduction()[index] for index in self._kept)

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = self.body(images)
        kept = [maps[index] for index in self._kept]
        return [level.permute(0, 3, 1, 2).contiguous() for level in kept] if self._channels_last else kept


def _weights(source: str) -> dict[str, Any]:
    if not source:
        return {"pretrained": False}
    if source.startswith(WEIGHTS_FROM_HUB):
        return {"pretrained": True, "pretrained_cfg_overlay": {"hf_hub_id": source.removeprefix(WEIGHTS_FROM_HUB)}}
    if not Path(source).is_file():
        raise InputError(f"model.weights = {source}: no such file; give a .safetensors file or leave it empty")
    return {"pretrained": True, "pretrained_cfg_overlay": {"file": source}}
