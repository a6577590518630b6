from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.synthetic_graph import spotted, write_detector, write_point
from twinloop.contracts import Decision
from twinloop.errors import InputError
from twinloop.learning.spec import Spec
from twinloop.vision.inference.boxes import find_boxes
from twinloop.vision.inference.large import predict_large
from twinloop.vision.inference.pictures import ArrayRows, opened_rows
from twinloop.vision.inference.predict import DeployedDetector


def dotted(height: int, width: int, *corners: tuple[int, int]) -> np.ndarray:
    image = np.random.default_rng(0).integers(0, 60, (height, width), dtype=np.uint8)
    for row, column in corners:
        image[row : row + 8, column : column + 8] = 255
    return image


def test_an_image_of_one_tile_is_judged_as_ever(detector: DeployedDetector) -> None:
    image = spotted()
    alone, tiled = detector.predict(image), predict_large(detector, image)
    assert (tiled.defect_type, tiled.boxes, tiled.size) == (alone.defect_type, alone.boxes, alone.size)
    assert tiled.score == pytest.approx(alone.score, abs=1e-5)
    assert tiled.heat == pytest.approx(alone.heat, abs=1e-6)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_a_defect_is_found_once_wherever_it_lies_across_the_seams(detector: DeployedDetector, overlap: float) -> None:
    image = dotted(200, 300, (28, 60), (120, 252), (192, 0))
    found = predict_large(detector, image, overlap=overlap)
    assert sorted(found.boxes) == [(0, 192, 8, 8), (60, 28, 8, 8), (252, 120, 8, 8)]
    assert found.heat.shape == (50, 75)
    assert found.defect_type == "spot"
    assert found.inference_ms > 0


def test_the_stitched_heat_is_the_heat_of_the_whole_where_the_model_sees_no_further_than_a_cell(
    detector: DeployedDetector, tmp_path: Path
) -> None:
    image = dotted(128, 128, (40, 60))
    whole = DeployedDetector(write_detector(tmp_path / "whole", size=128)).predict(image)
    tiled = predict_large(detector, image, overlap=0.4)
    assert tiled.heat == pytest.approx(whole.heat, abs=1e-5)
    assert tiled.boxes == whole.boxes == find_boxes(tiled.heat, threshold=0.5, size=(128, 128))
    assert tiled.score == pytest.approx(whole.score, abs=1e-4)


def test_the_score_is_the_highest_of_the_tiles_and_decides(exported: Path, tmp_path: Path) -> None:
    station = DeployedDetector(exported, operating_point=write_point(tmp_path / "point.json", exported))
    dark, spot = np.zeros((100, 100), np.uint8), dotted(100, 100, (64, 64))
    assert predict_large(station, dark).decision is Decision.ACCEPT
    found = predict_large(station, spot)
    assert found.decision is Decision.REJECT
    tiles = [spot[row : row + 32, column : column + 32] for row in range(0, 69, 4) for column in range(0, 69, 4)]
    assert found.score == pytest.approx(max(tile.score for tile in station.predict_batch(tiles)), abs=1e-4)


def test_what_spoils_most_of_a_picture_makes_it_unlike_not_what_spoils_a_tile(tmp_path: Path) -> None:
    folder = write_detector(tmp_path / "onnx", limit=0.5, shapes=(1.0, 1.0))
    detector = DeployedDetector(folder, operating_point=write_point(tmp_path / "point.json", folder))
    image = np.zeros((96, 640), np.uint8)
    image[:, :64] = 255
    assert predict_large(detector, image).reason == ""
    finding = predict_large(detector, 255 - image)
    assert (finding.decision, finding.unlike) == (Decision.REINSPECT, pytest.approx(1))


def test_larger_tiles_are_scaled_to_the_models_input(detector: DeployedDetector) -> None:
    image = np.kron(dotted(64, 96, (28, 60)), np.ones((3, 3), np.uint8))
    found = predict_large(detector, image, tile_px=96)
    assert found.boxes == ((180, 84, 24, 24),)
    assert found.size == (192, 288)


@pytest.mark.parametrize("shape", [(1, 1), (5, 200), (33, 31), (32, 33), (61, 97)])
def test_images_of_any_size_are_judged_and_boxes_stay_inside(
    detector: DeployedDetector, shape: tuple[int, int]
) -> None:
    found = predict_large(detector, np.full(shape, 255, np.uint8))
    assert found.boxes == ((0, 0, shape[1], shape[0]),)
    assert found.size == shape


def test_colour_is_read_as_grey_where_the_model_is_grey(detector: DeployedDetector) -> None:
    image = dotted(70, 90, (20, 44))
    grey, colour = predict_large(detector, image), predict_large(detector, np.repeat(image[..., None], 3, axis=2))
    assert colour.boxes == grey.boxes == ((44, 20, 8, 8),)


