"""Pictures in tiles of which nobody knows what tile shows the defect: a picture is then as hot as its hottest tile."""

from collections import Counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinloop.vision.index import ImageSet
from twinloop.vision.models.base import anomaly_score
from twinloop.vision.training.loading import subset


def without_place(images: ImageSet) -> NDArray[np.bool_]:
    """Which images [N] are tiles of a defective picture without a mask, so that each may show the defect or not."""
    if not images.pictures:
        return np.zeros(len(images), bool)
    tiles = Counter(images.pictures)
    several = np.array([tiles[picture] > 1 for picture in images.pictures])
    unknown: NDArray[np.bool_] = (images.labels > 0) & ~images.masked & several
    return unknown


def by_picture(logits: Tensor, heat: Tensor, images: ImageSet) -> tuple[Tensor, Tensor, ImageSet]:
    """Logits, heat and image of the hottest tile of each picture where some are `without_place`, else all as given."""
    if not without_place(images).any():
        return logits, heat, images
    chosen = np.zeros(len(images), bool)
    chosen[hottest(anomaly_score(logits).numpy(), np.array(images.pictures))] = True
    kept = torch.from_numpy(chosen)
    return logits[kept], heat[kept], subset(images, chosen)


def hottest(scores: NDArray[np.floating], pictures: NDArray[np.str_]) -> NDArray[np.int64]:
    """Place of the highest of `scores` [N] of each picture, the pictures in alphabetical order."""
    number = np.unique(pictures, return_inverse=True)[1]
    order = np.lexsort((-scores, number))
    first: NDArray[np.int64] = order[np.flatnonzero(np.diff(number[order], prepend=-1))]
    return first
