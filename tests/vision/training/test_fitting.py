import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.vision.spots import CLASSES, spots
from twinloop.errors import InputError
from twinloop.vision.index import ImageSet
from twinloop.vision.models.ensemble import Ensemble
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.fitting import Trained, train_detector
from twinloop.vision.training.loading import subset
from twinloop.vision.training.module import FIGURES, MONITOR, assess
from twinloop.vision.training.settings import AugmentationSettings, TrainSettings

MODEL = ModelSettings(size_px=32, width=8, decoder_width=16, heat_stride=2, dropout=0.0)
TRAIN = TrainSettings(epochs=4, batch_size=16, learning_rate=0.01)
LIGHT = AugmentationSettings(lamp_share=0, noise_share=0, blur_share=0)
IMAGES, VALIDATION, TEST = spots(80), spots(32, seed=1), spots(48, seed=2)


def _good(images: ImageSet) -> ImageSet:
    return subset(images, images.labels == 0)


def _train(
    model: dict[str, Any] | None = None,
    train: dict[str, Any] | None = None,
    images: ImageSet = IMAGES,
    validation: ImageSet = VALIDATION,
    **options: Any,
) -> Trained:
    return train_detector(
        dataclasses.replace(MODEL, **(model or {})),
        dataclasses.replace(TRAIN, **(train or {})),
        LIGHT,
        images=images,
        validation=validation,
        seed=0,
        **options,
    )


def _same(one: Trained, other: Trained) -> bool:
    first, second = one.detector.state_dict(), other.detector.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    "train",
    [
        {},
        {"paste": 0.5, "paste_source": "both", "balance": "halves"},
        {"ema": 0.95, "accumulate": 2, "class_weights": "inverse", "label_smoothing": 0.1},
        {"loss_dice": 0.0, "loss_focal": 0.0, "loss_tversky": 1.0, "pixel_weight": 3.0},
    ],
    ids=["plain", "pasted", "averaged", "tversky"],
)
def test_every_recipe_learns_to_tell_spots_from_none(train: dict[str, Any]) -> None:
    trained = _train(train=train | {"epochs": 6})
    assert assess(trained.detector, TEST)["auroc"] > 0.95
    assert trained.detector.classes == CLASSES
    assert not trained.detector.training
    assert trained.history[trained.best_epoch][MONITOR] == max(figures[MONITOR] for figures in trained.history)


def test_pieces_teach_a_detector_that_judges_whole_images() -> None:
    trained = _train({"size_px": 64}, {"crop_px": 32, "epochs": 6}, spots(96, size=64), spots(48, size=64, seed=1))
    assert trained.detector.size == 64
    assert assess(trained.detector, spots(64, size=64, seed=2))["auroc"] > 0.95


@pytest.mark.parametrize(
    ("model", "train", "told"),
    [
        (
            {"encoder": "swin_tiny_patch4_window7_224", "width": 16, "depths": (1, 1), "heads": (1, 2), "size_px": 64},
            {"crop_px": 32},
            "swin_tiny_patch4_window7_224 is built for one size of image",
        ),
        (
            {"encoder": "vit_tiny_patch16_224", "width": 24, "depths": (2,), "heads": (3,), "size_px": 64},
            {"crop_px": 32},
            "vit_tiny_patch16_224 is built for one size of image; take a convolutional encoder",
        ),
        ({}, {"crop_px": 36}, r"expected at most ModelSettings\.size_px = 32"),
        ({"kind": "padim"}, {"crop_px": 32}, "padim looks at whole images only"),
    ],
)
def test_crops_that_cannot_be_are_refused(model: dict[str, Any], train: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        _train(model, train)


def test_crops_leave_out_defects_without_a_mask_and_say_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    images = spots(48, size=48)
    masked = images.masked.copy()
    masked[np.flatnonzero(images.labels)[:5]] = False
    bare = dataclasses.replace(images, masked=masked)
    _train({"size_px": 48}, {"crop_px": 32, "epochs": 1}, bare, spots(16, size=48, seed=1))
    assert "5 defective images without a mask are left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kept", "count", "way"), [("good", 0, "kind=patchcore"), ("defective", 40, "add good images, or name the class")]
)
def test_a_training_split_of_one_kind_is_refused(kept: str, count: int, way: str) -> None:
    chosen = (IMAGES.labels > 0) == (kept == "defective")
    with pytest.raises(InputError, match=rf"train split: {count} of 40 usable images are defective.*{way}"):
        _train(images=subset(IMAGES, chosen))


