import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.vision.models.networks import CLASSES, TOLERANCE, detector, export_difference
from twinloop.errors import InputError
from twinloop.vision.models.base import anomaly_score
from twinloop.vision.models.detector import Detector
from twinloop.vision.models.ensemble import Ensemble
from twinloop.vision.models.settings import ModelSettings

SINGLE = ModelSettings(width=8, decoder_width=8)
THREE = ModelSettings(width=8, decoder_width=8, members=3)


def members(*seeds: int, kind: str = "supervised") -> list[Detector]:
    settings = ModelSettings(kind=kind, width=8, decoder_width=8)  # type: ignore[arg-type]
    found = [detector(settings, seed=seed) for seed in seeds]
    assert all(isinstance(member, Detector) for member in found)
    return found  # type: ignore[return-value]


class Says(nn.Module):
    """A member with fixed answers."""

    def __init__(self, logits: Tensor, heat: Tensor) -> None:
        super().__init__()
        self.answers = logits, heat

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.answers


def answering(*answers: tuple[Tensor, Tensor]) -> Ensemble:
    ensemble = Ensemble(ModelSettings(width=8, decoder_width=8, members=len(answers)), members(*range(len(answers))))
    ensemble.members = nn.ModuleList(Says(*answer) for answer in answers)
    return ensemble


def test_identical_members_judge_as_one() -> None:
    member, images = members(4)[0], torch.rand(3, 1, 32, 32)
    logits, heat = Ensemble(THREE, [member, *members(4, 4)]).eval()(images)
    alone = member(images)
    torch.testing.assert_close(logits.softmax(dim=1), alone[0].softmax(dim=1))
    torch.testing.assert_close(anomaly_score(logits), anomaly_score(alone[0]))
    torch.testing.assert_close(heat, alone[1])


def test_probabilities_are_averaged_not_logits() -> None:
    # Probabilities 0.9 and 0.5 of a place, and (0.8, 0.1, 0.1) and (0.2, 0.7, 0.1) of the classes.
    first = torch.tensor([[0.8, 0.1, 0.1]]).log() + 5, torch.tensor([[[[0.9]]]]).logit()
    second = torch.tensor([[0.2, 0.7, 0.1]]).log() - 3, torch.tensor([[[[0.5]]]]).logit()
    logits, heat = answering(first, second)(torch.zeros(1, 1, 1, 1))
    torch.testing.assert_close(logits.exp(), torch.tensor([[0.5, 0.4, 0.1]]))
    torch.testing.assert_close(heat.sigmoid(), torch.tensor([[[[0.7]]]]))


@pytest.mark.parametrize("far", [30.0, 300.0])
def test_certain_members_leave_a_finite_answer(far: float) -> None:
    sure = torch.tensor([[0.0, far, 0.0]]), torch.full((1, 1, 1, 1), far)
    logits, heat = answering(sure, sure)(torch.zeros(1, 1, 1, 1))
    assert anomaly_score(logits).item() == pytest.approx(far, rel=1e-5)
    assert heat.item() == pytest.approx(far, rel=1e-5)
    contrary = torch.tensor([[far, 0.0, 0.0]]), torch.full((1, 1, 1, 1), -far)
    logits, heat = answering(sure, contrary)(torch.zeros(1, 1, 1, 1))
    assert anomaly_score(logits).item() == pytest.approx(0, abs=1e-4)
    assert heat.item() == pytest.approx(0, abs=1e-4)


def test_the_registry_gives_each_member_its_own_seed() -> None:
    ensemble, images = detector(THREE, seed=5), torch.rand(2, 1, 32, 32)
    assert isinstance(ensemble, Ensemble)
    for member, same in zip(ensemble.members, members(5, 6, 7), strict=True):
        assert torch.equal(member(images)[0], same(images)[0])
    assert not torch.equal(ensemble.members[0](images)[0], ensemble.members[1](images)[0])


def test_normalisation_reaches_every_member() -> None:
    ensemble = Ensemble(THREE, members(0, 1, 2))
    ensemble.normalise_to(torch.tensor([0.3]), torch.tensor([0.2]))
    assert [round(member.mean.item(), 3) for member in (ensemble, *ensemble.members)] == [0.3] * 4


def test_attention_of_an_ensemble_sums_to_one() -> None:
    ensemble = Ensemble(THREE, members(0, 1, 2)).eval()
    attention = ensemble.attention(torch.rand(2, 1, 32, 32))
    torch.testing.assert_close(attention.sum(dim=(1, 2, 3)), torch.ones(2))


def test_members_that_name_no_defects_still_name_none_together() -> None:
    settings = ModelSettings(kind="simulated", width=8, decoder_width=8, members=2)
    ensemble = Ensemble(settings, members(0, 1, kind="simulated")).eval()
    logits, _ = ensemble(torch.rand(2, 1, 32, 32))
    assert not ensemble.names_defects
    torch.testing.assert_close(logits[:, 1], logits[:, 2])


def test_members_that_do_not_fit_together_are_refused() -> None:
    other = Detector(SINGLE, classes=("good", "crack"), size=32, channels=1)
    for unfit in (members(0, 1), [*members(0, 1), other], members(0, 1, 2, kind="simulated")):
        with pytest.raises(InputError, match="expected 3 supervised detectors of the same classes"):
            Ensemble(THREE, unfit)


def test_an_ensemble_is_one_graph(tmp_path: Path) -> None:
    model = detector(ModelSettings(kind="simulated", width=8, decoder_width=8, members=2))
    assert (model.classes, model.size, model.channels) == (CLASSES, 32, 1)
    assert export_difference(model, tmp_path / "detector.onnx", batch=3) < TOLERANCE
    assert [path.name for path in tmp_path.iterdir()] == ["detector.onnx"]


@pytest.mark.parametrize(("symmetries", "count"), [("mirror", 4), ("square", 8)])
def test_an_image_and_its_symmetries_get_the_same_judgement(symmetries: str, count: int, tmp_path: Path) -> None:
    model = detector(dataclasses.replace(SINGLE, symmetries=symmetries), seed=1).eval()
    images = torch.rand(2, 1, 32, 32)
    logits, heat = model(images)
    turned_logits, turned_heat = model(images.rot90(2, (2, 3)).flip(3))
    torch.testing.assert_close(turned_logits, logits)
    torch.testing.assert_close(turned_heat, heat.rot90(2, (2, 3)).flip(3))
    turned = model(images.rot90(1, (2, 3)))[0]
    assert torch.allclose(turned, logits, atol=1e-5) == (count == 8)
    assert export_difference(model, tmp_path / "detector.onnx", batch=3) < TOLERANCE


def test_views_are_averaged_where_they_belong() -> None:
    # The member calls the brightest place defective, so every view must give it back in the same corner.
    model = Ensemble(dataclasses.replace(SINGLE, symmetries="square"), members(0))
    model.members = nn.ModuleList([Brightness()])
    image = torch.zeros(1, 1, 32, 32)
    image[0, 0, 3, 20] = 9.0
    _, heat = model(image)
    torch.testing.assert_close(heat, image)
    assert model.attention(image)[0, 0, 3, 20] == image.max()


class Brightness(nn.Module):
    """A member whose heat is the image."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(len(images), 3), images

    def attention(self, images: Tensor) -> Tensor:
        return images


def test_a_kind_that_learns_no_weights_has_no_symmetries_to_average() -> None:
    with pytest.raises(ValueError, match="symmetries must be none"):
        ModelSettings(kind="padim", symmetries="mirror")
