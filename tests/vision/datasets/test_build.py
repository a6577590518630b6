"""Preparing a dataset: whole or not at all, judged file by file, the same for any number of workers."""

import csv
import shutil
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.vision.datasets.images import plain_folder, put, spot, texture
from twinloop.errors import InputError, RunError
from twinloop.files import sha256
from twinloop.vision.datasets.build import Prepared, build, joined_groups
from twinloop.vision.datasets.settings import DatasetSettings, SurfaceSettings
from twinloop.vision.index import SCHEMA, read_index

RENDERED = DatasetSettings(surfaces=SurfaceSettings(parts=60, exposures=2, size_px=32))


def prepared(source: Path, target: Path, *, workers: int = 1, **changed: object) -> Prepared:
    settings = DatasetSettings(kind="folder", source=str(source), **changed)  # type: ignore[arg-type]
    return build(settings, source, target, seed=1, workers=workers)


def tree(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256(path) for path in folder.rglob("*") if path.is_file()}


def test_rendered_surfaces_fill_the_index(tmp_path: Path) -> None:
    result = build(RENDERED, Path("unused"), tmp_path / "dataset", seed=1, workers=1)
    index = read_index(tmp_path / "dataset")
    assert index.equals(result.index)
    assert index.schema == SCHEMA
    assert len(index) == 120
    assert index["group"].n_unique() == 60
    assert index.filter(pl.col("label") == "good")["mask"].null_count() == 60
    assert index.filter(pl.col("label") != "good")["mask"].null_count() == 0
    for row in index.iter_rows(named=True):
        assert sha256(tmp_path / "dataset" / row["image"]) == row["sha256"]
        assert row["mask"] is None or sha256(tmp_path / "dataset" / row["mask"]) == row["mask_sha256"]


def test_two_workers_and_a_second_run_give_the_same_bytes(tmp_path: Path) -> None:
    digests = {
        build(RENDERED, Path("unused"), tmp_path / str(run), seed=1, workers=workers).digest
        for run, workers in enumerate((1, 2, 4))
    }
    assert len(digests) == 1
    assert tree(tmp_path / "0") == tree(tmp_path / "1") == tree(tmp_path / "2")


def test_another_seed_gives_another_digest(tmp_path: Path) -> None:
    one, two = (build(RENDERED, Path("unused"), tmp_path / "d", seed=seed, workers=1).digest for seed in (1, 2))
    assert one != two


def test_nothing_of_an_earlier_run_is_left(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "source")
    prepared(source, tmp_path / "dataset")
    before = tree(tmp_path / "dataset")
    put(tmp_path / "dataset" / "images" / "stray.png", spot())
    (tmp_path / ".dataset.x.999999999.building").mkdir()
    prepared(source, tmp_path / "dataset")
    assert tree(tmp_path / "dataset") == before
    assert {path.name for path in tmp_path.iterdir()} == {"source", "dataset"}


def test_a_failure_leaves_the_earlier_dataset_and_no_scratch(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "source")
    prepared(source, tmp_path / "dataset")
    before = tree(tmp_path / "dataset")
    shutil.rmtree(source / "good")
    with pytest.raises(InputError, match="expected good parts and at least one defect class, found scratch"):
        prepared(source, tmp_path / "dataset")
    assert tree(tmp_path / "dataset") == before
    assert {path.name for path in tmp_path.iterdir()} == {"source", "dataset"}


def test_broken_files_are_quarantined_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = plain_folder(tmp_path / "parts", good=30, scratch=10)
    (source / "good" / "g3.png").write_bytes(b"")
    put(source / "scratch" / "s1_mask.png", spot(width=30))
    result = prepared(source, tmp_path / "dataset", quarantine_share=0.1)
    assert result.quarantine == (
        ("good/g3.png", "file is empty"),
        ("scratch/s1.png", "mask is 30×24, image 32×24"),
    )
    told = capsys.readouterr().err
    assert "data: parts/scratch/s1.png: mask is 30×24, image 32×24: quarantined (2 of 40 so far)" in told
    assert len(result.index) == 38
    with (tmp_path / "dataset" / "quarantine.csv").open() as stream:
        assert list(csv.reader(stream)) == [["file", "reason"], *map(list, result.quarantine)]
    assert "file is empty" in (tmp_path / "dataset" / "card.md").read_text()


def test_too_many_broken_files_stop_the_stage_and_only_the_list_remains(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "parts", good=30, scratch=10)
    for i in range(5):
        (source / "good" / f"g{i}.png").write_bytes(b"")
    with pytest.raises(
        RunError, match=r"5 of 40 files quarantined, .* share of 0\.1; most often \(5×\): file is empty"
    ):
        prepared(source, tmp_path / "dataset", quarantine_share=0.1)
    assert tree(tmp_path / "dataset").keys() == {"quarantine.csv"}
    with pytest.raises(InputError, match="run the prepare stage first"):
        read_index(tmp_path / "dataset")


