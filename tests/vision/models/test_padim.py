from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis

from tests.vision.models.networks import CLASSES, TOLERANCE, export_difference
from twinloop.vision.models.padim import Padim
from twinloop.vision.models.settings import ModelSettings

SETTINGS = ModelSettings(kind="padim", width=8, gaussian_dims=10, gaussian_ridge=0.05)


def noise(count: int, seed: int) -> torch.Tensor:
    return torch.rand(count, 1, 32, 32, generator=torch.Generator().manual_seed(seed))


def fitted(settings: ModelSettings = SETTINGS, *, batch: int = 16) -> Padim:
    torch.manual_seed(0)
    model = Padim(settings, classes=CLASSES, size=32, channels=1)
    model.fit(noise(40, 1).split(batch), held_out=[noise(4, 2)], seed=3)
    return model


def test_distances_are_those_of_mahalanobis() -> None:
    model = fitted()
    learnt = model.embed(noise(40, 1))[:, model.kept].double().numpy()
    judged = model.embed(noise(2, 4))[:, model.kept]
    score, places = model.distances(model.embed(noise(2, 4)))
    covariances = {
        (row, column): np.cov(learnt[:, :, row, column], rowvar=False) for row in range(8) for column in range(8)
    }
    ridge = 0.05 * np.mean([np.diag(covariance) for covariance in covariances.values()]) * np.eye(10)
    for row, column in [(0, 0), (3, 5), (7, 7)]:
        inverse = np.linalg.inv(covariances[row, column] + ridge)
        for image in range(2):
            expected = mahalanobis(
                judged[image, :, row, column].double().numpy(), learnt[:, :, row, column].mean(axis=0), inverse
            )
            assert places[image, row, column].item() == pytest.approx(expected, rel=1e-4)
    assert torch.equal(score, places.flatten(1).amax(dim=1))


def test_one_pass_over_batches_learns_what_one_batch_would() -> None:
    whole, parts = fitted(batch=40), fitted(batch=3)
    torch.testing.assert_close(parts.centre, whole.centre, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(parts.whitening, whole.whitening, rtol=1e-4, atol=1e-4)


def test_features_are_drawn_once_each_by_the_seed() -> None:
    kept = fitted().kept
    assert len(kept) == 10
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert torch.equal(kept, fitted().kept)


def test_all_features_are_kept_where_there_are_fewer() -> None:
    assert fitted(ModelSettings(kind="padim", width=8, gaussian_dims=100)).kept.tolist() == list(range(8 + 16))


def test_fewer_images_than_features_still_give_a_distance() -> None:
    model = Padim(ModelSettings(kind="padim", width=8), classes=CLASSES, size=32, channels=1)
    model.fit([noise(3, 1)], held_out=[noise(3, 2)], seed=0)
    logits, heat = model(noise(2, 3))
    assert bool(torch.isfinite(logits).all())
    assert bool(torch.isfinite(heat).all())


def test_the_exported_graph_takes_another_batch(tmp_path: Path) -> None:
    assert export_difference(fitted(), tmp_path / "detector.onnx", batch=3) < TOLERANCE
