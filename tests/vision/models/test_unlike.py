"""The unlike score on rendered surfaces: what it must catch, what it must let pass, and that graphs say the same."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from scipy.stats import binom

from tests.vision.models.networks import TOLERANCE, detector
from twinloop.errors import InputError
from twinloop.learning.export import to_onnx
from twinloop.learning.quantise import to_int8
from twinloop.vision.graph import INPUT, OUTPUTS, image_input
from twinloop.vision.inference.predict import to_input
from twinloop.vision.models.settings import ModelSettings
from twinloop.vision.models.unlike import Unlike, WatchedDetector, traits
from twinloop.vision.scores import score_limit
from twinloop.vision.synthetic.settings import SurfaceSettings
from twinloop.vision.synthetic.spoilt import SPOILT
from twinloop.vision.synthetic.surfaces import photographs

SIZE = 48
RATE = 0.05


def surfaces(parts: int, *, seed: int, defects: float = 0.0) -> np.ndarray:
    """uint8 [parts, SIZE, SIZE, 1], one exposure of each."""
    settings = SurfaceSettings(parts=parts, exposures=1, size_px=SIZE, defect_share=defects)
    return np.stack([photo.render()[0] for photo in photographs(settings, seed=seed)])[..., None]


@pytest.fixture(scope="module")
def watched() -> WatchedDetector:
    """An untrained network whose unlike score has learnt 240 surfaces, a third of them defective."""
    model = WatchedDetector(detector(size=SIZE))
    model.learn(surfaces(240, seed=1, defects=1 / 3))
    return model


@pytest.fixture(scope="module")
def limit(watched: WatchedDetector) -> float:
    return score_limit(watched.scores(surfaces(160, seed=2)), false_alarms=RATE)


@pytest.mark.parametrize("kind", [kind for kind in SPOILT if kind != "stretched 10:1"])
def test_a_spoilt_picture_is_unlike_anything_learnt(watched: WatchedDetector, limit: float, kind: str) -> None:
    random = np.random.default_rng(3)
    spoilt = np.stack([SPOILT[kind](image, random) for image in surfaces(20, seed=4)])
    assert np.mean(watched.scores(spoilt) > limit) >= 0.95


def test_good_pictures_raise_about_as_many_false_alarms_as_stated(watched: WatchedDetector, limit: float) -> None:
    alarms = int(np.sum(watched.scores(surfaces(300, seed=5)) > limit))
    # The limit itself was estimated from 160 pictures, hence the width of the band.
    assert binom.ppf(0.001, 300, RATE / 3) <= alarms <= binom.ppf(0.999, 300, 1.5 * RATE)


def test_known_defects_are_mostly_not_unlike(watched: WatchedDetector, limit: float) -> None:
    assert np.mean(watched.scores(surfaces(60, seed=6, defects=1.0)) > limit) < 0.4


def test_the_graph_says_what_torch_says_also_in_int8_and_far_from_what_was_learnt(
    watched: WatchedDetector, limit: float, tmp_path: Path
) -> None:
    known = surfaces(24, seed=7)
    random = np.random.default_rng(0)
    kinds = [spoil for kind, spoil in SPOILT.items() if kind != "stretched 10:1"]
    images = to_input(np.concatenate([known, [spoil(known[0], random) for spoil in kinds]]))
    to_onnx(watched, (image_input(size=SIZE, channels=1),), path=tmp_path / "fp32.onnx", outputs=OUTPUTS, metadata={})
    to_int8(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", batches=[{INPUT: images[:24]}], metadata={})
    with torch.inference_mode():
        logits, heat, unlike = watched(torch.from_numpy(images))
        plain = watched.detector(torch.from_numpy(images))
    assert torch.equal(logits, plain[0])
    assert torch.equal(heat, plain[1])
    fp32, int8 = (
        onnxruntime.InferenceSession(tmp_path / f"{name}.onnx", providers=["CPUExecutionProvider"]).run(
            ["unlike"], {INPUT: images}
        )[0]
        for name in ("fp32", "int8")
    )
    assert fp32 == pytest.approx(unlike.numpy(), rel=TOLERANCE)
    assert np.mean((int8 > limit) == (fp32 > limit)) >= 0.94
    assert (int8[24:] > limit).all()


def test_the_distance_is_that_of_mahalanobis() -> None:
    random = torch.Generator().manual_seed(0)
    images, features = torch.rand(400, 1, 32, 32, generator=random), torch.randn(400, 3, generator=random)
    unlike = Unlike(channels=1, features=3)
    unlike.learn(torch.cat([traits(images), features], dim=1))
    distances = unlike(images, features)
    # Whitened coordinates have variance one, less what shrinking and the ridge take.
    assert float(distances.square().mean()) == pytest.approx(1, abs=0.15)
    # A feature that moves five deviations moves the distance accordingly: 5² over the number of coordinates.
    moved = unlike(images, features + torch.tensor([5.0, 0, 0])).square().mean() - distances.square().mean()
    assert float(moved) > 0.5 * 25 / len(unlike.whitening)


def test_colours_count(tmp_path: Path) -> None:
    model = WatchedDetector(detector(size=32, channels=3))
    random = np.random.default_rng(0)
    grey = random.normal(120, 10, (80, 32, 32, 1)).repeat(3, axis=3) + random.normal(0, 2, (80, 32, 32, 3))
    model.learn(grey.clip(0, 255).astype(np.uint8))
    held_out = grey[:20] + random.normal(0, 1, grey[:20].shape)
    limit = score_limit(model.scores(held_out.clip(0, 255).astype(np.uint8)), false_alarms=0.01)
    reddish = (held_out + np.array([30, -15, -15])).clip(0, 255).astype(np.uint8)
    assert (model.scores(reddish) > limit).all()


@pytest.mark.parametrize("kind", ["padim", "patchcore", "ensemble"])
def test_every_kind_of_detector_carries_the_score(kind: str) -> None:
    settings = {
        "padim": ModelSettings(kind="padim", width=8, gaussian_dims=8),
        "patchcore": ModelSettings(kind="patchcore", width=8, bank_patches=50),
        "ensemble": ModelSettings(width=8, decoder_width=8, members=2, symmetries="mirror"),
    }[kind]
    images = surfaces(40, seed=8)
    inner = detector(settings, size=SIZE)
    if kind != "ensemble":
        batch = torch.from_numpy(to_input(images))
        inner.fit([batch[:20]], held_out=[batch[20:]], seed=0)  # type: ignore[operator]
    model = WatchedDetector(inner)
    model.learn(images[:30])
    limit = score_limit(model.scores(images[30:]), false_alarms=0.01)
    assert (model.scores(np.stack([images[0] * 0, images[0] * 0 + 255, images[0] // 3])) > limit).all()
    batch = torch.from_numpy(to_input(images[:4]))
    with torch.inference_mode():
        for ours, theirs in zip(model(batch), inner(batch), strict=False):
            assert torch.equal(ours, theirs)


def test_what_was_learnt_is_read_again_by_the_same_detector_alone(watched: WatchedDetector, tmp_path: Path) -> None:
    watched.save(tmp_path)
    images = surfaces(4, seed=9)
    again = WatchedDetector(watched.detector).adopt(tmp_path)
    assert np.array_equal(again.scores(images), watched.scores(images))
    with pytest.raises(InputError, match="no unlike score of this detector"):
        WatchedDetector(detector(size=32, channels=3)).adopt(tmp_path)
    with pytest.raises(InputError, match="no unlike score of this detector"):
        WatchedDetector(watched.detector).adopt(tmp_path / "nowhere")


def test_too_few_pictures_are_refused(watched: WatchedDetector) -> None:
    with pytest.raises(InputError, match="expected at least 2 training images, got 1"):
        WatchedDetector(watched.detector).learn(surfaces(1, seed=1))
    with pytest.raises(InputError, match="expected 2 images held out or more, got 1: widen val_share"):
        score_limit(np.ones(1), false_alarms=0.01)


@pytest.mark.parametrize("count", [5, 20, 400])
def test_the_limit_holds_the_stated_rate_for_any_number_held_out(count: int) -> None:
    random = np.random.default_rng(count)
    shares = []
    for _ in range(400):
        limit = score_limit(np.exp(random.normal(0, 0.3, count)), false_alarms=RATE)
        shares.append(np.mean(np.exp(random.normal(0, 0.3, 200)) > limit))
    # A prediction limit errs at the stated rate on average over held-out sets; the quantile makes it a little rarer.
    assert RATE / 2 < np.mean(shares) < RATE * 1.1
