from pathlib import Path

import numpy as np
import pytest
import torch

from twinloop.errors import InputError
from twinloop.vision.evaluation.network import Network
from twinloop.vision.models.registry import new_detector
from twinloop.vision.models.saving import save_detector
from twinloop.vision.models.settings import ModelSettings

SWIN = {"encoder": "swin_tiny_patch4_window7_224", "depths": (1, 1), "heads": (1, 2)}
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1)).astype(np.uint8)


def saved(folder: Path, **model: object) -> Path:
    settings = ModelSettings(**{"size_px": 32, "width": 8, "decoder_width": 8, **model})  # type: ignore[arg-type]
    save_detector(folder, new_detector(settings, classes=("good", "crack"), size=32, channels=1, seed=0).eval())
    return folder


@pytest.mark.parametrize(("model", "name", "side"), [({}, "gradcam", 8), (SWIN, "rollout", 8)])
def test_the_method_that_suits_the_encoder_is_taken(
    tmp_path: Path, model: dict[str, object], name: str, side: int
) -> None:
    network = Network(saved(tmp_path, **model), threads=1)
    found, maps = network.maps(IMAGES, "network")
    assert (found, maps.shape) == (name, (3, side, side))
    assert maps.min() >= 0
    assert np.array_equal(maps, network.maps(IMAGES, name)[1])  # type: ignore[arg-type]


def test_gradcam_can_be_asked_of_a_transformer_but_rollout_not_of_a_convolutional_encoder(tmp_path: Path) -> None:
    assert Network(saved(tmp_path / "swin", **SWIN), threads=1).maps(IMAGES, "gradcam")[0] == "gradcam"
    with pytest.raises(InputError, match="resnet10t has no attention that rollout knows: take gradcam"):
        Network(saved(tmp_path / "resnet"), threads=1).maps(IMAGES, "rollout")


def test_an_ensembles_map_is_its_members_mean(tmp_path: Path) -> None:
    ensemble = Network(saved(tmp_path, members=2, **SWIN), threads=1)
    both = ensemble.maps(IMAGES, "network")[1]
    members, ensemble._members = ensemble._members, []
    alone = []
    for member in members:
        ensemble._members = [member]
        alone.append(ensemble.maps(IMAGES, "network")[1])
    assert both == pytest.approx(np.mean(alone, axis=0), abs=1e-7)
    assert both.sum(axis=(1, 2)) == pytest.approx(np.ones(3), abs=1e-5)


def test_the_number_of_threads_is_the_callers_again_afterwards(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    Network(saved(tmp_path), threads=before + 1).maps(IMAGES, "gradcam")
    assert torch.get_num_threads() == before