def test_defects_that_are_all_broken_leave_no_dataset_of_good_images(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "parts", good=60, scratch=2)
    for i in range(2):
        (source / "scratch" / f"s{i}.png").write_bytes(b"")
    with pytest.raises(RunError, match=r"every image with a defect is quarantined, .* \(2×\): file is empty: see "):
        prepared(source, tmp_path / "dataset", quarantine_share=0.1)
    assert tree(tmp_path / "dataset").keys() == {"quarantine.csv"}


def test_many_refusals_are_told_once_and_listed_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = plain_folder(tmp_path / "parts", good=60, scratch=10)
    for i in range(30):
        (source / "good" / f"g{i}.png").write_bytes(b"")
    assert len(prepared(source, tmp_path / "dataset", quarantine_share=0.5).quarantine) == 30
    assert capsys.readouterr().err.count("quarantined (") == 20


def test_one_image_under_two_classes_is_quarantined(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "parts", good=8, scratch=8)
    put(source / "scratch" / "s7.png", texture(2))
    result = prepared(source, tmp_path / "dataset", quarantine_share=0.1)
    assert result.quarantine == (("scratch/s7.png", "same image as good/g2.png, which is of class good"),)
    assert len(list((tmp_path / "dataset" / "images").iterdir())) == len(result.index) == 15
    assert len(list((tmp_path / "dataset" / "masks").iterdir())) == 7


def test_the_same_image_twice_counts_as_one_part(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "parts", good=20, scratch=8)
    for i in range(6):
        put(source / "good" / f"copy{i}.png", texture(i))
    index = prepared(source, tmp_path / "dataset").index
    assert (len(index), index["group"].n_unique()) == (34, 28)


def test_groups_that_share_an_image_are_joined_through_others() -> None:
    assert joined_groups(["c", "b", "b", "a", "d"], ["1", "1", "2", "2", "3"]) == ["a", "a", "a", "a", "d"]


def test_a_rare_class_is_said_to_be_absent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = plain_folder(tmp_path / "parts")
    put(source / "dent" / "d.png", texture(900))
    prepared(source, tmp_path / "dataset")
    assert "class 'dent' has 1 independent parts and is absent from val and test" in capsys.readouterr().err


def test_a_zip_gives_the_same_dataset_as_its_folder(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "parts")
    with zipfile.ZipFile(tmp_path / "parts.zip", "w") as archive:
        for path in sorted(source.rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    from_folder = prepared(source, tmp_path / "a")
    from_zip = prepared(tmp_path / "parts.zip", tmp_path / "b")
    assert from_folder.digest == from_zip.digest
    assert {path.name for path in tmp_path.iterdir()} == {"parts", "parts.zip", "a", "b"}


def test_a_hostile_archive_stops_the_stage_and_leaves_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "parts.zip", "w") as archive:
        archive.writestr("../../evil.png", b"x")
    with pytest.raises(InputError, match="archive refused"):
        prepared(tmp_path / "parts.zip", tmp_path / "dataset")
    assert {path.name for path in tmp_path.iterdir()} == {"parts.zip"}


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_a_source_that_is_neither_folder_nor_archive_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "parts").write_bytes(content)
    with pytest.raises(InputError, match=r"see DatasetSettings\.source"):
        prepared(tmp_path / "parts", tmp_path / "dataset")


def test_hostile_names_appear_as_text_only(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "parts")
    name = "<img src=x onerror=alert(1)>|`\x1b[31m"
    put(source / "<b>dent" / f"{name}.png", texture(77))
    (source / "good" / f"{name}.png").write_bytes(b"")
    (source / "SOURCE.txt").write_text("<script>alert(1)</script>")
    index = prepared(source, tmp_path / "dataset", quarantine_share=0.2).index
    card = (tmp_path / "dataset" / "card.md").read_text()
    assert "<img" not in card
    assert "<script" not in card
    assert "\x1b" not in card
    assert "<b>" not in "".join(index["label"])
    stored = [path.name for path in (tmp_path / "dataset" / "images").iterdir()]
    assert all(name.replace(".png", "").replace("_", "").isalnum() for name in stored)


def test_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "parts")
    put(source / "good" / b"caf\xe9.png".decode("utf-8", "surrogateescape"), texture(55))
    index = prepared(source, tmp_path / "dataset").index
    assert "good/caf\\udce9.png" in index["source"].to_list()


def test_a_limit_keeps_whole_parts_of_every_class(tmp_path: Path) -> None:
    settings = DatasetSettings(limit_parts=24, surfaces=RENDERED.surfaces)
    index = build(settings, Path("unused"), tmp_path / "dataset", seed=1, workers=1).index
    assert index["group"].n_unique() == 24
    assert len(index) == 48
    assert index["label"].n_unique() == 6


def test_colour_images_stay_colour(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "parts")
    put(source / "good" / "c.png", np.stack([texture(1), texture(2), texture(3)], axis=2))
    index = prepared(source, tmp_path / "dataset").index
    assert len(index) == 15
