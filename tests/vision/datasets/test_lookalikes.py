"""Nearly the same image under two parts is remarked; common shape and light are not mistaken for it."""

import numpy as np

from tests.vision.datasets.images import texture
from twinloop.vision.datasets.lookalikes import pairs, remark, thumbnail


def found(images: list[np.ndarray], parts: list[str] | None = None) -> tuple[tuple[int, int], ...]:
    names = [str(place) for place in range(len(images))]
    return pairs([thumbnail(image) for image in images], parts or names, names)


def surfaces(count: int) -> list[np.ndarray]:
    return [np.kron(texture(i, height=16, width=16), np.ones((4, 4))).astype(np.uint8) for i in range(count)]


def test_a_brighter_or_noisier_copy_is_found() -> None:
    images = surfaces(30)
    images.append((images[3] * 0.8 + 20).astype(np.uint8))
    images.append((images[5] + np.random.default_rng(1).integers(-9, 9, (64, 64))).astype(np.uint8))
    assert found(images) == ((3, 30), (5, 31))


def test_images_of_one_part_and_equal_images_are_not_told() -> None:
    images = surfaces(6)
    images.append((images[3] * 0.8 + 20).astype(np.uint8))
    parts = [*"abcdef", "d"]
    assert found(images, parts) == ()
    assert pairs([thumbnail(image) for image in images[:2] * 2], [*"abcd"], ["x", "y", "x", "y"]) == ()


def test_one_object_in_one_light_is_no_lookalike() -> None:
    rows, columns = np.indices((64, 64))
    shape = 120.0 * (np.hypot(rows - 32, columns - 32) < 20)
    rng = np.random.default_rng(1)
    images = [
        np.clip(shape + rng.normal(0, 1) * rows / 2 + np.kron(rng.normal(0, 6, (16, 16)), np.ones((4, 4))) + 60, 0, 255)
        for _ in range(40)
    ]
    assert found([image.astype(np.uint8) for image in images]) == ()


def test_blank_images_say_nothing() -> None:
    assert found([np.full((32, 32), 90, np.uint8)] * 4) == ()


def test_the_remark_names_the_first_pair() -> None:
    assert remark(["a", "b", "c"], []) == ()
    (told,) = remark(["a", "b", "c"], [(0, 2)])
    assert told.startswith("2 images look almost like one of another part (first a and c)")