def test_a_validation_without_defects_chooses_the_epoch_by_pasted_ones(capsys: pytest.CaptureFixture[str]) -> None:
    trained = _train(train={"epochs": 2}, validation=_good(VALIDATION))
    assert set(trained.history[0]) == set(FIGURES)
    assert "defects are pasted onto the validation images to choose the epoch by" in capsys.readouterr().err


def test_a_validation_without_good_images_is_refused_with_what_helps() -> None:
    with pytest.raises(InputError, match="validation split: 16 of 16 images are defective.*add good images"):
        _train(validation=subset(VALIDATION, VALIDATION.labels > 0))


def test_a_class_with_a_single_image_is_trained_on_like_the_others() -> None:
    labels = IMAGES.labels.copy()
    labels[np.flatnonzero(labels == 2)[1:]] = 1
    trained = _train(
        train={"epochs": 1, "balance": "classes", "class_weights": "inverse", "paste": 0.5},
        images=dataclasses.replace(IMAGES, labels=labels),
    )
    assert set(trained.history[0]) == set(FIGURES)


def test_kind_simulated_learns_from_good_images_alone() -> None:
    trained = _train({"kind": "simulated"}, {"epochs": 2})
    alone = _train({"kind": "simulated"}, {"epochs": 2}, images=_good(IMAGES))
    assert _same(trained, alone)
    assert not trained.detector.names_defects
    assert "recall_good" not in assess(trained.detector, TEST)


def test_without_any_real_defect_simulated_ones_are_validated_on(capsys: pytest.CaptureFixture[str]) -> None:
    images, validation = (dataclasses.replace(_good(some), classes=("good",)) for some in (IMAGES, VALIDATION))
    trained = _train({"kind": "simulated"}, {"epochs": 2}, images=images, validation=validation)
    assert "no real defect to validate on" in capsys.readouterr().err
    assert trained.detector.classes == ("good", "defect")
    assert all(set(figures) == set(FIGURES) for figures in trained.history)


def test_kind_simulated_without_good_images_is_refused() -> None:
    with pytest.raises(InputError, match="no image is good"):
        _train({"kind": "simulated"}, images=subset(IMAGES, IMAGES.labels > 0))


@pytest.mark.parametrize("kind", ["patchcore", "padim"])
def test_one_pass_kinds_learn_from_good_images_alone(kind: str) -> None:
    told: list[tuple[int, dict[str, float]]] = []
    trained = _train({"kind": kind}, on_epoch=lambda epoch, figures: told.append((epoch, figures)))
    assert _same(trained, _train({"kind": kind}, images=_good(IMAGES)))
    assert told == [(0, trained.history[0])]
    assert set(trained.history[0]) == {"val_auroc", "val_ap", "val_iou", MONITOR}
    assert assess(trained.detector, TEST)["auroc"] > 0.9


def test_one_pass_kinds_do_without_defects_to_validate_on() -> None:
    trained = _train({"kind": "padim"}, validation=_good(VALIDATION))
    assert MONITOR not in trained.history[0]
    assert trained.best_epoch == 0


def test_members_are_the_detectors_of_their_seeds() -> None:
    told: list[int] = []
    trained = _train({"members": 2}, {"epochs": 2}, on_epoch=lambda epoch, figures: told.append(epoch))
    assert isinstance(trained.detector, Ensemble)
    assert told == [0, 1, 2, 3]
    short = dataclasses.replace(TRAIN, epochs=2)
    alone = [train_detector(MODEL, short, LIGHT, images=IMAGES, validation=VALIDATION, seed=seed) for seed in (0, 1)]
    for member, single in zip(trained.detector.members, alone, strict=True):
        state = single.detector.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in member.state_dict().items())
    means = [np.mean([single.history[epoch]["val_ap"] for single in alone]) for epoch in range(2)]
    assert [figures["val_ap"] for figures in trained.history] == pytest.approx(means)


class PowerCut(Exception):
    pass


def test_an_ensemble_cut_off_in_its_second_member_goes_on_to_the_same_result(tmp_path: Path) -> None:
    changes: tuple[dict[str, Any], dict[str, Any]] = {"members": 2}, {"epochs": 2, "ema": 0.9, "paste": 0.3}
    whole = _train(*changes)

    def cut(epoch: int, figures: dict[str, float]) -> None:
        if epoch == 2:
            raise PowerCut

    with pytest.raises(PowerCut):
        _train(*changes, state=tmp_path, on_epoch=cut)
    told: list[int] = []
    resumed = _train(*changes, state=tmp_path, on_epoch=lambda epoch, figures: told.append(epoch))
    assert told == [3]
    assert resumed.history == whole.history
    assert _same(resumed, whole)
