import numpy as np
import pytest
import torch

from twinloop.errors import InputError
from twinloop.vision.evaluation.explain import attention, centre_blob, localisation, on_mask, random_maps


def scene() -> tuple[np.ndarray, np.ndarray]:
    masks = np.zeros((3, 8, 8), np.uint8)
    masks[0, 1:3, 1:3] = 1
    masks[1, 5:7, 5:7] = 1
    return masks.astype(np.float64), masks


def test_a_perfect_map_scores_one_everywhere_and_empty_masks_do_not_count() -> None:
    found = localisation(*scene(), threshold=0.5)
    assert (found.pointing, found.energy, found.iou, found.images) == (1, 1, 1, 2)


def test_a_map_beside_the_defect_scores_nothing() -> None:
    maps, masks = scene()
    found = localisation(np.roll(maps, 4, axis=2), masks, threshold=0.5)
    assert (found.pointing, found.energy, found.iou) == (0, 0, 0)


def test_half_an_overlap_is_a_third() -> None:
    maps, masks = scene()
    found = localisation(np.roll(maps, 1, axis=2), masks, threshold=0.5)
    assert found.energy == pytest.approx(0.5)
    assert found.iou == pytest.approx(2 / 6)


def test_a_cold_map_has_no_energy() -> None:
    _, masks = scene()
    assert localisation(np.zeros(masks.shape), masks, threshold=0.5).energy == 0


def test_the_blob_sits_in_the_middle_of_every_image() -> None:
    blob = centre_blob((2, 9, 5))
    assert blob.shape == (2, 9, 5)
    assert np.unravel_index(blob[1].argmax(), (9, 5)) == (4, 2)
    assert blob.max() == pytest.approx(1)


def test_scores_per_image_are_those_of_the_average() -> None:
    maps, masks = scene()
    found = on_mask(np.roll(maps, 1, axis=2), masks)
    assert found.pointing.tolist() == [1, 1, 0]
    assert found.energy.tolist() == [0.5, 0.5, 0]


def test_random_maps_point_anywhere_and_repeat() -> None:
    maps = random_maps((400, 16, 16), seed=1)
    assert np.array_equal(maps, random_maps((400, 16, 16), seed=1))
    masks = np.zeros((400, 16, 16), np.uint8)
    masks[:, :8, :8] = 1
    found = on_mask(maps, masks)
    assert found.energy.mean() == pytest.approx(0.25, abs=0.01)
    assert found.pointing.mean() == pytest.approx(0.25, abs=0.07)


@pytest.mark.parametrize("masks", [np.zeros((2, 4, 4), np.uint8), np.zeros((2, 5, 4), np.uint8)])
def test_masks_that_cannot_be_compared_are_refused(masks: np.ndarray) -> None:
    with pytest.raises(InputError, match="explain: expected"):
        localisation(np.zeros((2, 4, 4)), masks, threshold=0.5)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_attention_repeats_what_the_detectors_head_does(stride: int) -> None:
    from twinloop.vision.models.detector import Detector
    from twinloop.vision.models.settings import ModelSettings

    settings = ModelSettings(size_px=32, width=4, decoder_width=8, heat_stride=stride)
    detector = Detector(settings, classes=("good", "crack"), size=32, channels=1).eval()
    images = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        heat = detector(images)[1][:, 0].numpy()
        expected = detector.attention(images)[:, 0].numpy()
    assert attention(heat, size=32) == pytest.approx(expected, abs=1e-6)
