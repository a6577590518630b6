"""Training images made to vary as a camera on a line would make them vary: the only module that knows albumentations.

Every draw is a function of (seed, epoch, index), so a resumed run, another batch size or another number of
processes sees the very same images.
"""

import os
import random

import numpy as np
from numpy.typing import NDArray

from twinloop.vision.training.settings import Augmentation

# Read once, at import: without it albumentations asks the internet for a newer release of itself.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations

Pixels = NDArray[np.uint8]


def _policy(name: Augmentation) -> list[albumentations.BasicTransform]:
    if name == "none":
        return []
    # A surface has no upright side: the eight symmetries of the square cost nothing and change no defect.
    light = [albumentations.D4(p=1.0), albumentations.RandomBrightnessContrast(0.15, 0.15, p=0.5)]
    if name == "light":
        return light
    return [
        *light,
        albumentations.Illumination(intensity_range=(0.02, 0.15), p=0.3),
        albumentations.GaussNoise(std_range=(0.005, 0.03), p=0.3),
        albumentations.GaussianBlur(blur_limit=(3, 3), sigma_limit=(0.2, 0.7), p=0.2),
    ]


class Augmenter:
    """Applies one of the policies none, light (symmetries, exposure) and industrial (also lamps, noise, focus).

    >>> augment = Augmenter("light", seed=1)
    >>> image, mask = augment(np.zeros((32, 32, 1), np.uint8), np.zeros((32, 32), np.uint8), epoch=0, index=7)
    >>> image.shape, mask.shape
    ((32, 32, 1), (32, 32))
    """

    def __init__(self, policy: Augmentation, *, seed: int) -> None:
        self.policy, self.seed = policy, seed
        transforms = _policy(policy)
        self._compose = albumentations.Compose(transforms) if transforms else None

    def __call__(self, image: Pixels, mask: Pixels, *, epoch: int, index: int) -> tuple[Pixels, Pixels]:
        """Vary an image [H, W, C] together with its mask [H, W]; both uint8 and of unchanged shape."""
        if self._compose is None:
            return image, mask
        generator = np.random.default_rng((self.seed, epoch, index))
        # One shared stream: albumentations' own seeding gives every transform the same draws.
        self._compose.set_random_state(generator, random.Random(int(generator.integers(2**63))))
        changed = self._compose(image=image, mask=mask)
        return changed["image"], changed["mask"]
