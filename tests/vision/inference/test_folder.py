import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.vision.synthetic_graph import spotted, write_point
from twinloop.errors import InputError
from twinloop.vision.inference.folder import image_files, predict_folder
from twinloop.vision.inference.predict import DeployedDetector


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Good and bad files side by side, more than one batch of them."""
    folder = tmp_path / "mixed"
    for place in range(20):
        save(folder / f"fine_{place:02d}.png", np.zeros((40, 48), np.uint8))
    save(folder / "deep" / "spotted.jpg", spotted(64))
    (folder / "a_zero_byte.png").write_bytes(b"")
    save(folder / "b_one_pixel.png", np.zeros((1, 1), np.uint8))
    save(folder / "c_16_bit.png", spotted(32).astype(np.uint16) * 257)
    Image.fromarray(spotted(32)).convert("P").save(folder / "d_palette.png")
    whole = save(folder / "e_truncated.png", np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
    whole.write_bytes(whole.read_bytes()[:1000])
    (folder / "f_words.jpg").write_text("words")
    (folder / "notes.txt").write_text("no image")
    save(folder / ".hidden" / "copy.png", np.zeros((40, 48), np.uint8))
    return folder


BROKEN = {
    "a_zero_byte.png": "file is empty",
    "b_one_pixel.png": "image is 1×1, at least 8 pixels a side are needed",
    "e_truncated.png": "cannot be read",
    "f_words.jpg": "not an image of a known format",
}


@pytest.mark.parametrize("tile_px", [None, 32])
def test_every_file_has_a_row_and_a_bad_one_costs_nothing_but_its_own(
    detector: DeployedDetector, mixed: Path, tile_px: int | None
) -> None:
    judged = predict_folder(detector, mixed, tile_px=tile_px)
    rows = {row["image"]: row for row in judged.table.iter_rows(named=True)}
    assert list(rows) == sorted(rows)
    refused = {name: row["error"] for name, row in rows.items() if row["error"] is not None}
    assert refused.keys() == BROKEN.keys()
    for name, reason in BROKEN.items():
        assert refused[name].startswith(reason)
        assert "factory." not in refused[name], "no setting limits what a station sees"
        assert rows[name]["boxes"] is None
    for name in ("c_16_bit.png", "d_palette.png"):
        assert (rows[name]["defect_type"], rows[name]["boxes"]) == ("spot", [[16, 8, 8, 8]])
    assert rows["deep/spotted.jpg"]["defect_type"] == "spot"
    assert rows["fine_07.png"]["defect_type"] == "good"
    assert (rows["fine_07.png"]["width"], rows["fine_07.png"]["height"]) == (48, 40)
    assert judged.summary["images"] == 27
    assert judged.summary["unreadable"] == len(BROKEN)
    assert judged.summary["defect_types"]["spot"] == 3
    assert judged.summary["decisions"] is None


def test_rows_say_what_single_predictions_say(exported: Path, mixed: Path, tmp_path: Path) -> None:
    station = DeployedDetector(exported, operating_point=write_point(tmp_path / "point.json", exported))
    judged = predict_folder(station, mixed)
    row = judged.table.row(by_predicate=pl.col("image") == "deep/spotted.jpg", named=True)
    alone = station.predict(np.asarray(Image.open(mixed / "deep" / "spotted.jpg")))
    assert row["score"] == pytest.approx(alone.score, abs=1e-5)
    assert row["confidence"] == pytest.approx(alone.confidence, abs=1e-6)
    assert (row["decision"], row["boxes"]) == ("reject", [list(box) for box in alone.boxes])
    assert judged.summary["decisions"] == {"accept": 20, "re-inspect": 0, "reject": 3}


def test_results_are_written_as_parquet_csv_and_json(detector: DeployedDetector, mixed: Path, tmp_path: Path) -> None:
    judged = predict_folder(detector, mixed)
    for name in ("out.parquet", "out.csv", "out.json"):
        judged.save(tmp_path / "results" / name)
    assert pl.read_parquet(tmp_path / "results" / "out.parquet").equals(judged.table)
    listed = pl.read_csv(tmp_path / "results" / "out.csv")
    assert listed["image"].to_list() == judged.table["image"].to_list()
    assert [json.loads(text) if text else None for text in listed["boxes"]] == judged.table["boxes"].to_list()
    record = json.loads((tmp_path / "results" / "out.json").read_text())
    assert record["summary"]["unreadable"] == 4
    assert len(record["images"]) == 27
    with pytest.raises(InputError, match=r"out\.txt: expected a file name that ends in \.parquet, \.csv or \.json"):
        judged.save(tmp_path / "out.txt")


def test_one_image_stands_for_itself(detector: DeployedDetector, mixed: Path) -> None:
    judged = predict_folder(detector, mixed / "deep" / "spotted.jpg")
    assert judged.table["image"].to_list() == ["spotted.jpg"]


def test_a_name_that_would_move_the_cursor_is_shown_harmless(detector: DeployedDetector, tmp_path: Path) -> None:
    save(tmp_path / "\x1b[2Jname.png", spotted())
    assert predict_folder(detector, tmp_path).table["image"].to_list() == ["\\x1b[2Jname.png"]


def test_a_place_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: expected a folder of images or an image, found neither"):
        image_files(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(InputError, match=r"expected images \(.*\.png.*\), found none"):
        image_files(tmp_path)


def test_a_tile_that_does_not_fit_stops_the_run_instead_of_every_row(detector: DeployedDetector, mixed: Path) -> None:
    with pytest.raises(InputError, match="tile_px = 30"):
        predict_folder(detector, mixed, tile_px=30)
