"""Which tile of a picture shows its defect, where only the picture is known to have one: multiple instances.

Tiles of good pictures say what is good. The tile of a defective picture that lies farthest from them speaks for it
(Dietterich et al., 1997), and the others are left out: most of them are good, and nobody knows which. How far, a memory
of good patches says (PatchCore), which needs no training.
"""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinloop.vision.index import ImageSet
from twinloop.vision.models.base import anomaly_score
from twinloop.vision.models.one_class import LEAST_IMAGES, OneClassDetector
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.loading import judged_batch
from twinloop.vision.training.module import new_detector, scaled
from twinloop.vision.training.pictures import hottest, without_place

# Good tiles at most that the others are held against.
REMEMBERED = 512
WIDTH = 24


def witnesses(model: ModelSettings, train: ImageSet, images: ImageSet, *, seed: int) -> NDArray[np.bool_]:
    """Which of `images` [N] to keep: all whose truth is known, and one tile of each other picture, its strangest.

    train: the tiles, good ones among them, of which it is learnt what is good. All are kept where too few are.
    """
    unknown = without_place(images)
    good = np.flatnonzero(train.labels == 0)
    if not unknown.any() or len(good) < 2 * LEAST_IMAGES:
        return np.ones(len(images), bool)
    good = good[np.linspace(0, len(good) - 1, min(len(good), REMEMBERED)).round().astype(int)]
    settings = ModelSettings(
        kind="patchcore", size_px=model.size_px, channels=model.channels, normalise=model.normalise, width=WIDTH
    )
    if model.weights:
        settings = replace(settings, encoder=model.encoder, width=model.width, weights=model.weights)
    detector = new_detector(settings, train, seed=seed)
    assert isinstance(detector, OneClassDetector)
    batch = judged_batch(train)
    tiles = [_pixels(train, places) for places in np.array_split(good, -(-len(good) // batch))]
    # What is held out sets the zero of a scale of which the order alone counts.
    detector.fit(iter(tiles), held_out=iter(tiles[:LEAST_IMAGES]), seed=seed)
    places = np.flatnonzero(unknown)
    with torch.inference_mode():
        scores = np.concatenate(
            [
                anomaly_score(detector(_pixels(images, some))[0]).numpy()
                for some in np.array_split(places, -(-len(places) // batch))
            ]
        )
    keep = ~unknown
    keep[places[hottest(scores, np.array(images.pictures)[places])]] = True
    return keep


def _pixels(images: ImageSet, places: NDArray[np.int64]) -> Tensor:
    return scaled(torch.from_numpy(np.ascontiguousarray(images.images[places].transpose(0, 3, 1, 2))))
