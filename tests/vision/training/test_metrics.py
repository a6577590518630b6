import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.vision.training.metrics import (
    class_recall,
    detector_metrics,
    image_metrics,
    pixel_metrics,
)


def test_image_figures_by_hand() -> None:
    # Ranks: good .1, bad .35, good .4, bad .8. Three of four pairs are in order; precision 1 at recall 1/2, 2/3 at 1.
    found = image_metrics(torch.tensor([0.1, 0.4, 0.35, 0.8]), torch.tensor([0, 0, 2, 1]))
    assert found == pytest.approx({"auroc": 0.75, "ap": 0.5 + 0.5 * 2 / 3, "f1": 0.8})


@pytest.mark.parametrize("labels", [[0, 0], [1, 2]])
def test_figures_that_need_both_kinds_are_left_out(labels: list[int]) -> None:
    assert image_metrics(torch.tensor([0.1, 0.9]), torch.tensor(labels)) == {}


def test_recall_is_given_for_the_classes_that_occur() -> None:
    logits = torch.eye(4)[[0, 0, 1, 2, 0]]
    found = class_recall(logits, torch.tensor([0, 0, 1, 1, 1]), ("good", "crack", "pit", "stain"))
    assert found == pytest.approx({"recall_good": 1.0, "recall_crack": 1 / 3})


def test_pixels_count_where_their_truth_is_known() -> None:
    heat = torch.tensor([[[0.9, 0.6], [0.2, 0.1]], [[0.9, 0.9], [0.9, 0.9]]])
    masks = torch.tensor([[[1, 0], [1, 0]], [[0, 0], [0, 0]]])
    found = pixel_metrics(heat, masks, torch.tensor([True, False]))
    assert found == pytest.approx({"iou": 1 / 3, "pixel_auroc": 0.75})


@pytest.mark.parametrize("heat", [0.0, 0.9])
def test_without_a_defective_pixel_in_the_truth_there_is_no_figure(heat: float) -> None:
    assert pixel_metrics(torch.full((1, 2, 2), heat), torch.zeros(1, 2, 2), torch.tensor([True])) == {}


def test_a_detector_that_names_no_defects_has_no_recalls() -> None:
    outputs = torch.tensor([[3.0, 0.0], [0.0, 3.0]]), torch.tensor([[[0.0, 0.0]], [[0.9, 0.1]]])
    masks = torch.tensor([[[0, 0]], [[1, 0]]])
    found = detector_metrics(
        *outputs, labels=torch.tensor([0, 1]), masks=masks, masked=torch.tensor([True, True]), classes=()
    )
    assert set(found) == {"auroc", "ap", "f1", "iou", "pixel_auroc"}


def test_all_figures_come_together() -> None:
    found = detector_metrics(
        torch.tensor([[3.0, 0.0], [0.0, 3.0]]),
        torch.tensor([[[0.0, 0.0]], [[0.9, 0.1]]]),
        labels=torch.tensor([0, 1]),
        masks=torch.tensor([[[0, 0]], [[1, 0]]]),
        masked=torch.tensor([True, True]),
        classes=("good", "crack"),
    )
    assert set(found) == {"auroc", "ap", "f1", "iou", "pixel_auroc", "recall_good", "recall_crack"}
    assert set(found.values()) == {1.0}


@given(st.lists(st.tuples(st.integers(-50, 50), st.booleans()), min_size=2, max_size=40))
@settings(max_examples=50, deadline=None)
def test_ranking_figures_do_not_depend_on_the_scale_of_scores(pairs: list[tuple[int, bool]]) -> None:
    scores = torch.tensor([score for score, _ in pairs], dtype=torch.float64)
    labels = torch.tensor([int(label) for _, label in pairs])
    plain, stretched = image_metrics(scores, labels), image_metrics(scores * 7 + 3, labels)
    assert plain == pytest.approx(stretched)
    if plain:
        mirrored = image_metrics(-scores, labels)
        assert plain["auroc"] + mirrored["auroc"] == pytest.approx(1)
