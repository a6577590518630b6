"""How deep grey values are is told by the whole set, not by the file's container or one image."""

from pathlib import Path

import numpy as np
import pytest

from tests.vision.datasets.images import put, texture
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.reading import read_image
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.inference.pictures import read_picture


def read(source: Path, **changed: object) -> Collection:
    return layouts.read(source, DatasetSettings(**({"kind": "auto"} | changed)))  # type: ignore[arg-type]


def deep(root: Path, bits: int) -> Path:
    """Four images; the second is a quarter as bright as the first, which reaches the highest value."""
    full = (1 << bits) - 1
    for i in range(4):
        pixels = (texture(i).astype(np.float64) / 255 * full / (1 + 3 * (i == 1))).astype(np.uint16)
        if i == 0:
            pixels[0, 0] = full
        put(root / ("good" if i < 2 else "dent") / f"{i}.png", pixels)
    return root


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_values_are_scaled_from_the_depth_that_the_set_fills(tmp_path: Path, bits: int) -> None:
    found = read(deep(tmp_path, bits))
    bright, dark = (next(s for s in found.samples if s.name == f"good/{i}.png").read().image for i in range(2))
    assert abs(bright.astype(int)[1:] - texture(0)[1:]).max() <= 1
    assert abs(dark.astype(int) - texture(1) / 4).max() <= 1
    told = [note for note in found.notes if "16-bit files hold" in note]
    assert len(told) == (bits < 16)
    assert f"hold {bits}-bit values" in "".join(told) or bits == 16


def test_the_depth_can_be_named_and_a_value_beyond_it_is_refused(tmp_path: Path) -> None:
    deep(tmp_path, 12)
    image = read(tmp_path, depth_bits=16).samples[2].read().image
    assert image.max() <= 16
    sample = next(s for s in read(tmp_path, depth_bits=10).samples if s.name == "good/0.png")
    with pytest.raises(Refused, match="grey value 4095 is beyond 10 bits"):
        sample.read()


def test_one_picture_alone_does_not_tell_its_depth(tmp_path: Path) -> None:
    path = put(tmp_path / "a.png", texture(0).astype(np.uint16) * 16)
    with pytest.raises(Refused, match=r"16-bit values end at \d+, which fills 12 bits: scale them to 16"):
        read_picture(path)
    shallow = read_image(path, max_bytes=100_000, max_pixels=10_000, depth_bits=12)
    assert abs(shallow.astype(int) - texture(0)).max() <= 1


def test_a_depth_beyond_16_is_refused() -> None:
    with pytest.raises(InputError, match="depth_bits"):
        DatasetSettings(depth_bits=17)
