from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.special import softmax

from tests.vision.models.networks import CLASSES, TOLERANCE, export_difference
from twinloop.vision.models import patchcore
from twinloop.vision.models.patchcore import PatchCore, coreset
from twinloop.vision.models.settings import ModelSettings

SETTINGS = ModelSettings(kind="patchcore", width=8, bank_patches=60, bank_candidates=300, bank_neighbours=4)


def noise(count: int, seed: int) -> torch.Tensor:
    return torch.rand(count, 1, 32, 32, generator=torch.Generator().manual_seed(seed))


def fitted(settings: ModelSettings = SETTINGS) -> PatchCore:
    torch.manual_seed(0)
    model = PatchCore(settings, classes=CLASSES, size=32, channels=1)
    model.fit(noise(12, 1).split(5), held_out=[noise(4, 2)], seed=3)
    return model


def radius(patches: torch.Tensor, chosen: torch.Tensor) -> float:
    """How far the farthest patch is from the chosen ones."""
    return float(cdist(patches, patches[chosen]).min(axis=1).max())


@pytest.mark.parametrize("chunk", [7, 1024])
def test_distances_are_those_of_brute_force(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patchcore, "CHUNK", chunk)
    model = fitted()
    features = model.embed(noise(3, 4))
    score, places = model.distances(features)
    patches, bank = features.permute(0, 2, 3, 1).reshape(3, 64, -1).double().numpy(), model.bank.double().numpy()
    for image in range(3):
        table = cdist(patches[image], bank)
        np.testing.assert_allclose(places[image].flatten(), table.min(axis=1), rtol=1e-5)
        # Equations 6 and 7 of the paper.
        strangest = table.min(axis=1).argmax()
        nearest = table[strangest].argmin()
        around = cdist(bank, bank)[nearest].argsort(kind="stable")[:4]
        weight = 1 - softmax(table[strangest, around])[0]
        assert score[image].item() == pytest.approx(weight * table.min(axis=1).max(), rel=1e-5)


def test_the_border_of_an_image_is_no_stranger_than_its_middle() -> None:
    level = torch.randn(200, 4, 12, 12, generator=torch.Generator().manual_seed(0))
    strength = PatchCore(SETTINGS, classes=CLASSES, size=32, channels=1).gather(level).square().mean(dim=(0, 1))
    assert strength[0].mean() < strength[1:-1, 1:-1].mean()


def test_one_neighbour_leaves_the_score_unweighted() -> None:
    model = fitted(ModelSettings(kind="patchcore", width=8, bank_patches=60, bank_neighbours=1))
    score, places = model.distances(model.embed(noise(2, 4)))
    assert torch.equal(score, places.flatten(1).amax(dim=1))


def test_a_bank_of_all_patches_finds_no_distance_in_what_it_has_seen() -> None:
    model = fitted(ModelSettings(kind="patchcore", width=8, bank_patches=1000, bank_candidates=1000))
    assert len(model.bank) == 12 * 64
    assert model.distances(model.embed(noise(12, 1)))[1].max() < 1e-4


def test_the_bank_keeps_to_its_bounds_and_the_seed_decides_it() -> None:
    first, again = fitted(), fitted()
    assert first.bank.shape == (60, 8 + 16)
    assert torch.equal(first.bank, again.bank)
    assert torch.equal(first.neighbours[:, 0], torch.arange(60))


@given(st.integers(0, 1000), st.integers(2, 12))
def test_a_coreset_covers_within_twice_of_any_other_choice(seed: int, count: int) -> None:
    # Gonzalez (1985): farthest-first traversal is within a factor of two of the best possible radius.
    random = torch.Generator().manual_seed(seed)
    patches = torch.randn(60, 3, generator=random) ** 3
    chosen = coreset(patches, count, random=random)
    assert len(set(chosen.tolist())) == count
    other = torch.randperm(60, generator=random)[:count]
    assert radius(patches, chosen) <= 2 * radius(patches, other) + 1e-4


def test_a_coreset_covers_better_than_random_draws() -> None:
    random = torch.Generator().manual_seed(0)
    # Nine in ten patches lie close together, the rest is rare: what a random draw misses.
    spread = torch.cat([torch.full((900, 1), 0.1), torch.full((100, 1), 2.0)])
    patches = torch.randn(1000, 16, generator=random) * spread
    covered = radius(patches, coreset(patches, 100, random=random))
    drawn = [radius(patches, torch.randperm(1000, generator=random)[:100]) for _ in range(20)]
    assert covered < 0.9 * min(drawn)


def test_repeated_patches_do_not_stop_a_coreset() -> None:
    chosen = coreset(torch.zeros(10, 3), 4, random=torch.Generator().manual_seed(0))
    assert len(set(chosen.tolist())) == 4


def test_candidates_are_drawn_alike_from_all_batches() -> None:
    places = torch.arange(4000.0).reshape(40, 1, 10, 10)
    drawn = [patchcore._draw(places.split(7), 500, random=torch.Generator().manual_seed(seed)) for seed in range(8)]
    assert all(one.shape == (500, 1) and len(one.unique()) == 500 for one in drawn)
    # 500 of 0…3999: the mean of eight draws deviates by 18 at one standard error.
    assert abs(float(torch.cat(drawn).mean()) - 1999.5) < 4 * 18


def test_the_exported_graph_takes_another_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patchcore, "CHUNK", 40)
    assert export_difference(fitted(), tmp_path / "detector.onnx", batch=3) < TOLERANCE
