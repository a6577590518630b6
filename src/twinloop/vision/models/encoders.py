"""timm encoders by name, stock or shrunk, as a pyramid of feature maps.

Each family knows what timm calls its widths and depths; nothing outside this registry can be named. Features come
out as [N, C, H, W] whatever the family's own layout is (Swin's is [N, H, W, C]). A family whose finest map is coarser
than stride 4 (ViT: all its blocks are at the patch's stride) gets one of stride 4 by sub-pixel convolution (Shi et
al., 2016), a simple feature pyramid in the sense of Li et al. (2022).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from twinloop.errors import InputError
from twinloop.vision.models.settings import STOCK_PATCH_PX, WEIGHTS_FROM_HUB, ModelSettings

FINEST_STRIDE = 4
VIT_DEPTH = 12
HUB_FILE = "model.safetensors"
PROBE_SEED = 0
Arguments = dict[str, Any]


@dataclass(frozen=True)
class Family:
    """How timm's own arguments follow from the settings and the image's side; its maps from index `first` are used."""

    arguments: Callable[[ModelSettings, int], Arguments]
    first: int = 0


def _resnet(settings: ModelSettings, size: int) -> Arguments:
    arguments: Arguments = {}
    if settings.width:
        arguments["channels"] = _doubling(settings.width)
        # The tiered stem of the "t" variants is the only one whose width timm lets free.
        if settings.encoder.endswith("t"):
            arguments["stem_width"] = max(8, settings.width // 2)
    if settings.depths:
        arguments["layers"] = settings.depths
    return arguments


def _convnext(settings: ModelSettings, size: int) -> Arguments:
    arguments: Arguments = {}
    if settings.width:
        arguments["dims"] = _doubling(settings.width)
    if settings.depths:
        arguments["depths"] = settings.depths
    return arguments


def _swin(settings: ModelSettings, size: int) -> Arguments:
    arguments: Arguments = {"img_size": size}
    if settings.width:
        arguments["embed_dim"] = settings.width
    if settings.depths:
        arguments |= {"depths": settings.depths, "num_heads": settings.heads}
    return arguments


def _vit(settings: ModelSettings, size: int) -> Arguments:
    depth, maps = settings.depths[0] if settings.depths else VIT_DEPTH, settings.maps
    arguments: Arguments = {
        "img_size": size,
        "patch_size": settings.patch_px or STOCK_PATCH_PX,
        "depth": depth,
        "out_indices": tuple(depth * (place + 1) // maps - 1 for place in range(maps)),
    }
    if settings.width:
        arguments["embed_dim"] = settings.width
    if settings.heads:
        arguments["num_heads"] = settings.heads[0]
    return arguments


def _efficientvit(settings: ModelSettings, size: int) -> Arguments:
    arguments: Arguments = {}
    if settings.width:
        arguments["widths"] = (max(8, settings.width // 2), *_doubling(settings.width))
    if settings.depths:
        arguments["depths"] = (1, *settings.depths)
    # At least one head in the third stage, the first with attention.
    if settings.width and settings.width < 8:
        arguments["head_dim"] = 4 * settings.width
    return arguments


def _fixed(settings: ModelSettings, size: int) -> Arguments:
    return {}


FAMILIES = {
    "resnet": Family(_resnet, first=1),
    "wide_resnet": Family(_resnet, first=1),
    "convnext": Family(_convnext),
    "swin": Family(_swin),
    "vit": Family(_vit),
    "efficientvit": Family(_efficientvit),
    "mobilenetv4": Family(_fixed, first=1),
    "tf_efficientnet": Family(_fixed, first=1),
}


class Encoder(nn.Module):
    """The stages of a timm model: forward([N, C, size, size]) gives one map [N, C_i, h_i, w_i] each, finest first.

    stages: which of them (1 is the finest), none for all of them, led by a map of stride 4.
    `body` is timm's module. `channels` and `strides` describe the maps, `mean` and `std` per image channel the
    normalisation that the weights expect. Weights of the registry that were not located are left out: what is built is
    the network that a saved detector's own weights fill. Raises InputError for weights that are missing, unsafe or do
    not fit.
    """

    def __init__(self, settings: ModelSettings, *, size: int, channels: int, stages: tuple[int, ...] = ()) -> None:
        super().__init__()
        family = next(family for prefix, family in FAMILIES.items() if settings.encoder.startswith(prefix))
        arguments: Arguments = {"in_chans": channels, "features_only": True} | family.arguments(settings, size)
        indices = arguments.get("out_indices", range(family.first, family.first + settings.maps))
        arguments["out_indices"] = tuple(indices[stage - 1] for stage in stages) if stages else tuple(indices)
        self.body = _body(settings, arguments)
        info: Any = self.body.feature_info
        _shorten(self.body, info.module_name()[-1])
        self._channels_last = str(getattr(self.body, "output_fmt", "NCHW")).endswith("NHWC")
        self.channels: tuple[int, ...] = tuple(info.channels())
        self.strides: tuple[int, ...] = tuple(info.reduction())
        self.mean, self.std = _normalisation(self.body, channels) if settings.weights else ((), ())
        self.finer: nn.Conv2d | None = None
        self._enlarge = self.strides[0] // FINEST_STRIDE
        if self._enlarge > 1 and not stages:
            finest = max(8, self.channels[0] // self._enlarge)
            self.finer = nn.Conv2d(self.channels[0], finest * self._enlarge**2, 1)
            self.channels, self.strides = (finest, *self.channels), (FINEST_STRIDE, *self.strides)

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = list(self.body(images))
        if self._channels_last:
            maps = [level.permute(0, 3, 1, 2).contiguous() for level in maps]
        return [functional.pixel_shuffle(self.finer(maps[0]), self._enlarge), *maps] if self.finer is not None else maps

    def unfuse(self) -> "Encoder":
        """Let attention modules compute their weights openly, so that timm.utils.AttentionExtract sees them.

        Fused attention never forms them, and the extractor's hooks on `attn_drop` then stay silent. The maps are the
        same up to rounding.
        """
        for module in self.body.modules():
            if hasattr(module, "fused_attn"):
                module.fused_attn = False  # type: ignore[assignment]
        return self


def _body(settings: ModelSettings, arguments: Arguments) -> nn.Module:
    if not settings.weights or (settings.pretrained and not settings.weights_file):
        return timm.create_model(settings.encoder, pretrained=False, **arguments)
    overlay = _source(settings.weights_file if settings.pretrained else settings.weights)
    remedy = "give weights of the same encoder, width and depths, or leave them out"
    # timm loads what fits and is silent about the rest: what still has its random start was not in the file.
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(PROBE_SEED)
        started = dict(timm.create_model(settings.encoder, pretrained=False, **arguments).named_parameters())
        torch.manual_seed(PROBE_SEED)
        try:
            body = timm.create_model(settings.encoder, pretrained=True, pretrained_cfg_overlay=overlay, **arguments)
        except (RuntimeError, OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"model.weights = {settings.weights}: cannot be had for {settings.encoder} ({first}); {remedy}"
            ) from error
    missing = [
        name
        for name, value in body.named_parameters()
        if value.ndim > 1 and torch.equal(value, started[name]) and bool(value.min() < value.max())
    ]
    if missing:
        raise InputError(
            f"model.weights = {settings.weights}: holds nothing for {len(missing)} tensors of {settings.encoder}, "
            f"such as {missing[0]}; {remedy}"
        )
    return body


def _shorten(body: nn.Module, last: str) -> None:
    """Leave out the blocks behind the last map, which timm would compute for nothing; last: the module of that map."""
    blocks, place = getattr(body, "blocks", None), last.removeprefix("blocks.")
    if isinstance(blocks, nn.Sequential) and place.isdecimal():
        body.blocks = blocks[: int(place) + 1]


def _source(weights: str) -> Arguments:
    if weights.startswith(WEIGHTS_FROM_HUB):
        # The file's name is given, or timm would fall back to a pickled one.
        return {"hf_hub_id": weights.removeprefix(WEIGHTS_FROM_HUB), "hf_hub_filename": HUB_FILE}
    if not Path(weights).is_file():
        raise InputError(f"model.weights = {weights}: no such file; give a .safetensors file or leave it empty")
    return {"file": weights}


def _normalisation(body: nn.Module, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    known: Any = body.pretrained_cfg
    mean, std = (tuple(float(value) for value in known[name]) for name in ("mean", "std"))
    # timm sums a stem's weights over the colours for grey images: the mean of the three is then the nearest.
    return (mean, std) if channels == 3 else ((sum(mean) / 3,), (sum(std) / 3,))


def _doubling(width: int) -> tuple[int, ...]:
    return tuple(width * 2**stage for stage in range(4))
