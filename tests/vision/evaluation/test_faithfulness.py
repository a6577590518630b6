import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.vision.evaluation.faithfulness import blurred, perturbation_curves


def white_square() -> np.ndarray:
    images = np.zeros((1, 16, 16, 1), np.uint8)
    images[0, 4:8, 4:8] = 255  # a sixteenth of the image
    return images


def light(images: np.ndarray) -> np.ndarray:
    return (images > 200).mean(axis=(1, 2, 3)) * 16  # share of the square that is there


def test_both_curves_of_a_perfect_and_of_a_wrong_map_are_as_computed_by_hand() -> None:
    images = white_square()
    right = (images[..., 0] > 0).astype(float)
    curves = perturbation_curves(light, images, {"right": right, "wrong": -right}, steps=4, width=0.5, seed=0)
    perfect, wrong = curves["right"], curves["wrong"]
    # the shares 0, 1/16, 4/16, 9/16, 1: the first sixteenth is the whole square, the last as well for the wrong map
    assert perfect.fractions.tolist() == [0, 1 / 16, 1 / 4, 9 / 16, 1]
    assert perfect.deletion.tolist() == [[1, 0, 0, 0, 0]]
    assert perfect.insertion.tolist() == [[0, 1, 1, 1, 1]]
    assert wrong.deletion.tolist() == [[1, 1, 1, 1, 0]]
    assert wrong.insertion.tolist() == [[0, 0, 0, 0, 1]]
    assert perfect.deletion_area == pytest.approx([1 / 32])
    assert perfect.insertion_area == pytest.approx([1 - 1 / 32])
    assert wrong.deletion_area == pytest.approx([1 - 7 / 32])


def test_the_baseline_is_blurred_within_each_image_and_channel() -> None:
    images = np.stack([np.zeros((8, 8, 3)), np.full((8, 8, 3), 200)]).astype(np.uint8)
    images[0, 4, 4, 1] = 255
    base = blurred(images, width=0.25)
    assert base[1].min() == 200
    assert base[0, ..., 0].max() == 0
    assert 0 < base[0, ..., 1].max() < 64


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 9))
def test_every_map_starts_and_ends_alike_and_areas_lie_between_the_scores(seed: int, steps: int) -> None:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (2, 8, 8, 1)).astype(np.uint8)
    maps = {"noise": random.random((2, 8, 8)), "flat": np.zeros((2, 8, 8))}
    curves = perturbation_curves(light, images, maps, steps=steps, width=0.3, seed=seed)
    for found in curves.values():
        assert found.deletion[:, 0].tolist() == found.insertion[:, -1].tolist() == light(images).tolist()
        assert found.insertion[:, 0].tolist() == found.deletion[:, -1].tolist()
        assert np.all(found.deletion_area <= found.deletion.max(axis=1) + 1e-12)
        assert np.all(found.deletion_area >= found.deletion.min(axis=1) - 1e-12)


def test_equal_values_are_taken_in_a_drawn_order_not_from_the_corner() -> None:
    images = white_square()
    flat = np.zeros((1, 16, 16))
    one, two, again = (
        perturbation_curves(light, images, {"flat": flat}, steps=10, width=0.5, seed=seed)["flat"] for seed in (1, 2, 1)
    )
    assert np.array_equal(one.deletion, again.deletion)
    assert not np.array_equal(one.deletion, two.deletion)
    assert one.deletion_area[0] == pytest.approx(0.5, abs=0.15)
