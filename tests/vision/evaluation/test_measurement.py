import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from twinloop.vision.evaluation.measurement import aupro, interval, mean_of_few, pixel_auroc, pixel_iou
from twinloop.vision.ranking import auroc, average_precision


def sample(parts: int = 60, exposures: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(parts) % 3, exposures)
    difficulty = np.repeat(random.normal(size=parts), exposures)
    return difficulty + 1.2 * (labels > 0), labels, [str(part) for part in np.repeat(np.arange(parts), exposures)]


def test_the_interval_holds_the_estimate_and_repeats() -> None:
    scores, labels, groups = sample()
    estimate = auroc(scores, labels > 0)
    low, high = interval(auroc, scores, labels, groups=groups, draws=200, seed=1)
    assert low < estimate < high
    assert (low, high) == interval(auroc, scores, labels, groups=groups, draws=200, seed=1)


def test_copies_of_the_same_parts_do_not_narrow_the_interval() -> None:
    widths = []
    for exposures in (1, 6):
        scores, labels, groups = sample(exposures=exposures)
        low, high = interval(average_precision, scores, labels, groups=groups, draws=200, seed=1)
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0])


def test_more_parts_narrow_the_interval() -> None:
    widths = []
    for parts in (60, 960):
        scores, labels, groups = sample(parts)
        low, high = interval(auroc, scores, labels, groups=groups, draws=200, seed=1)
        widths.append(high - low)
    assert widths[1] < widths[0] / 2.5


def test_binned_pixel_auroc_is_the_exact_one_to_four_digits() -> None:
    random = np.random.default_rng(0)
    masks = (random.random((5, 32, 32)) < 0.1).astype(np.uint8)
    logits = random.normal(-4, 2, masks.shape) + 3 * masks
    assert pixel_auroc(logits, masks) == pytest.approx(roc_auc_score(masks.ravel(), logits.ravel()), abs=1e-4)


@pytest.mark.parametrize("masks", [np.zeros((1, 2, 2), np.uint8), np.ones((1, 2, 2), np.uint8)])
def test_pixels_of_one_kind_have_no_auroc(masks: np.ndarray) -> None:
    assert pixel_auroc(np.zeros((1, 2, 2)), masks) is None


def test_iou_pools_all_pixels_and_counts_false_alarms_on_good_parts() -> None:
    masks = np.zeros((2, 2, 2), np.uint8)
    masks[0, 0] = 1
    maps = np.zeros((2, 2, 2))
    maps[0, 0, 0] = maps[1, 1, 1] = 0.9
    assert pixel_iou(maps, masks, threshold=0.5) == pytest.approx(1 / 3)
    assert pixel_iou(np.zeros((2, 2, 2)), np.zeros((2, 2, 2), np.uint8), threshold=0.5) is None


def regions() -> np.ndarray:
    masks = np.zeros((2, 4, 4), np.uint8)
    masks[0, 0, :2] = 1  # two pixels
    masks[0, 3, 3] = 1  # and one that does not touch them
    return masks  # 29 good pixels


def test_aupro_of_a_case_computed_by_hand() -> None:
    masks = regions()
    maps = np.zeros(masks.shape)
    maps[0, 0, 0], maps[1, 0, 0], maps[0, 3, 3], maps[0, 0, 1] = 0.9, 0.8, 0.7, 0.6
    # overlap by falling threshold: ¼ at no false positive, then at one of 29 first ¼, at last 1
    # and then on to the corner (1, 1): from 1/29 on the curve is flat at 1
    assert aupro(maps, masks) == pytest.approx((0.25 / 29 + (0.3 - 1 / 29)) / 0.3)
    assert aupro(maps, masks, limit=1.0) == pytest.approx(0.25 / 29 + 28 / 29)


def test_aupro_counts_regions_alike_whatever_their_size() -> None:
    masks = regions()
    small, large = np.zeros(masks.shape), np.zeros(masks.shape)
    small[0, 3, 3] = large[0, 0, :2] = 1
    # half of the regions at once, the others with everything else: the straight line from ½ to 1
    assert aupro(small, masks) == aupro(large, masks) == pytest.approx(0.5 + 0.5 * 0.15)


def test_aupro_of_perfect_constant_and_inverted_maps() -> None:
    masks = regions()
    assert aupro(masks.astype(float), masks) == pytest.approx(1)
    assert aupro(np.zeros(masks.shape), masks) == pytest.approx(0.15)  # chance
    assert aupro(-masks.astype(float), masks) == pytest.approx(0)


@pytest.mark.parametrize("masks", [np.zeros((1, 2, 2), np.uint8), np.ones((1, 2, 2), np.uint8)])
def test_pixels_of_one_kind_have_no_aupro(masks: np.ndarray) -> None:
    assert aupro(np.zeros((1, 2, 2)), masks) is None


@pytest.mark.parametrize(
    ("mean", "count", "low", "high"),
    [(1.0, 1, 0.025, 1.0), (0.0, 1, 0.0, 0.975), (0.5, 10, 0.1871, 0.8129), (1.0, 10, 0.6915, 1.0)],
)
def test_a_mean_of_few_is_as_unsure_as_clopper_and_pearson_say(
    mean: float, count: int, low: float, high: float
) -> None:
    assert mean_of_few(mean, count) == pytest.approx((low, high), abs=1e-4)
