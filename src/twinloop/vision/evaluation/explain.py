"""Does the detector look where the defect is? Heat maps held against pixel masks, and what the head attended to.

A map is worth something only beside a map that knows nothing: a blob in the middle of the image finds many defects too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError

Maps = NDArray[np.floating]
Masks = NDArray[np.uint8]


@dataclass(frozen=True)
class Localisation:
    """How well maps lie on masks, averaged over images.

    pointing: share of images whose hottest pixel lies on the defect (pointing game, Zhang et al. 2018).
    energy: share of a map's total heat that lies on the defect. iou: overlap of the map above the threshold with the
    mask. images: how many were judged.
    """

    pointing: float
    energy: float
    iou: float
    images: int


def localisation(maps: Maps, masks: Masks, *, threshold: float) -> Localisation:
    """Hold probability maps [N, H, W] against masks [N, H, W] in {0, 1}; images with an empty mask are left out.

    Raises InputError where shapes differ or every mask is empty.
    """
    if maps.shape != masks.shape:
        raise InputError(f"explain: expected maps of the masks' shape {masks.shape}, got {maps.shape}")
    known = masks.reshape(len(masks), -1).any(axis=1)
    if not known.any():
        raise InputError("explain: expected at least one mask with a defect, all are empty")
    heat = maps[known].reshape(known.sum(), -1).astype(np.float64)
    truth = masks[known].reshape(known.sum(), -1) > 0
    hot = heat >= threshold
    hottest = truth[np.arange(len(heat)), heat.argmax(axis=1)]
    total = heat.sum(axis=1)
    energy = np.where(total > 0, (heat * truth).sum(axis=1) / np.where(total > 0, total, 1), 0.0)
    overlap = (hot & truth).sum(axis=1) / (hot | truth).sum(axis=1)
    return Localisation(
        pointing=float(hottest.mean()), energy=float(energy.mean()), iou=float(overlap.mean()), images=len(heat)
    )


def centre_blob(shape: tuple[int, int, int], *, width: float = 0.25) -> NDArray[np.float64]:
    """The map that knows nothing: for each of N images [N, H, W] a Gaussian in the middle, peak 1.

    width: its standard deviation as a share of the image's sides.
    """
    count, height, across = shape
    down = (np.arange(height) + 0.5) / height - 0.5
    right = (np.arange(across) + 0.5) / across - 0.5
    blob = np.exp(-(down[:, None] ** 2 + right**2) / (2 * width**2))
    return np.broadcast_to(blob, (count, height, across))


def attention(heat: Maps, *, size: int, stride: int = 4) -> NDArray[np.float64]:
    """Where the class was read from: weights [N, size/stride, size/stride], sum 1, from heat logits [N, h, w].

    The detector's head pools features by the softmax of its heat at the decoder's stride (see `vision.models`).
    """
    side = size // stride
    block = heat.shape[-1] // side
    coarse = heat.reshape(len(heat), side, block, side, block).mean(axis=(2, 4)).reshape(len(heat), -1)
    weights = np.exp(coarse - coarse.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = (weights / weights.sum(axis=1, keepdims=True)).reshape(-1, side, side)
    return result
