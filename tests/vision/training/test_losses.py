import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.vision.training.losses import (
    DetectorLoss,
    class_loss,
    dice,
    focal,
    inverse_frequency,
    pixel_cross_entropy,
    tversky,
)
from twinloop.vision.training.settings import TrainSettings

LN2 = math.log(2)
LOGITS = torch.tensor([[[[0.0, math.log(3)]]]])  # probabilities 1/2 and 3/4
TRUTH = torch.tensor([[[[1.0, 0.0]]]])
ALL = torch.ones(1, 1, 1, 1)


def test_cross_entropy_by_hand() -> None:
    # (−ln 1/2 − ln 1/4) / 2
    assert pixel_cross_entropy(LOGITS, TRUTH, ALL).item() == pytest.approx(1.5 * LN2)


def test_focal_loss_by_hand() -> None:
    # (1/2)² ln 2 and (3/4)² ln 4, halved
    assert focal(LOGITS, TRUTH, ALL, gamma=2.0).item() == pytest.approx((0.25 * LN2 + 0.5625 * 2 * LN2) / 2)


def test_dice_loss_by_hand() -> None:
    # 1 − (2 · 1/2 + 1) / (5/4 + 1 + 1)
    assert dice(LOGITS, TRUTH, ALL).item() == pytest.approx(1 - 2 / 3.25)


def test_tversky_loss_by_hand() -> None:
    # Σpt = 1/2, Σp(1 − t) = 3/4, Σ(1 − p)t = 1/2.
    found = tversky(LOGITS, TRUTH, ALL, alpha=0.2, beta=0.8).item()
    assert found == pytest.approx(1 - 1.5 / (0.5 + 0.2 * 0.75 + 0.8 * 0.5 + 1))


def test_tversky_with_equal_halves_is_dice_of_twice_the_smoothing() -> None:
    # 1 − (Σpt + 1) / ((Σp + Σt) / 2 + 1)
    assert tversky(LOGITS, TRUTH, ALL, alpha=0.5, beta=0.5).item() == pytest.approx(1 - 1.5 / (2.25 / 2 + 1))


def test_defective_pixels_weigh_more_by_hand() -> None:
    # (3 · ln 2 + ln 4) / 2
    assert pixel_cross_entropy(LOGITS, TRUTH, ALL, positive=3.0).item() == pytest.approx(2.5 * LN2)


# Probabilities 1/2, 1/4, 1/4 of good and two defects.
SCORES = torch.tensor([[math.log(2), 0.0, 0.0]])


def test_a_defect_of_unknown_class_costs_that_it_was_not_called_defective() -> None:
    assert class_loss(SCORES, torch.tensor([-1])).item() == pytest.approx(LN2)
    both = class_loss(SCORES.repeat(2, 1), torch.tensor([-1, 1])).item()
    assert both == pytest.approx((LN2 + math.log(4)) / 2)


def test_class_weights_by_hand() -> None:
    weights = torch.tensor([1.0, 3.0, 0.0])
    logits, labels = SCORES.repeat(3, 1), torch.tensor([0, 1, -1])
    # (1 · ln 2 + 3 · ln 4 + ln 2) / (1 + 3 + 1)
    assert class_loss(logits, labels, weights=weights).item() == pytest.approx(8 * LN2 / 5)
    assert class_loss(SCORES, torch.tensor([2]), weights=weights).item() == 0.0


def test_label_smoothing_by_hand() -> None:
    # 0.7 · ln 2 + 0.1 · (ln 2 + ln 4 + ln 4), the truth 0.7 + 0.1 on the first class
    found = class_loss(SCORES, torch.tensor([0]), smoothing=0.3).item()
    assert found == pytest.approx(0.7 * LN2 + 0.1 * 5 * LN2)


