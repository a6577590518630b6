"""Small images for tests of learning: grey noise, half of it with a bright or a dark spot whose pixels are known."""

import numpy as np

from twinloop.vision.index import ImageSet

CLASSES = ("good", "bright", "dark")


def spots(count: int, *, size: int = 32, channels: int = 1, seed: int = 0) -> ImageSet:
    """`count` images of `size` × `size` pixels, two per part; every second part is defective, with a mask."""
    random = np.random.default_rng(seed)
    images = random.normal(120, 10, (count, size, size, channels))
    masks = np.zeros((count, size, size), np.uint8)
    labels = np.array([(0, 1, 0, 2)[index // 2 % 4] for index in range(count)], np.int64)
    for index in np.flatnonzero(labels):
        row, column = random.integers(2, size - 10, 2)
        masks[index, row : row + 8, column : column + 8] = 1
        images[index][masks[index] > 0] += 80 if labels[index] == 1 else -80
    return ImageSet(
        images=np.clip(images, 0, 255).astype(np.uint8),
        masks=masks,
        masked=np.ones(count, bool),
        labels=labels,
        classes=CLASSES,
        groups=tuple(f"part {index // 2}" for index in range(count)),
        names=tuple(f"image {index}" for index in range(count)),
    )


def good_spots(count: int, *, size: int = 32, seed: int = 0) -> ImageSet:
    """`count` images without a spot, for detectors that learn from good images alone."""
    images = spots(2 * count, size=size, seed=seed)
    good = np.flatnonzero(images.labels == 0)[:count]
    return ImageSet(
        images=images.images[good],
        masks=images.masks[good],
        masked=images.masked[good],
        labels=images.labels[good],
        classes=CLASSES,
        groups=tuple(images.groups[place] for place in good),
        names=tuple(images.names[place] for place in good),
    )
