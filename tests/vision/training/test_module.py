import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from tests.vision.spots import CLASSES, spots
from twinloop.errors import InputError
from twinloop.learning.fit import fit
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.loading import subset
from twinloop.vision.training.module import (
    FIGURES,
    MONITOR,
    DetectorTraining,
    assess,
    learning_rate_factor,
    new_detector,
    new_optimizer,
)
from twinloop.vision.training.settings import AugmentationSettings, DetectorStudySettings, TrainSettings
from twinloop.vision.training.trial import DetectorTrial, part_share

MODEL = ModelSettings(size_px=32, width=8, decoder_width=16, heat_stride=2, dropout=0.0)
TRAIN = TrainSettings(epochs=6, batch_size=16, learning_rate=0.01)
LIGHT = AugmentationSettings(lamp_share=0, noise_share=0, blur_share=0)


def test_bright_and_dark_spots_are_learnt_found_and_told_apart() -> None:
    module = DetectorTraining(MODEL, TRAIN, LIGHT, train=spots(128), validation=spots(64, seed=1), seed=0)
    fitted = fit(module, TRAIN, monitor=MONITOR, seed=0)
    assert [set(figures) for figures in fitted.history] == [set(FIGURES)] * 6
    assert fitted.history[-1]["train_loss"] < 0.5 * fitted.history[0]["train_loss"]
    found = assess(module.detector, spots(64, seed=2))
    assert found["auroc"] > 0.95
    assert found["iou"] > 0.5
    assert {f"recall_{name}" for name in CLASSES} < set(found)


def test_the_logged_figures_are_those_of_the_assessment() -> None:
    validation = spots(64, seed=1)
    train = dataclasses.replace(TRAIN, epochs=1)
    module = DetectorTraining(MODEL, train, LIGHT, train=spots(64), validation=validation, seed=0)
    logged = fit(module, train, monitor=MONITOR, seed=0).best
    found = assess(module.detector, validation)
    for name in ("auroc", "ap", "iou"):
        assert logged[f"val_{name}"] == pytest.approx(found[name], abs=1e-6)
    assert logged[MONITOR] == pytest.approx((found["ap"] + found["iou"]) / 2, abs=1e-6)


@pytest.mark.parametrize(("kept", "missing"), [("good", "defective"), ("defective", "good")])
def test_a_validation_split_of_one_kind_is_refused_with_what_is_missing(kept: str, missing: str) -> None:
    images = spots(64)
    chosen = (images.labels > 0) == (kept == "defective")
    one_kind = dataclasses.replace(images, labels=images.labels[chosen], images=images.images[chosen])
    with pytest.raises(InputError, match=f"expected some of both kinds to choose the epoch by; add {missing} images"):
        DetectorTraining(MODEL, TRAIN, LIGHT, train=images, validation=one_kind, seed=0)


def test_the_learning_rate_rises_linearly_and_falls_along_a_cosine() -> None:
    factors = [learning_rate_factor(step, steps=100, warmup=0.1) for step in range(101)]
    assert factors[0] == pytest.approx(1 / 11)
    assert factors[10] == 1.0
    assert factors[55] == pytest.approx(0.5)
    assert factors[100] == pytest.approx(0.0)
    assert learning_rate_factor(0, steps=100, warmup=0.0) == 1.0


def test_normalisation_follows_the_training_images() -> None:
    images = spots(32, channels=3)
    detector = new_detector(MODEL, images, seed=0)
    pixels = images.images / 255
    assert np.allclose(detector.mean.flatten().numpy(), pixels.mean(axis=(0, 1, 2)), atol=1e-6)
    assert np.allclose(detector.std.flatten().numpy(), pixels.std(axis=(0, 1, 2)), atol=1e-6)


def test_a_detector_of_good_images_alone_has_one_class_that_stands_for_any_defect() -> None:
    good = dataclasses.replace(spots(8), classes=("good",), labels=np.zeros(8, np.int64))
    assert new_detector(MODEL, good, seed=0).classes == ("good", "defect")
    assert new_detector(MODEL, spots(8), seed=0).classes == CLASSES


@pytest.mark.parametrize(("batches", "accumulate", "steps"), [(4, 1, 4), (4, 3, 2), (4, 9, 1)])
def test_the_schedule_ends_with_the_last_step(batches: int, accumulate: int, steps: int) -> None:
    train = dataclasses.replace(TRAIN, epochs=1, accumulate=accumulate, warmup=0.0, learning_rate=1.0)
    module = DetectorTraining(MODEL, train, LIGHT, train=spots(16 * batches), validation=spots(16, seed=1), seed=0)
    schedule: Any = module.configure_optimizers()["lr_scheduler"]
    rates = [schedule["scheduler"].lr_lambdas[0](step) for step in range(steps + 1)]
    assert rates[0] == 1.0
    assert rates[steps] == pytest.approx(0.0, abs=1e-9)
    assert min(rates[:steps]) > 0.1


def test_class_weights_follow_the_training_images() -> None:
    train = dataclasses.replace(TRAIN, class_weights="inverse")
    module = DetectorTraining(MODEL, train, LIGHT, train=spots(64), validation=spots(16, seed=1), seed=0)
    assert module.loss.class_weights is not None
    assert module.loss.class_weights.tolist() == pytest.approx([64 / (3 * 32), 64 / (3 * 16), 64 / (3 * 16)])
    # Neither the saved weights nor a resumed run's depend on them.
    assert "loss.class_weights" not in module.state_dict()


def test_an_objective_without_defects_to_rank_by_is_refused() -> None:
    validation = subset(spots(32, seed=1), spots(32, seed=1).labels == 0)
    padim = dataclasses.replace(MODEL, kind="padim")
    objective = DetectorTrial(
        padim, TRAIN, LIGHT, DetectorStudySettings(epochs=1), images=spots(32), validation=validation, seed=0
    )
    with pytest.raises(InputError, match=r"nothing ranks the trials; set StudySettings\.trials=0"):
        objective({}, lambda epoch, score: None)


def test_a_seed_decides_the_first_weights() -> None:
    first, again, other = (new_detector(MODEL, spots(8), seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_biases_and_norms_do_not_decay() -> None:
    decayed, spared = new_optimizer(new_detector(MODEL, spots(8), seed=0), TRAIN).param_groups
    assert decayed["weight_decay"] == TRAIN.weight_decay
    assert spared["weight_decay"] == 0.0
    assert {value.ndim for value in spared["params"]} == {1}


def test_a_share_of_the_parts_is_seeded_and_takes_whole_parts() -> None:
    images = spots(80)
    share = part_share(images, 0.25, seed=3)
    assert len(set(share.groups)) == 10
    assert len(share) == 20
    assert share.names == part_share(images, 0.25, seed=3).names
    assert share.names != part_share(images, 0.25, seed=4).names
    assert len(part_share(images, 1.0, seed=3)) == 80


def test_an_objective_reports_every_epoch_and_returns_the_best_precision() -> None:
    objective = DetectorTrial(
        MODEL, TRAIN, LIGHT, DetectorStudySettings(epochs=2), images=spots(32), validation=spots(16, seed=1), seed=0
    )
    reported: list[tuple[int, float]] = []
    value = objective({"model.width": 4}, lambda epoch, score: reported.append((epoch, score)))
    assert [epoch for epoch, _ in reported] == [0, 1]
    assert value == max(score for _, score in reported)
