"""The prepare stage: one line, one metrics file, one dataset."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from PIL import Image

from tests.vision.datasets.written import kolektor_sdd
from twinloop.files import read_json
from twinloop.twins.factory import paths, prepare
from twinloop.twins.stage import Stage
from twinloop.vision.datasets.settings import DatasetSettings, SurfaceSettings
from twinloop.vision.index import read_index

SURFACES = SurfaceSettings(parts=60, exposures=2, size_px=32)


def stage(root: Path, settings: DatasetSettings, *, workers: int = 1) -> Stage:
    """The stage with the two sections that prepare reads."""
    config = SimpleNamespace(seed=5, factory=SimpleNamespace(data=settings))
    return Stage(config=config, root=root, tracker=None, workers=workers)  # type: ignore[arg-type]


def test_the_stage_tells_what_it_made_and_writes_its_metrics(tmp_path: Path) -> None:
    told = prepare.run(stage(tmp_path, DatasetSettings(surfaces=SURFACES)))
    assert told == "120 surfaces, 5 defect classes, 0 quarantined"
    metrics = read_json(tmp_path / paths.metrics("prepare"))
    assert metrics["images"] == 120
    assert metrics["parts"] == 60
    assert metrics["defective_share"] == 0.5
    assert metrics["train_images"] + metrics["val_images"] + metrics["test_images"] == 120
    assert metrics["data"] == "synthetic"
    assert len(metrics["dataset_sha256"]) == 64
    assert len(read_index(tmp_path / paths.DATASET)) == 120


def test_thousands_are_set_apart(tmp_path: Path) -> None:
    many = SurfaceSettings(parts=550, exposures=2, size_px=32, kinds=("pit",), textures=("cast",))
    assert prepare.run(stage(tmp_path, DatasetSettings(surfaces=many))).startswith(
        "1\u202f100 surfaces, 1 defect class,"
    )


def test_metrics_are_the_same_with_one_and_two_workers(tmp_path: Path) -> None:
    for workers in (1, 2):
        prepare.run(stage(tmp_path / str(workers), DatasetSettings(surfaces=SURFACES), workers=workers))
    one, two = ((tmp_path / str(n) / paths.metrics("prepare")).read_bytes() for n in (1, 2))
    assert one == two


def test_the_recognised_layout_and_not_auto_is_recorded(tmp_path: Path) -> None:
    settings = DatasetSettings(kind="auto", source=str(kolektor_sdd(tmp_path / "source")))
    prepare.run(stage(tmp_path, settings))
    assert read_json(tmp_path / paths.metrics("prepare"))["data"] == "kolektor_sdd"


def test_the_quarantine_list_names_settings_as_params_yaml_has_them(tmp_path: Path) -> None:
    source = kolektor_sdd(tmp_path / "source")
    photo = next(source.rglob("*.jpg"))
    Image.new("L", (64, 64)).save(photo)
    settings = DatasetSettings(kind="auto", source=str(source), max_pixels=1024, quarantine_share=1.0)
    prepare.run(stage(tmp_path, settings))
    listed = pl.read_csv(tmp_path / paths.DATASET / "quarantine.csv").filter(pl.col("file").str.contains(photo.name))
    assert "factory.data.max_pixels" in listed["reason"].item()


def test_the_real_magnetic_tiles_are_split_by_tile(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "magnetic_tile"
    if not source.is_dir():
        pytest.skip(f"no magnetic tile at {source}")
    settings = DatasetSettings(kind="magnetic_tile", source=str(source), limit_parts=40, quarantine_share=0.02)
    told = prepare.run(stage(tmp_path, settings, workers=2))
    assert "5 defect classes" in told
    index = read_index(tmp_path / paths.DATASET)
    assert index["group"].n_unique() == 40
    assert len(index.select("group", "split").unique()) == 40