def test_without_weights_it_is_plain_cross_entropy() -> None:
    logits, labels = torch.randn(32, 5, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 5
    assert torch.equal(class_loss(logits, labels), torch.nn.functional.cross_entropy(logits, labels))


def test_inverse_frequency_makes_present_classes_count_alike() -> None:
    labels = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 3])
    weights = inverse_frequency(labels, 4)
    assert weights.tolist() == pytest.approx([9 / (3 * 6), 9 / (3 * 2), 0.0, 9 / 3])
    assert (weights[labels].sum() / len(labels)).item() == pytest.approx(1)


def test_a_perfect_map_costs_nothing() -> None:
    sure = (TRUTH * 2 - 1) * 50
    losses = (
        pixel_cross_entropy(sure, TRUTH, ALL, positive=5.0),
        focal(sure, TRUTH, ALL, gamma=2.0),
        dice(sure, TRUTH, ALL),
        tversky(sure, TRUTH, ALL, alpha=0.3, beta=0.7),
    )
    for loss in losses:
        assert loss.item() == pytest.approx(0, abs=1e-6)


def _example(masked: list[bool], **weights: float) -> float:
    loss = DetectorLoss(TrainSettings(**{"loss_cross_entropy": 0.0, "loss_focal": 0.0, "loss_dice": 0.0, **weights}))  # type: ignore[arg-type]
    heat = torch.tensor([[[[math.log(3)]]], [[[0.0]]]])
    masks = torch.zeros(2, 4, 4, dtype=torch.uint8)
    logits = torch.zeros(2, 4)
    return float(loss(logits, heat, labels=torch.tensor([0, 3]), masks=masks, masked=torch.tensor(masked)))


def test_classes_alone_cost_the_logarithm_of_their_number() -> None:
    assert _example([True, True], loss_classes=0.5) == pytest.approx(0.5 * math.log(4))


def test_the_sum_is_weighted() -> None:
    pixels = (math.log(4) + LN2) / 2
    found = _example([True, True], loss_classes=1.0, loss_cross_entropy=3.0)
    assert found == pytest.approx(math.log(4) + 3 * pixels, rel=1e-5)


def test_images_without_pixel_truth_do_not_teach_the_heat_map() -> None:
    found = _example([False, True], loss_classes=0.0, loss_cross_entropy=1.0)
    assert found == pytest.approx(LN2, rel=1e-5)
    everything = {"loss_classes": 0.0, "loss_cross_entropy": 1.0, "loss_focal": 1.0, "loss_tversky": 1.0}
    assert _example([False, False], **everything) == 0.0


def test_the_heat_map_is_enlarged_to_the_masks() -> None:
    settings_ = TrainSettings(loss_classes=0.0, loss_cross_entropy=1.0, loss_focal=0.0, loss_dice=0.0)
    masks = torch.ones(1, 8, 8, dtype=torch.uint8)
    found = DetectorLoss(settings_)(
        torch.zeros(1, 2),
        torch.full((1, 1, 4, 4), 2.0),
        labels=torch.tensor([1]),
        masks=masks,
        masked=torch.tensor([True]),
    )
    assert found.item() == pytest.approx(math.log1p(math.exp(-2)), rel=1e-5)


maps = st.lists(st.tuples(st.floats(-20, 20), st.booleans()), min_size=1, max_size=30)


@given(maps)
@settings(max_examples=50, deadline=None)
def test_losses_stay_in_their_range_and_focal_never_exceeds_cross_entropy(pixels: list[tuple[float, bool]]) -> None:
    logits = torch.tensor([value for value, _ in pixels])[None, None, None]
    truth = torch.tensor([float(value) for _, value in pixels])[None, None, None]
    entropy = pixel_cross_entropy(logits, truth, ALL).item()
    assert 0 <= dice(logits, truth, ALL).item() < 1
    assert -1e-6 <= tversky(logits, truth, ALL, alpha=0.3, beta=0.7).item() < 1
    assert -1e-6 <= focal(logits, truth, ALL, gamma=2.0).item() <= entropy + 1e-6
    assert focal(logits, truth, ALL, gamma=0.0).item() == pytest.approx(entropy, rel=1e-5, abs=1e-6)
