"""Large surfaces are put together from pieces: same bytes each time, one defect, bounded memory."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from twinloop.vision.synthetic.settings import DefectKind, SurfaceSettings
from twinloop.vision.synthetic.surfaces import Photograph, photographs

# Of the image and mask of the first defective part at seed 6, 700 px; holds on every machine.
DIGEST = "b68a462f6eaaeb3251d3cc79c18c1bd74bdb293c67be8510b424cdebe9276dd3"


def parts(size: int, **changed: object) -> Iterator[Photograph]:
    options = SurfaceSettings(size_px=size, exposures=1, **({"parts": 10, "defect_share": 1.0} | changed))  # type: ignore[arg-type]
    return photographs(options, seed=6)


def test_a_large_surface_has_the_committed_bytes() -> None:
    image, mask = next(parts(700)).render()
    assert image.shape == mask.shape == (700, 700)
    assert hashlib.sha256(image.tobytes() + mask.tobytes()).hexdigest() == DIGEST


@pytest.mark.parametrize("kind", SurfaceSettings().kinds)
def test_the_defect_is_where_the_mask_says_and_keeps_its_size(kind: DefectKind) -> None:
    size = 1100
    for number, photo in enumerate(parts(size, kinds=(kind,), parts=2, textures=("cast",))):
        image, mask = photo.render()
        rows, columns = np.nonzero(mask)
        assert 0 < len(rows) < 0.25 * 512**2, number
        assert max(np.ptp(rows), np.ptp(columns)) < 512
        sound = next(parts(size, kinds=(kind,), parts=1, textures=("cast",), defect_share=0.0))
        plain, empty = Photograph(sound.settings, type(photo.part)(photo.part.number, "cast", None), 0, 6).render()
        change = np.abs(image.astype(int) - plain)
        assert not empty.any()
        assert change[mask].mean() > 8
        assert change[~mask].mean() < 0.5


def test_pieces_meet_without_a_step() -> None:
    image = next(parts(1536, parts=1, defect_share=0.0, textures=("cast",))).render()[0].astype(float)
    steps = np.abs(np.diff(image, axis=1)).mean(axis=0)
    assert steps.max() < 1.5 * np.median(steps)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak of memory from /proc")
def test_8192_pixels_take_a_fraction_of_a_gibibyte() -> None:
    code = (
        "from pathlib import Path\n"
        "from twinloop.vision.synthetic.settings import SurfaceSettings\n"
        "from twinloop.vision.synthetic.surfaces import photographs\n"
        "image, mask = next(photographs(SurfaceSettings(parts=1, size_px=8192, defect_share=1.0), seed=1)).render()\n"
        "status = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())\n"
        "print(image.shape[0], int(mask.any()), status['VmHWM'].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    size, marked, peak = map(int, done.stdout.split())
    assert (size, marked) == (8192, 1)
    assert peak < 0.5 * 2**20, "KiB"