def test_the_heat_is_kept_at_a_bounded_size_and_shows_the_hottest(detector: DeployedDetector) -> None:
    image = dotted(400, 800, (200, 600))
    full, bounded = predict_large(detector, image), predict_large(detector, image, heat_limit=50)
    assert full.heat.shape == (100, 200)
    assert bounded.heat.shape == (25, 50)
    assert bounded.heat.max() == full.heat.max()
    assert bounded.boxes == full.boxes


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".jpg"])
@pytest.mark.parametrize("colour", [False, True])
def test_a_file_is_judged_as_its_pixels(detector: DeployedDetector, tmp_path: Path, suffix: str, colour: bool) -> None:
    image = dotted(90, 120, (40, 64))
    path = tmp_path / f"image{suffix}"
    Image.fromarray(np.repeat(image[..., None], 3, axis=2) if colour else image).save(path)
    pixels = np.asarray(Image.open(path))
    from_file, from_array = predict_large(detector, path), predict_large(detector, pixels)
    assert from_file.boxes == from_array.boxes
    assert np.array_equal(from_file.heat, from_array.heat)


def test_files_that_need_converting_are_read_as_the_dataset_is(tmp_path: Path) -> None:
    image = dotted(40, 50, (16, 20))
    palette, deep, turned = (tmp_path / name for name in ("palette.png", "deep.png", "turned.jpg"))
    Image.fromarray(image).convert("P").save(palette)
    Image.fromarray(image.astype(np.uint16) * 257).save(deep)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(image).save(turned, exif=exif, quality=95)
    for path, shape in ((palette, (40, 50)), (deep, (40, 50)), (turned, (50, 40))):
        with opened_rows(path) as rows:
            assert isinstance(rows, ArrayRows)
            assert rows.shape == shape
            if path != turned:
                assert np.array_equal(rows.rows(5, 30), image[5:30])


def test_an_array_on_disk_is_read_band_by_band(detector: DeployedDetector, tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", dotted(200, 100, (100, 40)))
    found = predict_large(detector, np.load(tmp_path / "image.npy", mmap_mode="r"))
    assert found.boxes == ((40, 100, 8, 8),)


@pytest.mark.parametrize("tile_px", [-8, 0, 4, 30, 33])
def test_a_tile_that_does_not_fit_the_heat_map_is_refused(detector: DeployedDetector, tile_px: int) -> None:
    with pytest.raises(InputError, match=f"tile_px = {tile_px}: expected a multiple of 8, the heat map's side"):
        predict_large(detector, spotted(), tile_px=tile_px)


def test_a_heat_map_of_no_size_is_refused(detector: DeployedDetector) -> None:
    with pytest.raises(InputError, match="heat_limit = 0: expected at least one cell"):
        predict_large(detector, spotted(), heat_limit=0)


def test_a_surface_full_of_spots_gives_the_thousand_hottest(detector: DeployedDetector) -> None:
    image = np.zeros((400, 400), np.uint8)
    for row in range(0, 400, 8):
        for column in range(0, 400, 8):
            image[row : row + 4, column : column + 4] = 200 if (row, column) != (392, 392) else 255
    found = predict_large(detector, image)
    assert len(found.boxes) == 1000
    assert found.boxes[0] == (392, 392, 4, 4)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((32, 32), np.float32),
        np.zeros((32, 32), np.uint16),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros(32, np.uint8),
        np.zeros((0, 32), np.uint8),
    ],
)
def test_what_is_no_image_is_refused(detector: DeployedDetector, image: np.ndarray) -> None:
    with pytest.raises(InputError, match="image: expected"):
        predict_large(detector, image)


def test_a_broken_file_is_refused_with_its_reason(detector: DeployedDetector, tmp_path: Path) -> None:
    whole = tmp_path / "whole.png"
    Image.fromarray(dotted(90, 120)).save(whole)
    for name, content, reason in (
        ("empty.png", b"", "file is empty"),
        ("half.png", whole.read_bytes()[: whole.stat().st_size // 2], "cannot be read"),
        ("words.png", b"words", "not an image of a known format"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=rf"image: .*{name}: {reason}"):
            predict_large(detector, tmp_path / name)
    with pytest.raises(InputError, match="No such file"):
        predict_large(detector, tmp_path / "none.png")


def test_a_detector_that_learnt_from_tiles_cuts_what_is_larger_by_itself(tmp_path: Path) -> None:
    folder = write_detector(tmp_path / "cut")
    described = Spec.load(folder)
    replace(described, about={**described.about, "tile_px": 32}).save(folder)
    detector, whole = DeployedDetector(folder), DeployedDetector(write_detector(tmp_path / "whole"))
    strip, small = dotted(32, 800, (12, 700)), spotted()
    alone, found = detector.predict_batch([small, strip])
    assert alone.boxes == whole.predict(small).boxes
    assert found.boxes == predict_large(whole, strip, tile_px=32).boxes == ((700, 12, 8, 8),)
    # Squashed into the input, the spot is lost.
    assert whole.predict(strip).boxes == ()
