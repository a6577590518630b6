"""Small image folders on disk for the tests of readers."""

from pathlib import Path

import numpy as np
from PIL import Image


def texture(seed: int, *, height: int = 24, width: int = 32) -> np.ndarray:
    """Random grey pixels [height, width]; another seed gives another image."""
    return np.random.default_rng(seed).integers(40, 200, (height, width)).astype(np.uint8)


def spot(*, height: int = 24, width: int = 32) -> np.ndarray:
    """A mask [height, width] with one rectangle of 255."""
    mask = np.zeros((height, width), np.uint8)
    mask[5:12, 8:20] = 255
    return mask


def put(path: Path, pixels: np.ndarray) -> Path:
    """Write an image, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def plain_folder(root: Path, *, good: int = 8, scratch: int = 6) -> Path:
    """good/ and scratch/ with masks beside the scratched ones."""
    for i in range(good):
        put(root / "good" / f"g{i}.png", texture(i))
    for i in range(scratch):
        put(root / "scratch" / f"s{i}.png", texture(100 + i))
        put(root / "scratch" / f"s{i}_mask.png", spot())
    return root
