"""Good and defective images of different sources are told before any model learns the source."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.datasets.images import texture
from twinloop.vision.datasets.build import build
from twinloop.vision.datasets.inspection import inspect
from twinloop.vision.datasets.settings import DatasetSettings

Pixels = np.ndarray
PARTS = 16


def put(path: Path, pixels: Pixels, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)  # type: ignore[arg-type]


def as_they_are(root: Path, place: int, good: bool, pixels: Pixels) -> None:
    put(root / f"{place}.png", pixels)


def saved_otherwise(root: Path, place: int, good: bool, pixels: Pixels) -> None:
    put(root / f"{place}.{'png' if good else 'jpg'}", pixels)


def packed_harder(root: Path, place: int, good: bool, pixels: Pixels) -> None:
    put(root / f"{place}.jpg", pixels, quality=90 if good else 60)


def packed_before(root: Path, place: int, good: bool, pixels: Pixels) -> None:
    """Defective ones were JPEG once; all are PNG now."""
    put(root / "once.jpg", pixels, quality=10)
    put(root / f"{place}.png", pixels if good else np.asarray(Image.open(root / "once.jpg")))
    (root / "once.jpg").unlink()


def darker(root: Path, place: int, good: bool, pixels: Pixels) -> None:
    put(root / f"{place}.png", pixels if good else pixels // 2)


def larger(root: Path, place: int, good: bool, pixels: Pixels) -> None:
    put(root / f"{place}.png", pixels if good else pixels[:, :-8])


def framed(root: Path, place: int, good: bool, pixels: Pixels) -> None:
    if not good:
        pixels[:2] = pixels[-2:] = 0
    put(root / f"{place}.png", pixels)


def named(root: Path, place: int, good: bool, pixels: Pixels) -> None:
    put(root / (f"IMG_{place}.png" if good else f"{place} (1).png"), pixels)


SOURCES: list[tuple[Callable[..., None], str]] = [
    (as_they_are, ""),
    (saved_otherwise, "file format"),
    (packed_harder, "compression"),
    (packed_before, "compression"),
    (darker, "exposure"),
    (larger, "size"),
    (framed, "border"),
    (named, "file name"),
]


def source(root: Path, save: Callable[..., None]) -> Path:
    for place in range(2 * PARTS):
        good = place < PARTS
        pixels = texture(place, height=48, width=56)
        if not good:
            # A defect that is there must not be taken for a source.
            pixels[20:30, 20:26] = 250
        save(root / ("good" if good else "scratch"), place, good, pixels)
    return root


@pytest.mark.parametrize(("save", "trait"), SOURCES, ids=[save.__name__ for save, _ in SOURCES])
def test_a_trait_that_tells_the_classes_apart_is_the_warning(
    tmp_path: Path, save: Callable[..., None], trait: str
) -> None:
    settings = DatasetSettings(kind="auto", source=str(tmp_path))
    found = inspect(source(tmp_path / "s", save), tmp_path / "scratch", settings, workers=1)
    assert trait in {tell.trait for tell in found.tells} or not trait
    assert bool(found.warning) == bool(trait)
    # Names are seen by people, not by a detector.
    assert found.shortcut == (trait not in ("", "file name"))


def test_it_is_the_first_line_of_the_data_card(tmp_path: Path) -> None:
    path = source(tmp_path / "s", saved_otherwise)
    prepared = build(DatasetSettings(kind="auto", source=str(path)), path, tmp_path / "d", seed=1, workers=1)
    lines = (tmp_path / "d" / "card.md").read_text().splitlines()
    assert lines[2].startswith("**Good and defective images do not come from one source")
    assert prepared.warning in lines[2]


def test_few_parts_prove_nothing(tmp_path: Path) -> None:
    for place in range(6):
        saved_otherwise(tmp_path / "s" / ("good" if place < 3 else "dent"), place, place < 3, texture(place))
    settings = DatasetSettings(kind="auto", source="s")
    assert inspect(tmp_path / "s", tmp_path / "scratch", settings, workers=1).warning == ""


@pytest.mark.parametrize(("save", "trait"), [(saved_otherwise, "file format"), (larger, "size"), (darker, "")])
def test_a_few_defects_that_share_what_no_good_part_has_are_told(
    tmp_path: Path, save: Callable[..., None], trait: str
) -> None:
    for place in range(34):
        save(tmp_path / "s" / ("dent" if place < 4 else "good"), place, place >= 4, texture(place))
    found = inspect(tmp_path / "s", tmp_path / "scratch", DatasetSettings(kind="auto", source="s"), workers=1)
    assert [tell.trait for tell in found.tells] == [trait] * bool(trait)
    assert found.shortcut == bool(trait)
