"""Training images made to vary as a camera on a line would make them vary: the only module that knows albumentations.

Every draw is a function of (seed, epoch, index), so a resumed run, another batch size or another number of
processes sees the very same images.
"""

import os
import random

import numpy as np
from numpy.typing import NDArray

from twinloop.vision.training.settings import AugmentationSettings

# Read once, at import: without it albumentations asks the internet for a newer release of itself.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations
import cv2

Pixels = NDArray[np.uint8]
Transforms = list[albumentations.BasicTransform]
WEAKEST_LAMP, WEAKEST_NOISE, WEAKEST_BLUR_PX = 0.02, 0.005, 0.2
SMALLEST_HOLE = 0.01


def _turned(settings: AugmentationSettings) -> Transforms:
    if settings.symmetries == "square":
        return [albumentations.D4(p=1.0)]
    if settings.symmetries == "mirror":
        return [albumentations.HorizontalFlip(p=0.5), albumentations.VerticalFlip(p=0.5)]
    return []


def _moved(settings: AugmentationSettings) -> Transforms:
    # What the border lacks is mirrored in, with its pixel truth: black corners would teach that corners are black.
    return [
        albumentations.Affine(
            scale=(1 - settings.scale, 1 + settings.scale),
            translate_percent=(-settings.shift, settings.shift),
            rotate=(-settings.turn_deg, settings.turn_deg),
            border_mode=cv2.BORDER_REFLECT_101,
            p=settings.affine_share,
        )
    ]


def _photographed(settings: AugmentationSettings) -> Transforms:
    # A kernel of at least 3 pixels that holds 1.5 standard deviations to each side.
    kernel = max(3, 2 * round(1.5 * settings.blur_px) + 1)
    exposure, lamp = settings.exposure, (WEAKEST_LAMP, settings.lamp)
    noise, blur = (WEAKEST_NOISE, settings.noise), (WEAKEST_BLUR_PX, settings.blur_px)
    return [
        albumentations.RandomBrightnessContrast(exposure, exposure, p=settings.exposure_share),
        albumentations.Illumination(intensity_range=lamp, p=settings.lamp_share),
        albumentations.GaussNoise(std_range=noise, p=settings.noise_share),
        albumentations.GaussianBlur(blur_limit=(3, kernel), sigma_limit=blur, p=settings.blur_share),
    ]


def _blanked(settings: AugmentationSettings) -> Transforms:
    sides = (SMALLEST_HOLE, settings.hole_side)
    return [
        # Pixels that cannot be seen are no longer said to be defective.
        albumentations.CoarseDropout(
            num_holes_range=(1, settings.holes),
            hole_height_range=sides,
            hole_width_range=sides,
            fill="random_uniform",
            fill_mask=0,
            p=settings.holes_share,
        )
    ]


class Augmenter:
    """Varies an image and its pixel truth as the settings say.

    >>> augment = Augmenter(AugmentationSettings(), seed=1)
    >>> image, mask = augment(np.zeros((32, 32, 1), np.uint8), np.zeros((32, 32), np.uint8), epoch=0, index=7)
    >>> image.shape, mask.shape
    ((32, 32, 1), (32, 32))
    """

    def __init__(self, settings: AugmentationSettings, *, seed: int) -> None:
        self.settings, self.seed = settings, seed
        transforms = [
            transform
            for build in (_turned, _moved, _photographed, _blanked)
            for transform in build(settings)
            if transform.p > 0
        ]
        self._compose = albumentations.Compose(transforms) if transforms else None

    def __call__(self, image: Pixels, mask: Pixels, *, epoch: int, index: int, turn: int = 0) -> tuple[Pixels, Pixels]:
        """Vary an image [H, W, C] together with its mask [H, W]; both uint8 and of unchanged shape.

        `turn` counts how often this epoch has shown the image before.
        """
        if self._compose is None:
            return image, mask
        generator = np.random.default_rng((self.seed, epoch, index, turn))
        # One shared stream: albumentations' own seeding gives every transform the same draws.
        self._compose.set_random_state(generator, random.Random(int(generator.integers(2**63))))
        changed = self._compose(image=image, mask=mask)
        if mask.any() and not changed["mask"].any():
            # Moved or covered out of sight, the defect would leave its label behind.
            return image, mask
        return changed["image"], changed["mask"]
