"""Of a defective picture without a mask the tile that shows the defect is found, and no other is learnt from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from twinloop.vision.index import ImageSet
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.instances import witnesses
from twinloop.vision.training.pictures import by_picture, without_place

MODEL = ModelSettings(size_px=32, width=8, decoder_width=8)
TILES, PICTURES = 10, 8


def strips(*, seed: int, masked: bool = False) -> tuple[ImageSet, np.ndarray]:
    """Eight pictures of ten tiles of noise, every second with a bright spot on one tile; and which tiles show it."""
    random = np.random.default_rng(seed)
    count = TILES * PICTURES
    pixels, shows = random.normal(110, 8, (count, 32, 32, 1)), np.zeros(count, bool)
    masks = np.zeros((count, 32, 32), np.uint8)
    for picture in range(1, PICTURES, 2):
        place = picture * TILES + int(random.integers(TILES))
        pixels[place, 8:18, 8:18] += 70
        masks[place, 8:18, 8:18] = 1
        shows[place] = True
    defective = np.repeat(np.arange(PICTURES) % 2, TILES).astype(np.int64)
    names = tuple(f"{picture}.png" for picture in range(PICTURES) for _ in range(TILES))
    images = ImageSet(
        images=pixels.clip(0, 255).astype(np.uint8),
        masks=masks if masked else np.zeros_like(masks),
        masked=np.ones(count, bool) if masked else defective == 0,
        labels=shows.astype(np.int64) if masked else defective,
        classes=("good", "pit"),
        groups=names,
        names=tuple(f"{place}.png" for place in range(count)),
        pictures=names,
    )
    return images, shows


@pytest.mark.parametrize("normalise", ["dataset", "image"])
def test_the_tile_with_the_defect_speaks_for_its_picture(normalise: str) -> None:
    images, shows = strips(seed=0)
    model = replace(MODEL, normalise=normalise)  # type: ignore[arg-type]
    kept = witnesses(model, images, images, seed=0)
    assert (kept == (shows | (images.labels == 0))).all()


def test_another_split_is_held_against_the_good_tiles_of_training() -> None:
    train, _ = strips(seed=0)
    other, shows = strips(seed=1)
    assert (witnesses(MODEL, train, other, seed=0)[other.labels > 0] == shows[other.labels > 0]).all()


def test_tiles_whose_masks_are_known_are_all_kept() -> None:
    images, _ = strips(seed=0, masked=True)
    assert not without_place(images).any()
    assert witnesses(MODEL, images, images, seed=0).all()


def test_a_picture_is_as_hot_as_its_hottest_tile() -> None:
    images, shows = strips(seed=0)
    score = torch.from_numpy(shows.astype(np.float32) + np.linspace(0, 0.1, len(shows), dtype=np.float32))
    logits = torch.stack([torch.zeros_like(score), score], dim=1)
    kept, heat, pictures = by_picture(logits, torch.zeros(len(shows), 4, 4), images)
    assert len(kept) == len(heat) == len(pictures) == PICTURES
    assert sorted(pictures.pictures) == sorted(set(images.pictures))
    assert ((kept[:, 1] > 0.5).numpy() == (pictures.labels > 0)).all()
