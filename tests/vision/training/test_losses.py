import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.vision.training.losses import DetectorLoss, dice, focal, pixel_cross_entropy
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


def test_a_perfect_map_costs_nothing() -> None:
    sure = (TRUTH * 2 - 1) * 50
    for loss in (pixel_cross_entropy(sure, TRUTH, ALL), focal(sure, TRUTH, ALL, gamma=2.0), dice(sure, TRUTH, ALL)):
        assert loss.item() == pytest.approx(0, abs=1e-6)


def _example(masked: list[bool], **weights: float) -> float:
    loss = DetectorLoss(TrainSettings(**{"loss_cross_entropy": 0.0, "loss_focal": 0.0, "loss_dice": 0.0, **weights}))  # type: ignore[arg-type]
    heat = torch.tensor([[[[math.log(3)]]], [[[0.0]]]])
    masks = torch.zeros(2, 4, 4, dtype=torch.uint8)
    logits = torch.zeros(2, 4)
    return loss(logits, heat, labels=torch.tensor([0, 3]), masks=masks, masked=torch.tensor(masked)).item()


def test_classes_alone_cost_the_logarithm_of_their_number() -> None:
    assert _example([True, True], loss_classes=0.5) == pytest.approx(0.5 * math.log(4))


def test_the_sum_is_weighted() -> None:
    pixels = (math.log(4) + LN2) / 2
    found = _example([True, True], loss_classes=1.0, loss_cross_entropy=3.0)
    assert found == pytest.approx(math.log(4) + 3 * pixels, rel=1e-5)


def test_images_without_pixel_truth_do_not_teach_the_heat_map() -> None:
    found = _example([False, True], loss_classes=0.0, loss_cross_entropy=1.0)
    assert found == pytest.approx(LN2, rel=1e-5)
    everything = {"loss_classes": 0.0, "loss_cross_entropy": 1.0, "loss_focal": 1.0}
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
    assert -1e-6 <= focal(logits, truth, ALL, gamma=2.0).item() <= entropy + 1e-6
    assert focal(logits, truth, ALL, gamma=0.0).item() == pytest.approx(entropy, rel=1e-5, abs=1e-6)
