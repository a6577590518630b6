"""A source is judged before it is prepared: every file is read, and what is wrong is named."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.datasets.images import plain_folder, put, spot, texture
from tests.vision.datasets.test_reading import png_with_huge_header
from tests.vision.datasets.written import WRITTEN
from twinloop.errors import InputError
from twinloop.files import sha256
from twinloop.vision.datasets.inspection import ClassCount, Inspection, inspect
from twinloop.vision.datasets.settings import DatasetSettings


def look(source: Path, scratch: Path, *, workers: int = 1) -> Inspection:
    return inspect(source, scratch, DatasetSettings(kind="auto"), workers=workers)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_sound_source_of_every_layout_has_no_problem(tmp_path: Path, name: str) -> None:
    source = WRITTEN[name](tmp_path / "source")
    found = look(source, tmp_path / "scratch")
    assert found.layout == name
    assert found.problems == ()
    assert found.images == sum(count.images for count in found.classes) >= 12
    assert found.classes[0].label == "good"


def test_images_parts_and_masks_are_counted(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "source", good=8, scratch=6)
    (source / "groups.csv").write_text("file,group\ngood/g0.png,tile\ngood/g1.png,tile\nscratch/s0.png,tile\n")
    found = look(source, tmp_path / "scratch")
    assert found.classes == (ClassCount("good", 8, 7, 0), ClassCount("scratch", 6, 6, 6))
    assert found.parts == 12


def test_everything_wrong_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "source", good=12, scratch=12)
    good, scratch = source / "good", source / "scratch"
    (good / "g0.png").write_bytes(b"")
    (good / "g1.png").write_bytes((good / "g2.png").read_bytes()[:-200])
    (good / "g3.png").write_bytes(png_with_huge_header())
    put(good / "g4.png", texture(4)[:1, :1])
    put(scratch / "s0_mask.png", spot(width=30))
    put(scratch / "s1_mask.png", spot() * 0)
    put(scratch / "s2_mask.png", texture(1))
    put(scratch / "s3.png", texture(5))
    put(source / "dent" / "d.png", texture(900))
    before = {path: sha256(path) for path in source.rglob("*") if path.is_file()}
    found = look(source, tmp_path / "scratch", workers=2)
    assert {path: sha256(path) for path in source.rglob("*") if path.is_file()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"source"}
    told = dict(found.problems)
    assert set(told) == {
        "good/g0.png", "good/g1.png", "good/g3.png", "good/g4.png",
        "scratch/s0.png", "scratch/s1.png", "scratch/s2.png", "scratch/s3.png",
    }  # fmt: skip
    assert told["good/g0.png"] == "file is empty"
    assert told["good/g1.png"].startswith("cannot be read")
    assert "more than 50000000 pixels" in told["good/g3.png"]
    assert told["good/g4.png"].startswith("image is 1×1")
    assert told["scratch/s0.png"] == "mask is 30×24, image 32×24"
    assert told["scratch/s1.png"] == "mask s1_mask.png is empty, class is scratch"
    assert told["scratch/s2.png"].startswith("mask has ")
    assert told["scratch/s3.png"] == "same image as good/g5.png, which is of class good"
    assert found.remarks == ("class dent has 1 independent part: too few for training, validation and test at once",)


def test_conversions_and_repeated_images_are_remarks(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "source")
    put(source / "good" / "copy.png", texture(0))
    put(source / "good" / "deep.png", texture(70).astype(np.uint16) * 200)
    Image.new("CMYK", (32, 24), (9, 8, 7, 6)).save(source / "good" / "print.tif")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(texture(71)).save(source / "good" / "turned.png", exif=exif)
    found = look(source, tmp_path / "scratch")
    assert found.problems == ()
    assert found.remarks == (
        "1 images: 16-bit grey: scaled to 8 bit",
        "1 images: CMYK: converted to RGB",
        "1 images: EXIF orientation: turned",
        "1 images repeat another of their class: the parts they show count as one",
    )


def test_an_archive_is_read_and_its_scratch_removed(tmp_path: Path) -> None:
    source = WRITTEN["mvtec"](tmp_path / "source")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted(source.rglob("*.*")):
            archive.write(path, path.relative_to(tmp_path))
    assert look(tmp_path / "a.zip", tmp_path / "scratch").layout == "mvtec"
    assert {path.name for path in tmp_path.iterdir()} == {"source", "a.zip"}


def test_an_annotation_file_that_stops_prepare_is_a_problem(tmp_path: Path) -> None:
    source = WRITTEN["coco"](tmp_path / "source")
    path = source / "annotations" / "instances_train.json"
    path.write_text(path.read_text()[:-2])
    ((_, reason),) = look(source, tmp_path / "scratch").problems
    assert "instances_train.json: content: invalid JSON" in reason


def test_defects_alone_are_a_problem(tmp_path: Path) -> None:
    put(tmp_path / "source" / "dent" / "1.png", texture(1))
    problems = look(tmp_path / "source", tmp_path / "scratch").problems
    told = (
        "expected good parts and at least one defect class, found dent: name what is good: DatasetSettings.good=[dent]"
    )
    assert problems == (("", told),)


def test_good_images_alone_are_no_problem_and_say_what_learns_from_them(tmp_path: Path) -> None:
    found = look(plain_folder(tmp_path / "source", scratch=0), tmp_path / "scratch")
    assert not found.problems
    assert "no defect: learn from good images alone (ModelSettings.kind=patchcore, padim or simulated)" in found.remarks


def test_defects_that_are_all_broken_are_a_problem_and_no_set_of_good_images(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "source", scratch=1)
    (source / "scratch" / "s0.png").write_bytes(b"")
    found = look(source, tmp_path / "scratch")
    assert ("", "every image with a defect is refused, only good ones are left") in found.problems
    assert not any("good images alone" in remark for remark in found.remarks)


def test_an_unknown_layout_is_no_exception_and_a_missing_source_is(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    assert look(tmp_path / "source", tmp_path / "scratch").layout is None
    with pytest.raises(InputError, match="no such file or folder"):
        look(tmp_path / "gone", tmp_path / "scratch")


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "source")
    (source / "good" / "a\x1b[31m.png").write_bytes(b"")
    assert dict(look(source, tmp_path / "scratch").problems) == {"good/a\\x1b[31m.png": "file is empty"}


def test_three_broken_files_in_a_large_folder_are_named_alone(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for i in range(1200):
        put(source / ("good" if i % 2 else "pit") / f"{i}.pgm", np.full((8, 8), i % 251, np.uint8) + texture(i)[:8, :8])
    for i in (7, 600, 1100):
        path = source / ("good" if i % 2 else "pit") / f"{i}.pgm"
        path.write_bytes(path.read_bytes()[:20])
    problems = look(source, tmp_path / "scratch").problems
    assert [name for name, _ in problems] == ["good/7.pgm", "pit/1100.pgm", "pit/600.pgm"]
    assert all(reason.startswith("cannot be read") for _, reason in problems)
