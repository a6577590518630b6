"""What the attention of a Swin or ViT encoder was spent on: rollout of its attention weights back to the image.

Attention rollout (Abnar and Zuidema 2020): heads averaged, half identity for the skip connection, layers multiplied.
Starting from equal shares of all last tokens, the shares are passed backwards as one map, so that no matrix over all
tokens is formed. Swin attends within windows, every second time shifted ones, and merges 2 × 2 tokens between stages:
each step is undone in its own grid. Says where features came from, not which of them spoke for a defect.
"""

from typing import Any

import torch
from timm.layers.attention import Attention
from timm.models.swin_transformer import WindowAttention
from timm.models.vision_transformer import VisionTransformer
from timm.utils.attention_extract import AttentionExtract
from torch import Tensor, nn
from torch.nn import functional

from twinloop.vision.models.detector import Detector


def has_attention(encoder: nn.Module) -> bool:
    """Whether rollout knows this encoder's attention."""
    return any(isinstance(module, WindowAttention | Attention) for module in encoder.modules())


def attention_rollout(detector: Detector, images: Tensor) -> Tensor:
    """Shares [N, h, w], sum 1 per image, of the encoder's patches in its last tokens; images [N, C, size, size] in 0…1.

    The detector's attention stays unfused afterwards.
    """
    encoder = detector.encoder.unfuse()
    with torch.inference_mode():
        maps = AttentionExtract(encoder, method="hook")(detector.normalised(images))
    # A hook sits at block.attn.attn_drop.
    blocks = [(encoder.get_submodule(name.rsplit(".", 2)[0]), weights.mean(dim=1)) for name, weights in maps.items()]
    vit = next((module for module in encoder.modules() if isinstance(module, VisionTransformer)), None)
    if vit is not None:
        return _through_tokens([weights for _, weights in blocks], prefix=vit.num_prefix_tokens)
    return _through_stages(blocks, count=len(images))


def _through_stages(blocks: list[tuple[Any, Tensor]], *, count: int) -> Tensor:
    height, width = blocks[-1][0].input_resolution
    shares = torch.full((count, height, width), 1 / (height * width))
    for block, weights in reversed(blocks):
        shares = unmerged(shares, block.input_resolution)
        shares = through_windows(shares, weights, window=block.window_size, shift=block.shift_size)
    # What went to padding at the borders is nobody's.
    return shares / shares.sum(dim=(1, 2), keepdim=True)


def through_windows(shares: Tensor, attention: Tensor, *, window: tuple[int, int], shift: tuple[int, int]) -> Tensor:
    """Pass shares [N, H, W] of a Swin block's outputs back to its inputs.

    attention: [N · windows, T, T], of tokens (rows) to tokens of the same window, as timm lays them out: rolled by
    −shift, padded at the lower right, cut into windows row by row.
    """
    height, width = shares.shape[1:]
    (rows, columns), (down, right) = window, shift
    rolled = torch.roll(shares, shifts=(-down, -right), dims=(1, 2))
    padded = functional.pad(rolled, (0, -width % columns, 0, -height % rows))
    across, along = padded.shape[1] // rows, padded.shape[2] // columns
    cut = padded.reshape(-1, across, rows, along, columns).transpose(2, 3).reshape(-1, rows * columns)
    passed = (cut + (cut[:, None] @ attention)[:, 0]) / 2
    joined = passed.reshape(-1, across, along, rows, columns).transpose(2, 3).reshape(padded.shape)
    return torch.roll(joined[:, :height, :width], shifts=(down, right), dims=(1, 2))


def unmerged(shares: Tensor, grid: tuple[int, int]) -> Tensor:
    """Give each of the 2 × 2 tokens that patch merging joined a quarter of their share; other grids are left alone."""
    if shares.shape[1:] == tuple(grid):
        return shares
    finer = shares.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)[:, : grid[0], : grid[1]]
    return finer / finer.sum(dim=(1, 2), keepdim=True)


def _through_tokens(layers: list[Tensor], *, prefix: int) -> Tensor:
    count, tokens, _ = layers[0].shape
    side = round((tokens - prefix) ** 0.5)
    shares = torch.zeros(count, tokens)
    shares[:, prefix:] = 1 / (tokens - prefix)
    for attention in reversed(layers):
        shares = (shares + (shares[:, None] @ attention)[:, 0]) / 2
    patches = shares[:, prefix:]
    return (patches / patches.sum(dim=1, keepdim=True)).reshape(count, side, side)
