import numpy as np
import pytest

from twinloop.vision.monitoring.statistics import GRID, PICTURE, observe


def pictures(images: np.ndarray) -> dict[str, np.ndarray]:
    count = len(images)
    seen = observe(images, np.full((count, 8, 8), 0.5), np.zeros(count), np.zeros(count, bool), np.ones(count))
    return dict(zip(PICTURE, seen.picture.T, strict=True))


def test_brightness_and_contrast_are_mean_and_deviation_of_grey_in_full_scale() -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    images[1, :, :4] = 255
    found = pictures(images)
    assert found["brightness"].tolist() == [0, 0.5]
    assert found["contrast"].tolist() == [0, 0.5]


@pytest.mark.parametrize("deviation", [2.0, 8.0])
def test_noise_is_the_deviation_of_white_noise(deviation: float) -> None:
    random = np.random.default_rng(0)
    images = (120 + random.normal(0, deviation, (4, 96, 96, 1))).round().astype(np.uint8)
    assert pictures(images)["noise"] * 255 == pytest.approx(np.full(4, deviation), rel=0.06)


def test_a_ramp_is_neither_noise_nor_sharp() -> None:
    ramp = np.broadcast_to((4 * np.arange(32, dtype=np.uint8))[:, None, None], (1, 32, 32, 1))
    edge = (ramp > 64).astype(np.uint8) * 255
    assert pictures(ramp)["noise"][0] < 0.002
    assert pictures(edge)["sharpness"][0] > 100 * pictures(ramp)["sharpness"][0]


def test_the_embedding_is_the_heat_in_log_odds_averaged_over_a_grid() -> None:
    heat = np.full((1, 8, 8), 1 / (1 + np.exp(4)))
    heat[0, :2, 6:] = 1.0
    embedding = observe(np.zeros((1, 8, 8, 1), np.uint8), heat, np.zeros(1), np.zeros(1, bool), np.ones(1)).embedding[0]
    assert embedding.shape == (GRID**2,)
    assert embedding[GRID - 1] == pytest.approx(12)  # certainty is held at e^12 to 1
    assert np.delete(embedding, GRID - 1) == pytest.approx(np.full(GRID**2 - 1, -4.0))


@pytest.mark.parametrize("size", [4, 7, 48])
def test_heat_maps_of_any_size_fill_the_grid(size: int) -> None:
    heat = np.full((2, size, size), 0.5)
    seen = observe(np.zeros((2, 8, 8, 1), np.uint8), heat, np.zeros(2), np.zeros(2, bool), np.ones(2))
    assert seen.embedding.shape == (2, GRID**2)
