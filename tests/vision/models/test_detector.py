import dataclasses
from typing import Literal

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.vision.models.networks import CLASSES, SHRUNK, detector
from twinloop.errors import InputError
from twinloop.vision.models import base
from twinloop.vision.models.detector import Detector
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.scores import anomaly_score

SIMULATED = ModelSettings(kind="simulated", width=8, decoder_width=8)


def plain(settings: ModelSettings = SHRUNK["resnet"]) -> Detector:
    model = detector(settings)
    assert isinstance(model, Detector)
    return model


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_the_heat_map_has_the_configured_stride(stride: int) -> None:
    settings = ModelSettings(width=8, decoder_width=8, heat_stride=stride)
    assert detector(settings, size=36)(torch.rand(1, 1, 36, 36))[1].shape[-1] == 36 // stride


def test_an_image_is_judged_alike_alone_and_in_company() -> None:
    model, images = detector(), torch.rand(3, 1, 32, 32)
    together, alone = model(images), model(images[1:2])
    torch.testing.assert_close(together[0][1:2], alone[0])
    torch.testing.assert_close(together[1][1:2], alone[1])


def test_attention_is_where_the_heat_is_and_sums_to_one() -> None:
    model, images = plain(), torch.rand(2, 1, 32, 32)
    attention, heat = model.attention(images), model(images)[1]
    assert attention.shape == (2, 1, 8, 8)
    torch.testing.assert_close(attention.sum(dim=(1, 2, 3)), torch.ones(2))
    coarse = functional.avg_pool2d(heat, 2)
    assert attention.flatten(1).argmax(1).tolist() == coarse.flatten(1).argmax(1).tolist()


def test_normalisation_is_inside_the_model() -> None:
    model, images = detector(), torch.rand(2, 1, 32, 32)
    model.normalise_to(torch.tensor([0.5]), torch.tensor([0.25]))
    before = model(images)[0]
    model.normalise_to(torch.tensor([0.25]), torch.tensor([0.125]))
    torch.testing.assert_close(model(images / 2)[0], before)


def test_normalised_by_itself_an_image_is_judged_alike_at_any_exposure() -> None:
    model = plain(dataclasses.replace(SHRUNK["resnet"], normalise="image")).eval()
    images = torch.rand(2, 1, 32, 32)
    logits, heat = model(images)
    darker = model(0.6 * images + 0.1)
    # Nearly: what is added to the deviation, against noise in empty images, stays.
    torch.testing.assert_close(darker[0], logits, rtol=0.05, atol=0.05)
    torch.testing.assert_close(darker[1], heat, rtol=0.05, atol=0.05)
    assert torch.isfinite(model(torch.full((1, 1, 32, 32), 0.5))[0]).all()


def test_training_sees_equalised_images_as_judging_sees_them() -> None:
    model = plain(dataclasses.replace(SHRUNK["resnet"], normalise="image"))
    model.normalise_to(torch.tensor([base.MIDDLE]), torch.tensor([base.UNIT]))
    pixels = np.random.default_rng(0).integers(40, 90, (3, 32, 32, 1), dtype=np.uint8)
    pixels[1, 4, 4] = 255
    as_input = [torch.from_numpy(kind.transpose(0, 3, 1, 2)) / 255 for kind in (base.equalised(pixels), pixels)]
    shown, judged = model.train().normalised(as_input[0]), model.eval().normalised(as_input[1])
    torch.testing.assert_close(shown, judged, rtol=0, atol=0.5 / 42 + 1e-5)
    assert judged.max() == base.EXTREME


@pytest.mark.parametrize(
    ("classes", "size", "channels"),
    [(("crack", "good"), 32, 1), (("good",), 32, 1), (CLASSES, 30, 1), (CLASSES, 16, 1), (CLASSES, 32, 2)],
)
def test_impossible_detectors_are_refused(classes: tuple[str, ...], size: int, channels: int) -> None:
    with pytest.raises(InputError, match="expected"):
        Detector(SHRUNK["resnet"], classes=classes, size=size, channels=channels)


def test_a_vit_refuses_images_that_its_patches_do_not_tile() -> None:
    with pytest.raises(InputError, match="images of 36 px .* expected a multiple of 8 from 32 on"):
        detector(SHRUNK["vit"], size=36)


def test_a_detector_of_simulated_anomalies_spreads_one_score_over_the_defects() -> None:
    model = detector(SIMULATED)
    logits, heat = model(torch.rand(4, 1, 32, 32))
    assert (model.names_defects, detector().names_defects) == (False, True)
    assert (logits.shape, heat.shape) == ((4, 3), (4, 1, 16, 16))
    assert torch.equal(logits[:, 1], logits[:, 2])
    assert not logits[:, 0].any()


@pytest.mark.parametrize("classes", [("good", "defect"), CLASSES, ("good", *map(str, range(20)))])
def test_spreading_gives_back_the_anomaly_score(classes: tuple[str, ...]) -> None:
    model = Detector(SIMULATED, classes=classes, size=32, channels=1)
    score = torch.tensor([-80.0, -1.5, 0.0, 3.0, 60.0])
    logits = model.spread(score)
    np.testing.assert_allclose(anomaly_score(logits.numpy()), score, atol=1e-5)
    torch.testing.assert_close(base.anomaly_score(logits), score, atol=1e-5, rtol=1e-6)


def test_cross_entropy_of_a_spread_score_teaches_what_binary_cross_entropy_teaches() -> None:
    model = plain(SIMULATED)
    labels = torch.tensor([0, 1, 2, 2])
    gradients = []
    for loss in (
        lambda logits: functional.cross_entropy(logits, labels),
        lambda logits: functional.binary_cross_entropy_with_logits(base.anomaly_score(logits), (labels > 0).float()),
    ):
        score = torch.tensor([-1.0, 2.0, 0.5, -3.0], requires_grad=True)
        loss(model.spread(score)).backward()
        gradients.append(score.grad)
    torch.testing.assert_close(gradients[0], gradients[1])


def test_colour_and_grey_take_the_same_settings() -> None:
    settings = dataclasses.replace(SHRUNK["resnet"], channels=3)
    assert detector(settings, channels=3)(torch.rand(1, 3, 32, 32))[0].shape == (1, 3)


@pytest.mark.parametrize("kind", ["supervised", "simulated"])
def test_an_image_can_be_judged_by_its_hottest_places(kind: Literal["supervised", "simulated"]) -> None:
    settings = ModelSettings(kind=kind, width=8, decoder_width=8, heat_stride=1, image_score="heat")
    model, images = plain(settings), torch.rand(3, 1, 32, 32)
    logits, heat = model(images)
    # Three thousandths of 32 × 32 places.
    expected = heat.flatten(1).sort(dim=1).values[:, -3:].mean(dim=1)
    torch.testing.assert_close(base.anomaly_score(logits), expected)
    by_head = plain(dataclasses.replace(settings, image_score="head"))(images)[0]
    torch.testing.assert_close(logits[:, 1:].softmax(dim=1), by_head[:, 1:].softmax(dim=1))
