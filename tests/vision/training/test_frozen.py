"""A small network on a frozen encoder's features learns what masks show; the encoder stays as published."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.vision.models.weights import FROZEN, frozen
from tests.vision.spots import good_spots, spots
from twinloop.errors import InputError
from twinloop.vision.index import ImageSet
from twinloop.vision.models.ensemble import Ensemble, View
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.training.crossvalidation import cross_validate
from twinloop.vision.training.fitting import Trained, frozen_features, train_detector
from twinloop.vision.training.frozen import Features, draw_places
from twinloop.vision.training.loading import subset
from twinloop.vision.training.module import assess, new_detector
from twinloop.vision.training.settings import AugmentationSettings, TrainSettings

IMAGES, VALIDATION, TEST = spots(32, size=64), spots(8, size=64, seed=1), spots(24, size=64, seed=2)


def train(
    model: ModelSettings, images: ImageSet = IMAGES, validation: ImageSet = VALIDATION, **options: Any
) -> Trained:
    return train_detector(
        model, TrainSettings(), AugmentationSettings(), images=images, validation=validation, seed=0, **options
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelSettings]:
    with pytest.MonkeyPatch.context() as patch:
        yield frozen(tmp_path_factory.mktemp("weights"), patch)


@pytest.fixture(scope="module")
def trained(model: ModelSettings) -> Trained:
    return train(model)


def test_spots_are_told_from_none_and_named_and_the_encoder_stays(model: ModelSettings, trained: Trained) -> None:
    figures = assess(trained.detector, TEST)
    assert figures["auroc"] > 0.95
    # A third of the classes is chance.
    assert min(figures["recall_bright"], figures["recall_dark"]) > 0.5
    assert figures["pixel_auroc"] > 0.9
    untouched = new_detector(model, IMAGES, seed=5).state_dict()
    weights = trained.detector.state_dict()
    assert all(torch.equal(weights[name], untouched[name]) for name in weights if name.startswith("encoder."))


def test_several_views_vote_and_a_validation_without_defects_is_no_hindrance(
    model: ModelSettings, trained: Trained
) -> None:
    voting = train(dataclasses.replace(model, symmetries="mirror"), validation=good_spots(8, size=64)).detector
    assert isinstance(voting, Ensemble)
    images = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(voting(images)[0], voting(images.flip(3))[0], atol=1e-4, rtol=1e-4)
    assert assess(voting, TEST)["auroc"] > 0.9


def test_a_view_teaches_with_its_own_image_and_mask(model: ModelSettings, tmp_path: Path) -> None:
    def turned(image: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
        return np.rot90(image[:, ::-1] if view[0] else image, view[1])

    def taught(settings: ModelSettings, shown: ImageSet, folder: str) -> tuple[Features, Tensor]:
        features = frozen_features(settings, shown, tmp_path / folder, seed=3, threads=1)
        places = draw_places(shown, features, random=torch.Generator().manual_seed(0))
        return features, places.features.float()

    features, viewed = taught(dataclasses.replace(model, symmetries="mirror"), IMAGES, "viewed")
    assert len(set(features.shown)) == 4
    pictures, masks = (
        np.stack([turned(image, view) for image, view in zip(each, features.shown, strict=True)])
        for each in (IMAGES.images, IMAGES.masks)
    )
    torch.testing.assert_close(
        viewed, taught(model, dataclasses.replace(IMAGES, images=pictures, masks=masks), "turned")[1]
    )


def test_good_images_with_pasted_defects_teach_it_where_there_are_no_others(model: ModelSettings) -> None:
    detector = train(dataclasses.replace(model, kind="simulated"), good_spots(16, size=64)).detector
    assert assess(detector, TEST)["auroc"] > 0.8
    assert not detector.names_defects


def test_labels_of_images_alone_teach_where_the_defect_is(model: ModelSettings) -> None:
    unmarked = dataclasses.replace(IMAGES, masked=IMAGES.labels == 0, masks=np.zeros_like(IMAGES.masks))
    figures = assess(train(model, unmarked).detector, TEST)
    assert figures["auroc"] > 0.8
    assert figures["pixel_auroc"] > 0.8


def test_every_defect_weighs_the_same_however_large(model: ModelSettings, tmp_path: Path) -> None:
    images = spots(8, size=64)
    images.masks[2] = 0
    images.masks[2, :4, :4] = 1
    features = frozen_features(model, images, tmp_path / "features", seed=0, threads=1)
    places = draw_places(images, features, random=torch.Generator().manual_seed(0))
    weights = places.weight[places.defective > 0]
    # The first defective image has a single place, the others at least four.
    assert weights[0].item() == pytest.approx(float(weights.sum()) / int((images.labels > 0).sum()), rel=1e-4)
    assert weights.sum().item() == pytest.approx(float(places.weight[places.defective == 0].sum()), rel=1e-4)


def test_folds_share_the_features(model: ModelSettings) -> None:
    validated = cross_validate(
        model,
        TrainSettings(),
        AugmentationSettings(),
        images=IMAGES,
        folds=2,
        val_share=0.1,
        seed=0,
        average_exposures=True,
    )
    assert validated.means["auroc"].mean > 0.9


@pytest.mark.parametrize(
    ("settings", "images", "told"),
    [
        ({}, subset(IMAGES, IMAGES.labels > 0), "what is good cannot be learnt from defects alone: add good images"),
        ({"crop_px": 32}, IMAGES, "a frozen encoder looks at whole images only"),
        ({}, good_spots(8, size=64), "0 of 8 usable images are defective"),
    ],
)
def test_images_that_cannot_teach_it_are_refused(
    model: ModelSettings, settings: dict[str, int], images: ImageSet, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        train_detector(
            model, TrainSettings(**settings), AugmentationSettings(), images=images, validation=VALIDATION, seed=0
        )


def test_weights_must_be_located_first() -> None:
    with pytest.raises(InputError, match="look for it first"):
        train(FROZEN)
