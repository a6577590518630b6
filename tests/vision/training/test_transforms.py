import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.vision.training.settings import AugmentationSettings
from twinloop.vision.training.transforms import Augmenter

CONF = Path(__file__).resolve().parents[3] / "conf"
IMAGE = np.random.default_rng(0).integers(0, 255, (24, 24, 1), np.uint8)
MASK = (np.arange(24 * 24).reshape(24, 24) % 7 == 0).astype(np.uint8)
OPTIONS = sorted(path.stem for path in (CONF / "factory/augmentation").glob("*.yaml"))


def _policy(name: str) -> AugmentationSettings:
    values = compose(CONF, (f"factory/augmentation={name}",)).values
    return parse(AugmentationSettings, values["factory"]["augmentation"])


POLICIES = {name: _policy(name) for name in OPTIONS}


def test_the_options_are_four_strengths_and_one_for_small_data() -> None:
    assert OPTIONS == ["heavy", "industrial", "light", "none", "small_data"]
    assert POLICIES["industrial"] == AugmentationSettings()


@pytest.mark.parametrize("policy", OPTIONS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [24, 32])
def test_shape_and_type_are_kept(policy: str, channels: int, size: int) -> None:
    image = np.tile(IMAGE, (2, 2, channels))[:size, :size]
    mask = np.tile(MASK, (2, 2))[:size, :size]
    for index in range(20):
        changed, moved = Augmenter(POLICIES[policy], seed=0)(image.copy(), mask.copy(), epoch=1, index=index)
        assert (changed.shape, moved.shape) == (image.shape, mask.shape)
        assert (changed.dtype, moved.dtype) == (image.dtype, mask.dtype)
        assert set(np.unique(moved)) <= {0, 1}


def test_none_changes_nothing() -> None:
    image, mask = Augmenter(POLICIES["none"], seed=0)(IMAGE, MASK, epoch=0, index=0)
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(mask, MASK)


def test_the_draws_of_light_stay_what_they_were() -> None:
    # Symmetries and look-up tables alone: the same bytes on every machine.
    augment, drawn = Augmenter(POLICIES["light"], seed=4), hashlib.sha256()
    for index in range(50):
        for pixels in augment(IMAGE, MASK, epoch=2, index=index):
            drawn.update(np.ascontiguousarray(pixels).tobytes())
    assert drawn.hexdigest()[:16] == "a0fc51a8537289e1"


@given(st.integers(0, 2**31), st.integers(0, 10**6), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_a_draw_depends_on_seed_epoch_and_index_alone(seed: int, epoch: int, index: int) -> None:
    fresh = Augmenter(POLICIES["heavy"], seed=seed)
    used = Augmenter(POLICIES["heavy"], seed=seed)
    used(IMAGE, MASK, epoch=epoch + 1, index=index)
    for one, other in zip(
        fresh(IMAGE, MASK, epoch=epoch, index=index), used(IMAGE, MASK, epoch=epoch, index=index), strict=True
    ):
        assert np.array_equal(one, other)


def test_epochs_indices_and_seeds_differ() -> None:
    draws = {
        Augmenter(POLICIES["light"], seed=seed)(IMAGE, MASK, epoch=epoch, index=index)[0].tobytes()
        for seed in range(3)
        for epoch in range(3)
        for index in range(3)
    }
    assert len(draws) > 12


def test_the_mask_moves_with_its_image() -> None:
    image = (MASK * 200)[..., None]
    for index in range(30):
        changed, mask = Augmenter(POLICIES["light"], seed=5)(image, MASK, epoch=0, index=index)
        assert np.array_equal(changed[..., 0] > 100, mask > 0)


def test_transforms_draw_independently_of_each_other() -> None:
    # With equal draws in all transforms, blur (20 %) would only ever come with noise (30 %).
    augment = Augmenter(POLICIES["industrial"], seed=0)
    assert augment._compose is not None
    flat = np.full((24, 24, 1), 128, np.uint8)
    flat[8:16, 8:16] = 60
    levels = [len(np.unique(augment(flat, MASK, epoch=0, index=index)[0])) for index in range(300)]
    untouched, softened = sum(count <= 2 for count in levels), sum(2 < count <= 8 for count in levels)
    assert untouched > 60
    assert softened > 10


def test_another_showing_in_an_epoch_is_another_draw() -> None:
    augment = Augmenter(POLICIES["industrial"], seed=0)
    first, again, same = (augment(IMAGE, MASK, epoch=3, index=8, turn=turn)[0] for turn in (0, 1, 0))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, again)


def test_mirroring_keeps_what_is_upright() -> None:
    augment = Augmenter(
        AugmentationSettings(symmetries="mirror", exposure_share=0, lamp_share=0, noise_share=0, blur_share=0), seed=0
    )
    seen = {augment(IMAGE, MASK, epoch=0, index=index)[0].tobytes() for index in range(60)}
    allowed = {IMAGE[::rows, ::columns].tobytes() for rows in (1, -1) for columns in (1, -1)}
    assert seen == allowed


def test_a_hole_hides_pixels_and_their_truth() -> None:
    holes = AugmentationSettings(
        symmetries="none",
        exposure_share=0,
        lamp_share=0,
        noise_share=0,
        blur_share=0,
        holes_share=1,
        holes=1,
        hole_side=0.5,
    )
    image, mask = np.full((24, 24, 1), 7, np.uint8), np.ones((24, 24), np.uint8)
    hidden = 0
    for index in range(20):
        changed, truth = Augmenter(holes, seed=0)(image, mask, epoch=0, index=index)
        assert np.array_equal(changed[..., 0] != 7, truth == 0) or (changed == 7).all()
        hidden += int((truth == 0).sum())
    assert hidden > 100


def test_a_defect_never_leaves_its_label_behind() -> None:
    wild = AugmentationSettings(
        symmetries="none",
        exposure_share=0,
        lamp_share=0,
        noise_share=0,
        blur_share=0,
        affine_share=1,
        shift=0.49,
        scale=0.5,
        turn_deg=180.0,
        holes_share=1,
        holes=4,
        hole_side=0.5,
    )
    mask = np.zeros((24, 24), np.uint8)
    mask[1:3, 1:3] = 1
    augment = Augmenter(wild, seed=1)
    moved = [augment((mask * 200)[..., None], mask, epoch=0, index=index)[1] for index in range(200)]
    assert all(truth.any() for truth in moved)
    assert len({truth.tobytes() for truth in moved}) > 50


def test_no_other_module_imports_albumentations(repository: Path) -> None:
    users = [
        path.name
        for path in (repository / "src").rglob("*.py")
        if "import albumentations" in path.read_text() or "from albumentations" in path.read_text()
    ]
    assert users == ["transforms.py"]
