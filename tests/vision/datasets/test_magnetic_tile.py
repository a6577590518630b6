"""Magnetic tile: exposures and crops of one tile form one part."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.datasets.images import put, spot
from twinloop.errors import InputError
from twinloop.vision.datasets.magnetic_tile import Photo, join_incomplete, magnetic_tile, series
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings


def photos(*exposures: int) -> list[Photo]:
    return [
        Photo(10 * i, exposure, "good", Path(f"exp{exposure}_num_{10 * i}.jpg")) for i, exposure in enumerate(exposures)
    ]


def sizes(parts: list[list[Photo]]) -> list[int]:
    return [len(part) for part in parts]


@pytest.mark.parametrize(
    ("exposures", "runs", "tiles"),
    [
        ((1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6), [6, 6], [6, 6]),
        # Two crops of one tile, photographed in turn.
        ((1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6), [1, 2, 2, 2, 2, 2, 1], [12]),
        ((1, 2, 3, 4, 5, 1, 6, 2, 3, 4, 5, 6), [5, 2, 5], [12]),
        # A missing exposure between complete neighbours is a tile of its own.
        ((1, 2, 3, 4, 5, 6, 1, 2, 4, 5, 6, 1, 2, 3, 4, 5, 6), [6, 5, 6], [6, 5, 6]),
        ((0, 1, 2, 3, 4, 5, 6), [7], [7]),
    ],
)
def test_series_and_tiles(exposures: tuple[int, ...], runs: list[int], tiles: list[int]) -> None:
    found = series(photos(*exposures))
    assert sizes(found) == runs
    assert sizes(join_incomplete(found)) == tiles


def tile_folder(root: Path) -> Path:
    """Three tiles of six exposures, the last two crops of the same place; the first is uneven."""
    rng = np.random.default_rng(1)
    patterns = [rng.uniform(60, 190, (12, 12)) for _ in range(2)]
    number = 100
    for folder, pattern in (("MT_Uneven", patterns[0]), ("MT_Free", patterns[1]), ("MT_Free", patterns[1])):
        for exposure in range(1, 7):
            number += 17
            pixels = np.kron(pattern * (0.8 + 0.05 * exposure), np.ones((8, 8))).astype(np.uint8)
            path = root / folder / "Imgs" / f"exp{exposure}_num_{number}"
            put(path.with_suffix(".jpg"), pixels)
            mask = spot(height=96, width=96) * (folder == "MT_Uneven" and exposure > 1)
            put(path.with_suffix(".png"), mask.astype(np.uint8))
    return root


def read(source: Path) -> Collection:
    return magnetic_tile(source, DatasetSettings(kind="magnetic_tile", source=str(source)))


def test_crops_of_the_same_place_are_one_tile(tmp_path: Path) -> None:
    samples = read(tile_folder(tmp_path)).samples
    assert sorted(Counter(sample.group for sample in samples).values()) == [6, 12]
    assert Counter(sample.label for sample in samples) == {"uneven": 6, "good": 12}


def test_an_empty_mask_of_a_defect_is_unknown_truth(tmp_path: Path) -> None:
    first, second = read(tile_folder(tmp_path)).samples[:2]
    assert first.read().mask is None
    mask = second.read().mask
    assert mask is not None
    assert mask.any()


def test_a_missing_mask_is_refused(tmp_path: Path) -> None:
    tile_folder(tmp_path)
    next((tmp_path / "MT_Uneven" / "Imgs").glob("exp1_*.png")).unlink()
    with pytest.raises(Refused, match=r"mask exp1_num_117\.png is missing"):
        read(tmp_path).samples[0].read()


def test_an_unreadable_photograph_does_not_stop_the_grouping(tmp_path: Path) -> None:
    tile_folder(tmp_path)
    next((tmp_path / "MT_Free" / "Imgs").glob("exp1_*.jpg")).write_bytes(b"no image")
    assert len(read(tmp_path).samples) == 18


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the folders MT_Blowhole"):
        read(tmp_path)


def test_a_file_without_exposure_and_number_is_refused(tmp_path: Path) -> None:
    put(tile_folder(tmp_path) / "MT_Free" / "Imgs" / "copy.jpg", spot())
    with pytest.raises(InputError, match=r"copy\.jpg: expected a name like exp1_num_31\.jpg"):
        read(tmp_path)


def test_the_real_collection_has_209_tiles_and_no_lookalikes_across_neighbours(shared_data: Path) -> None:
    source = shared_data / "magnetic_tile"
    if not source.is_dir():
        pytest.skip(f"no magnetic tile at {source}")
    samples = read(source).samples
    assert Counter(sample.label for sample in samples) == {
        "good": 952, "blowhole": 115, "uneven": 103, "break": 85, "crack": 57, "fray": 32
    }  # fmt: skip
    assert len({sample.group for sample in samples}) == 209
    # Three series of one crack, told apart by the numbering alone, are crops of the same place.
    crack = [s for s in samples if s.label == "crack" and 85602 <= int(Path(s.name).stem.split("_")[-1]) <= 88201]
    assert len(crack) > 12
    assert len({sample.group for sample in crack}) == 1
    with Image.open(source / crack[0].name) as picture:
        assert crack[0].read().image.shape == picture.size[::-1]
