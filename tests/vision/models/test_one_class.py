import dataclasses
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from tests.vision.models.networks import CLASSES
from tests.vision.spots import good_spots, spots
from twinloop.errors import InputError
from twinloop.vision.index import ImageSet
from twinloop.vision.models.one_class import OneClassDetector
from twinloop.vision.models.padim import Padim
from twinloop.vision.models.patchcore import PatchCore
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.scores import anomaly_score

KINDS = {"patchcore": PatchCore, "padim": Padim}
EACH = pytest.mark.parametrize("kind", sorted(KINDS))


def settings(kind: str) -> ModelSettings:
    return ModelSettings(kind=kind, width=8, bank_patches=200, gaussian_dims=20)  # type: ignore[arg-type]


def unfitted(kind: str, **changes: object) -> OneClassDetector:
    torch.manual_seed(0)
    changed = dataclasses.replace(settings(kind), **changes)
    return KINDS[kind](changed, classes=CLASSES, size=32, channels=1)


def pixels(images: ImageSet) -> Tensor:
    return torch.from_numpy(images.images).permute(0, 3, 1, 2).float() / 255


def fitted(kind: str, **changes: object) -> OneClassDetector:
    model = unfitted(kind, **changes)
    model.fit(pixels(good_spots(60)).split(16), held_out=pixels(good_spots(40, seed=1)).split(16), seed=0)
    return model


@EACH
def test_defects_never_seen_are_found_and_located(kind: str) -> None:
    judged = spots(80, seed=9)
    with torch.inference_mode():
        logits, heat = fitted(kind)(pixels(judged))
    assert roc_auc_score(judged.labels > 0, anomaly_score(logits.numpy())) > 0.8
    enlarged = heat.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)[:, 0].numpy()
    assert roc_auc_score(judged.masks.ravel(), enlarged.ravel()) > 0.8


@EACH
def test_logit_zero_is_what_one_in_a_thousand_good_pixels_exceeds(kind: str) -> None:
    logits, heat = fitted(kind)(pixels(good_spots(40, seed=1)))
    places = heat.numpy().ravel()
    assert (places > 1e-4).sum() == pytest.approx(0.001 * places.size, abs=1)
    assert np.median(places) == pytest.approx(-math.log(999), abs=0.01)
    scores = anomaly_score(logits.numpy())
    assert scores.mean() == pytest.approx(-math.log(999), abs=1e-3)
    assert scores.std(ddof=1) == pytest.approx(math.log(999) / 3, rel=1e-3)


@EACH
def test_a_kind_that_names_no_defects_spreads_its_score(kind: str) -> None:
    model = fitted(kind)
    logits, _ = model(pixels(spots(4)))
    assert not model.names_defects
    assert logits.shape == (4, 3)
    assert torch.equal(logits[:, 1], logits[:, 2])


@EACH
def test_the_same_seed_fits_the_same_detector(kind: str) -> None:
    images = pixels(spots(4))
    for mine, theirs in zip(fitted(kind)(images), fitted(kind)(images), strict=True):
        assert torch.equal(mine, theirs)


@EACH
def test_a_detector_that_was_not_fitted_is_refused(kind: str) -> None:
    with pytest.raises(InputError, match=f"{kind}: this detector was not fitted: train it on good images first"):
        unfitted(kind)(torch.rand(1, 1, 32, 32))


@EACH
@pytest.mark.parametrize(
    ("good", "held_out", "named"), [(0, 4, "learn, got 0"), (1, 4, "learn, got 1"), (8, 1, "out, got 1")]
)
def test_too_few_images_are_refused(kind: str, good: int, held_out: int, named: str) -> None:
    def batches(count: int) -> list[Tensor]:
        return [pixels(good_spots(count))] if count else []

    with pytest.raises(InputError, match=f"{kind}: expected at least 2 good images .*{named}"):
        unfitted(kind).fit(batches(good), held_out=batches(held_out), seed=0)


@EACH
def test_images_that_are_all_alike_give_finite_logits(kind: str) -> None:
    model, grey = unfitted(kind), torch.full((4, 1, 32, 32), 0.5)
    model.fit([grey], held_out=[grey], seed=0)
    for output in model(torch.rand(2, 1, 32, 32)):
        assert bool(torch.isfinite(output).all())


def test_training_mode_leaves_the_frozen_encoder_alone() -> None:
    model = fitted("padim")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()(torch.rand(4, 1, 32, 32))
    assert not model.training
    assert not any(value.requires_grad for value in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_the_heat_map_has_the_configured_stride(stride: int) -> None:
    assert fitted("padim", heat_stride=stride)(torch.rand(1, 1, 32, 32))[1].shape == (1, 1, 32 // stride, 32 // stride)


def test_smoothing_keeps_the_level_and_flattens_the_peaks() -> None:
    images = pixels(spots(8))
    models = [fitted("patchcore", blur_px=blur) for blur in (0.0, 3.0)]
    raw, smooth = (model._judge(model.embed(images))[1] for model in models)
    assert smooth.std() < raw.std()
    assert smooth.mean().item() == pytest.approx(raw.mean().item(), rel=0.02)


@pytest.mark.parametrize("family", ["swin", "vit"])
def test_attention_encoders_give_features_too(family: str) -> None:
    encoders = {
        "swin": {"encoder": "swin_tiny_patch4_window7_224", "width": 16, "depths": (1, 1), "heads": (1, 2)},
        "vit": {"encoder": "vit_tiny_patch16_224", "width": 16, "depths": (2,), "heads": (2,), "patch_px": 4},
    }
    logits, heat = fitted("patchcore", **encoders[family])(pixels(spots(2)))
    assert (logits.shape, heat.shape) == ((2, 3), (2, 1, 16, 16))
