import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.spots import spots
from twinloop.errors import InputError
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.crossvalidation import (
    CrossValidation,
    Fold,
    corrected_mean,
    cross_validate,
    joined,
    means,
    part_metrics,
)
from twinloop.vision.training.loading import subset
from twinloop.vision.training.settings import AugmentationSettings, TrainSettings

MODEL = ModelSettings(size_px=32, width=8, decoder_width=8, heat_stride=2, dropout=0.0)
TRAIN = TrainSettings(epochs=2, batch_size=16, learning_rate=0.01)
IMAGES = spots(96)


def _validate(**changes: Any) -> CrossValidation:
    settings: dict[str, Any] = {"images": IMAGES, "folds": 3, "val_share": 0.2, "seed": 0} | changes
    return cross_validate(MODEL, TRAIN, AugmentationSettings(), **settings)


def test_every_image_is_tested_once_and_folds_are_told_in_order() -> None:
    told: list[Fold] = []
    found = _validate(average_exposures=True, on_fold=told.append)
    assert [fold.number for fold in told] == [0, 1, 2]
    assert tuple(told) == found.folds
    assert sum(fold.test_images for fold in found.folds) == 96
    assert sum(fold.test_parts for fold in found.folds) == 48
    assert set(found.means) == {
        "auroc",
        "ap",
        "iou",
        "part_auroc",
        "part_ap",
        "weighted_auroc",
        "weighted_ap",
    }
    assert {found.counted(name) for name in found.means} == {3}
    assert found.means["auroc"].mean == pytest.approx(sum(fold.figures["auroc"] for fold in found.folds) / 3)


def test_two_processes_find_what_one_finds() -> None:
    assert _validate(workers=2) == _validate(workers=1)


def test_a_run_that_was_cut_off_goes_on_and_leaves_nothing(tmp_path: Path) -> None:
    class PowerCut(Exception):
        pass

    def cut(fold: Fold) -> None:
        if fold.number == 1:
            raise PowerCut

    with pytest.raises(PowerCut):
        _validate(state=tmp_path, on_fold=cut)
    (kept,) = tmp_path.iterdir()
    assert {path.name for path in kept.iterdir()} >= {"fold-0", "fold-1"}
    before = {path: path.stat().st_mtime_ns for path in kept.glob("fold-0/*.ckpt")}
    seen: list[bool] = []
    found = _validate(
        state=tmp_path, on_fold=lambda fold: seen.append(before == {p: p.stat().st_mtime_ns for p in before})
    )
    assert seen == [True] * 3
    assert found == _validate()
    assert not list(tmp_path.iterdir())


def test_a_fold_that_cannot_be_trained_on_is_named() -> None:
    # A single defective part: where it is tested, none is left to learn from.
    kept = (IMAGES.labels == 0) | (torch.arange(96).numpy() < 4)
    few = subset(IMAGES, kept)
    with pytest.raises(InputError, match=r"fold \d: .*expected some of both kinds.*take fewer folds or more data"):
        _validate(images=few, folds=8)


def test_more_folds_than_parts_are_refused() -> None:
    with pytest.raises(InputError, match="folds"):
        _validate(folds=49)


def test_a_part_is_judged_by_the_mean_of_its_exposures() -> None:
    # Single images: 3 of 4 pairs in order. Means: part a 0.5, part b 2 good against part c 1.5 defective.
    scores = torch.tensor([0.0, 1.0, 2.0, 3.0, 0.0])
    labels = torch.tensor([0, 0, 0, 1, 1])
    found = part_metrics(scores, labels, ["a", "a", "b", "c", "c"])
    assert {name: found[name] for name in ("part_auroc", "part_ap")} == {"part_auroc": 0.5, "part_ap": 0.5}
    # Weights ½, ½, 1 good and ½, ½ defective: the 3 beats all of them, the 0 ties with one of weight ½.
    assert found["weighted_auroc"] == pytest.approx((0.5 * 2 + 0.5 * 0.25) / 2)
    assert found["weighted_ap"] == pytest.approx(0.5 * 1 + 0.5 * 1 / 3)


def test_a_part_that_is_good_in_one_picture_and_defective_in_another_is_defective() -> None:
    found = part_metrics(torch.tensor([0.0, 4.0, 1.0]), torch.tensor([0, 2, 0]), ["a", "a", "b"])
    assert found == dict.fromkeys(("part_auroc", "part_ap", "weighted_auroc", "weighted_ap"), 1.0)
    assert part_metrics(torch.tensor([0.0, 1.0]), torch.tensor([0, 0]), ["a", "b"]) == {}


def test_the_corrected_interval_by_hand() -> None:
    # Mean 0.9, variance 0.001 (deviations ±0.05, ±0.01 of four, and 0); t with 4 degrees of freedom is 2.776.
    values = [0.85, 0.95, 0.89, 0.91, 0.9]
    variance = 2 * (0.05**2 + 0.01**2) / 4
    found = corrected_mean(values, ratio=0.25)
    assert found.mean == pytest.approx(0.9)
    assert found.half_width == pytest.approx(2.776445 * math.sqrt((1 / 5 + 1 / 4) * variance), rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=10), st.floats(0.05, 1))
def test_sharing_training_images_widens_the_interval(values: list[float], ratio: float) -> None:
    plain, corrected = corrected_mean(values, ratio=0.0), corrected_mean(values, ratio=ratio)
    assert corrected.mean == plain.mean
    assert corrected.half_width == pytest.approx(plain.half_width * math.sqrt(1 + ratio * len(values)))


def test_a_figure_that_folds_lack_is_the_mean_of_those_that_have_it() -> None:
    folds = [Fold(n, figures, 0, 80, 20, 10) for n, figures in enumerate([{"auroc": 0.8}, {"auroc": 0.9}, {}])]
    found = means(folds)
    assert found.keys() == {"auroc"}
    assert found["auroc"].mean == pytest.approx(0.85)
    assert CrossValidation(tuple(folds), found).counted("auroc") == 2
    assert math.isnan(means(folds[:1])["auroc"].half_width)


def test_splits_are_joined_in_order() -> None:
    whole = joined([spots(8), dataclasses.replace(spots(4, seed=1), names=tuple("wxyz"))])
    assert len(whole) == len(whole.images) == len(whole.groups) == 12
    assert whole.names[-4:] == tuple("wxyz")


def test_a_split_of_tiles_and_one_of_whole_pictures_are_divided_into_folds() -> None:
    tiled, whole = spots(48), spots(16, seed=1)
    # The two images of a part are tiles of one picture.
    tiled = dataclasses.replace(tiled, pictures=tiled.groups)
    names = tuple(f"whole {place}" for place in range(16))
    images = joined([tiled, dataclasses.replace(whole, names=names, groups=names)])
    assert images.pictures == (*tiled.groups, *names)
    assert sum(fold.test_images for fold in _validate(images=images).folds) == 64
