"""Deletion and insertion curves: does the score follow the pixels that a map calls important?

Petsiuk, Das and Saenko (2018), "RISE". Deletion replaces pixels of the image by those of a blurred baseline, the most
important first: a good map makes the score fall at once (small area). Insertion brings them back into the baseline: a
good map makes it rise at once (large area). A blurred surface is no real one: areas count beside those of other maps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Score = Callable[[Pixels], Floats]


@dataclass(frozen=True, eq=False)
class Curves:
    """Scores [N, steps + 1] along the share of pixels (`fractions`, 0 to 1) deleted from or inserted into images."""

    fractions: Floats
    deletion: Floats
    insertion: Floats

    @property
    def deletion_area(self) -> Floats:
        """[N] area under each deletion curve: the smaller, the better."""
        return np.asarray(np.trapezoid(self.deletion, self.fractions, axis=1), np.float64)

    @property
    def insertion_area(self) -> Floats:
        """[N] area under each insertion curve: the larger, the better."""
        return np.asarray(np.trapezoid(self.insertion, self.fractions, axis=1), np.float64)


def blurred(images: Pixels, *, width: float) -> Pixels:
    """The baseline of images [N, H, W, C]: blurred by a Gaussian whose deviation is `width` times the side."""
    deviation = (0, width * images.shape[1], width * images.shape[2], 0)
    smooth = gaussian_filter(images.astype(np.float32), deviation, mode="nearest")
    return np.asarray(np.clip(smooth.round(), 0, 255)).astype(np.uint8)


def perturbation_curves(
    score: Score, images: Pixels, maps: Mapping[str, NDArray[np.floating]], *, steps: int, width: float, seed: int
) -> dict[str, Curves]:
    """Both curves of every map, by its name.

    score: of a batch of images, [N]. images: [N, H, W, C]; maps: [N, H, W] each, larger is more important; equal
    values are taken in an order drawn from `seed`. The shares are (k / steps)²: defects are small, so the first
    pixels tell most.
    """
    baseline = blurred(images, width=width)
    fractions = np.linspace(0, 1, steps + 1) ** 2
    shuffle = np.random.default_rng(np.random.SeedSequence(seed)).permutation(images[0, :, :, 0].size)
    whole, bare = score(images), score(baseline)
    curves = {}
    for name, own in maps.items():
        ranks = _ranks(own, shuffle)
        deletion, insertion = [whole], [bare]
        for fraction in fractions[1:-1]:
            important = (ranks < round(fraction * shuffle.size))[..., None]
            deletion.append(score(np.where(important, baseline, images)))
            insertion.append(score(np.where(important, images, baseline)))
        curves[name] = Curves(fractions, np.stack([*deletion, bare], axis=1), np.stack([*insertion, whole], axis=1))
    return curves


def _ranks(maps: NDArray[np.floating], shuffle: NDArray[np.int64]) -> NDArray[np.int64]:
    """[N, H, W]: 0 for the most important pixel of each image."""
    ranks = np.empty((len(maps), shuffle.size), np.int64)
    for place, values in enumerate(maps.reshape(len(maps), -1)):
        ranks[place, np.lexsort((shuffle, -values))] = np.arange(shuffle.size)
    return ranks.reshape(maps.shape)
