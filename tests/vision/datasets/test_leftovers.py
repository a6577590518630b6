"""What is skipped is counted by its ending; images in every usual ending are read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.datasets.images import plain_folder, put, texture
from tests.vision.datasets.written import WRITTEN
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.samples import Collection
from twinloop.vision.datasets.settings import DatasetSettings


def read(source: Path) -> Collection:
    return layouts.read(source, DatasetSettings(kind="auto"))


@pytest.mark.parametrize(
    ("name", "kind"), [("a.jfif", "JPEG"), ("a.gif", "GIF"), ("a.WEBP", "WEBP"), ("a.PNG", "PNG"), ("a.JPE", "JPEG")]
)
def test_images_of_every_usual_ending_are_read(tmp_path: Path, name: str, kind: str) -> None:
    plain_folder(tmp_path)
    Image.fromarray(texture(500)).save(tmp_path / "good" / name, kind)
    sample = next(sample for sample in read(tmp_path).samples if sample.name == f"good/{name}")
    assert abs(sample.read().image.astype(int).mean() - texture(500).mean()) < 4


def test_a_moving_gif_is_refused(tmp_path: Path) -> None:
    plain_folder(tmp_path)
    frames = [Image.fromarray(np.roll(texture(1), i)) for i in range(3)]
    frames[0].save(tmp_path / "good" / "film.gif", save_all=True, append_images=frames[1:])
    sample = next(sample for sample in read(tmp_path).samples if sample.name == "good/film.gif")
    with pytest.raises(Exception, match="file holds 3 images, expected one"):
        sample.read()


def test_other_files_are_counted_by_ending(tmp_path: Path) -> None:
    plain_folder(tmp_path)
    for name in ("a.heic", "b.HEIC", "c.mp4", ".hidden.xyz", "notes.txt"):
        (tmp_path / "good" / name).write_bytes(b"x")
    assert read(tmp_path).notes == ("skipped, no ending of an image that is read: 2 × .heic, 1 × .mp4.",)


def test_images_outside_the_layout_are_counted_by_folder(tmp_path: Path) -> None:
    WRITTEN["mvtec"](tmp_path)
    for i in range(3):
        put(tmp_path / "more" / f"{i}.png", texture(700 + i))
    assert "skipped, images that no part of the layout holds: 3 in more." in read(tmp_path).notes


@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_of_a_sound_source_is_skipped(tmp_path: Path, name: str) -> None:
    assert not any("skipped" in note for note in read(WRITTEN[name](tmp_path)).notes)
