"""Loading a prepared dataset: sizes, labels, known truth, and files that were altered."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tests.vision.datasets.images import plain_folder, put, texture
from twinloop.errors import InputError, RunError
from twinloop.vision.datasets.build import build
from twinloop.vision.datasets.settings import DatasetSettings, SurfaceSettings
from twinloop.vision.index import class_names, load_images, read_index, resize_mask


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("index") / "dataset"
    options = SurfaceSettings(parts=60, exposures=2, size_px=48)
    build(DatasetSettings(surfaces=options), Path("unused"), target, seed=3, workers=1)
    return target


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [24, 48, 64])
def test_images_come_in_the_asked_size_and_channels(dataset: Path, size: int, channels: int) -> None:
    loaded = load_images(dataset, "train", size=size, channels=channels)
    assert loaded.images.shape == (len(loaded), size, size, channels)
    assert loaded.masks.shape == (len(loaded), size, size)
    assert set(np.unique(loaded.masks)) == {0, 1}
    assert loaded.images.dtype == loaded.masks.dtype == np.uint8


def test_labels_masks_and_groups_belong_together(dataset: Path) -> None:
    loaded = load_images(dataset, "train", size=48, channels=1)
    assert loaded.classes == ("good", "crack", "missing", "pit", "scratch", "stain")
    np.testing.assert_array_equal(loaded.masks.any(axis=(1, 2)), loaded.labels > 0)
    assert loaded.masked.all()
    assert len(set(loaded.groups)) == len(loaded) / 2
    assert len(set(loaded.names)) == len(loaded)


def test_the_splits_share_no_group_and_cover_all(dataset: Path) -> None:
    groups = [set(load_images(dataset, s, size=24, channels=1).groups) for s in ("train", "val", "test")]
    assert len(set.union(*groups)) == sum(map(len, groups)) == 60


def test_truth_is_known_for_good_parts_and_for_defects_with_a_mask(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "parts", good=12, scratch=12)
    for i in range(12):
        put(source / "dent" / f"{i}.png", texture(500 + i))
    build(DatasetSettings(kind="folder"), source, tmp_path / "dataset", seed=1, workers=1)
    loaded = load_images(tmp_path / "dataset", "train", size=24, channels=1)
    dent = loaded.classes.index("dent")
    np.testing.assert_array_equal(loaded.masked, loaded.labels != dent)


def test_an_altered_image_is_named(dataset: Path, tmp_path: Path) -> None:
    copy = tmp_path / "dataset"
    for name in ("images", "masks"):
        (copy / name).mkdir(parents=True)
    for path in dataset.rglob("*.p*"):
        (copy / path.relative_to(dataset)).write_bytes(path.read_bytes())
    victim = copy / read_index(copy).row(0, named=True)["image"]
    content = bytearray(victim.read_bytes())
    content[60] ^= 1
    victim.write_bytes(bytes(content))
    split = read_index(copy).row(0, named=True)["split"]
    with pytest.raises(RunError, match=f"{victim.name}: differs from its digest"):
        load_images(copy, split, size=24, channels=1)
    victim.unlink()
    with pytest.raises(RunError, match=f"{victim.name}: cannot be read"):
        load_images(copy, split, size=24, channels=1)


@pytest.mark.parametrize(("split", "size", "channels"), [("validation", 24, 1), ("train", 0, 1), ("train", 24, 2)])
def test_wrong_requests_are_refused(dataset: Path, split: str, size: int, channels: int) -> None:
    with pytest.raises(InputError, match="expected split in"):
        load_images(dataset, split, size=size, channels=channels)


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run the prepare stage first"):
        read_index(tmp_path)


def test_an_index_of_another_kind_is_refused(dataset: Path, tmp_path: Path) -> None:
    read_index(dataset).drop("sha256").write_parquet(tmp_path / "index.parquet")
    with pytest.raises(InputError, match="run the prepare stage again"):
        read_index(tmp_path)


def test_classes_are_good_first(dataset: Path) -> None:
    assert class_names(read_index(dataset))[0] == "good"


@settings(max_examples=60, deadline=None)
@given(mask=arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70)), size=st.integers(1, 50))
def test_a_resized_mask_is_empty_only_if_it_was(mask: np.ndarray, size: int) -> None:
    resized = resize_mask(mask, size)
    assert resized.shape == (size, size)
    assert resized.any() == mask.any()


def test_a_thin_line_survives_reduction() -> None:
    mask = np.zeros((300, 300), bool)
    mask[:, 77] = True
    assert resize_mask(mask, 64).sum() == 64


def test_a_split_is_decoded_once_and_then_mapped(dataset: Path, tmp_path: Path) -> None:
    held = load_images(dataset, "train", size=24, channels=3)
    load_images(dataset, "train", size=24, channels=3, cache=tmp_path)
    (file,) = tmp_path.glob("*/images.npy")
    written = file.stat().st_mtime_ns
    mapped = load_images(dataset, "train", size=24, channels=3, cache=tmp_path)
    assert file.stat().st_mtime_ns == written
    assert np.array_equal(mapped.images, held.images)
    assert np.array_equal(mapped.masks, held.masks)
    assert not mapped.images.flags.writeable


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_an_altered_file_is_named_though_its_split_is_mapped(dataset: Path, tmp_path: Path, kind: str) -> None:
    copy = tmp_path / "dataset"
    shutil.copytree(dataset, copy)
    load_images(copy, "train", size=24, channels=1, cache=tmp_path / "cache")
    index = read_index(copy)
    name = index.filter(split="train").drop_nulls(kind)[kind][0]
    (copy / name).write_bytes((copy / name).read_bytes()[:-1] + b"?")
    with pytest.raises(RunError, match=f"{Path(name).name}: differs from its digest"):
        load_images(copy, "train", size=24, channels=1, cache=tmp_path / "cache")


def test_a_cache_that_was_altered_is_written_anew(dataset: Path, tmp_path: Path) -> None:
    held = load_images(dataset, "val", size=16, channels=1, cache=tmp_path)
    (file,) = tmp_path.glob("*/images.npy")
    content = bytearray(file.read_bytes())
    content[-1] ^= 255
    file.write_bytes(content)
    again = load_images(dataset, "val", size=16, channels=1, cache=tmp_path)
    assert np.array_equal(again.images, load_images(dataset, "val", size=16, channels=1).images)
    assert np.array_equal(again.masks, held.masks)
