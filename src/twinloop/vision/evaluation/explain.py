"""Does a map of where the detector looks lie on the defect? Scores per image, and the maps that know nothing.

A map is worth something only beside one that knows nothing: a blob in the middle of the image finds many defects too.
Pointing game and energy follow Zhang et al. (2018) and Wang et al. (2020).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.vision.evaluation.settings import Method
from twinloop.vision.scores import probability, upscale

Floats = NDArray[np.float64]
Maps = NDArray[np.floating]
Masks = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class OnMask:
    """How maps lie on masks, one value per image [N].

    pointing: 1 where the hottest pixel lies on the defect (pointing game). energy: share of the map's total heat that
    lies on the defect.
    """

    pointing: Floats
    energy: Floats


@dataclass(frozen=True)
class Localisation:
    """The same averaged over images, and iou: overlap of the map above the threshold with the mask."""

    pointing: float
    energy: float
    iou: float
    images: int


def on_mask(maps: Maps, masks: Masks) -> OnMask:
    """Hold maps [N, H, W] ≥ 0 against masks [N, H, W] in {0, 1}. Raises InputError where shapes differ."""
    if maps.shape != masks.shape:
        raise InputError(f"explain: expected maps of the masks' shape {masks.shape}, got {maps.shape}")
    heat, truth = maps.reshape(len(maps), -1).astype(np.float64), masks.reshape(len(masks), -1) > 0
    total = heat.sum(axis=1)
    inside = (heat * truth).sum(axis=1)
    return OnMask(
        pointing=truth[np.arange(len(heat)), heat.argmax(axis=1)].astype(np.float64),
        energy=np.divide(inside, total, out=np.zeros_like(total), where=total > 0),
    )


def localisation(maps: Maps, masks: Masks, *, threshold: float) -> Localisation:
    """Averages over the images whose mask is not empty; maps hold probabilities.

    Raises InputError where shapes differ or every mask is empty.
    """
    known = masks.reshape(len(masks), -1).any(axis=1)
    if not known.any():
        raise InputError("explain: expected at least one mask with a defect, all are empty")
    lying = on_mask(maps, masks)
    hot, truth = maps[known] >= threshold, masks[known] > 0
    overlap = (hot & truth).sum(axis=(1, 2)) / (hot | truth).sum(axis=(1, 2))
    return Localisation(
        pointing=float(lying.pointing[known].mean()),
        energy=float(lying.energy[known].mean()),
        iou=float(overlap.mean()),
        images=int(known.sum()),
    )


def centre_blob(shape: tuple[int, int, int], *, width: float = 0.25) -> Floats:
    """The map that knows nothing: for each of N images [N, H, W] a Gaussian in the middle, peak 1.

    width: its standard deviation as a share of the image's sides.
    """
    count, height, across = shape
    down = (np.arange(height) + 0.5) / height - 0.5
    right = (np.arange(across) + 0.5) / across - 0.5
    blob = np.exp(-(down[:, None] ** 2 + right**2) / (2 * width**2))
    return np.broadcast_to(blob, (count, height, across))


def random_maps(shape: tuple[int, int, int], *, seed: int, cells: int = 8) -> Floats:
    """Maps that point anywhere: uniform values on `cells` × `cells`, interpolated, about as coarse as real maps."""
    random = np.random.default_rng(np.random.SeedSequence(seed))
    return upscale(random.random((shape[0], cells, cells)), shape[1:]).astype(np.float64)


def heat_map(heat: Maps, *, size: int) -> Floats:
    """The detector's own map: defect probability of every pixel [N, size, size], from heat logits [N, h, w]."""
    return probability(upscale(heat, (size, size))).astype(np.float64)


def attention(heat: Maps, *, size: int, stride: int = 4) -> Floats:
    """Where the class was read from: weights [N, size/stride, size/stride], sum 1, from heat logits [N, h, w].

    The detector's head pools features by the softmax of its heat at the decoder's stride (see `vision.models`).
    """
    side = size // stride
    block = heat.shape[-1] // side
    coarse = heat.reshape(len(heat), side, block, side, block).mean(axis=(2, 4)).reshape(len(heat), -1)
    weights = np.exp(coarse - coarse.max(axis=1, keepdims=True))
    result: Floats = (weights / weights.sum(axis=1, keepdims=True)).reshape(-1, side, side)
    return result


# Methods that need nothing but heat logits; the others (see `network`) need the trained network. To add one, write it
# and enter it here and in settings.Method.
FROM_OUTPUTS: dict[Method, Callable[..., Floats]] = {"heat": heat_map, "attention": attention}
