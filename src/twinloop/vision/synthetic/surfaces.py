"""Rendered surfaces with pixel-exact defects, for a factory that has no photographs yet.

A part is one texture with harmless marks and perhaps one defect; it is photographed in several
exposures (light, gain, focus, sensor noise, position), which belong together in every split. Each
part has its own random streams, so that neither the number of parts nor of workers changes it.
Brightness is float64 until the last line and then rounded, so that digests hold on every machine.
Surfaces above 512 px are put together from mirrored pieces in strips (`mosaic`), to bound memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from twinloop.vision.synthetic.bodies import ALLOCATION, EXPOSURE, Body, Part, body, stream
from twinloop.vision.synthetic.camera import developed, draw_exposure
from twinloop.vision.synthetic.mosaic import PIECE_PX, render_large
from twinloop.vision.synthetic.settings import DefectKind, SurfaceSettings


def plan(settings: SurfaceSettings, *, seed: int) -> tuple[Part, ...]:
    """Texture and defect of every part: the exact share of defects, kinds and textures evenly, in random order."""
    rng = stream(seed, ALLOCATION)
    defective = round(settings.defect_share * settings.parts)
    kinds: list[DefectKind | None] = [settings.kinds[i % len(settings.kinds)] for i in range(defective)]
    kinds += [None] * (settings.parts - defective)
    # Textures follow in turn within each kind, so that no kind goes with one texture.
    turns: dict[DefectKind | None, int] = {}
    parts = []
    for kind in kinds:
        turns[kind] = turn = turns.get(kind, -1) + 1
        parts.append((kind, settings.textures[turn % len(settings.textures)]))
    order = rng.permutation(settings.parts)
    return tuple(Part(number, parts[place][1], parts[place][0]) for number, place in enumerate(order))


def photograph(settings: SurfaceSettings, part: Body, rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One exposure: image uint8 [size_px, size_px] and the defect's pixels in it."""
    size, shot = settings.size_px, draw_exposure(settings, rng)
    window = slice(shot.top, shot.top + size), slice(shot.left, shot.left + size)
    focused = ndimage.gaussian_filter(part.brightness, shot.focus_px, mode="nearest")[window]
    return developed(shot, focused, first_row=0, rng=rng), part.mask[window]


@dataclass(frozen=True)
class Photograph:
    """One exposure of one part that can be rendered when it is needed."""

    settings: SurfaceSettings
    part: Part
    exposure: int
    seed: int

    @property
    def name(self) -> str:
        return f"part_{self.part.number:05d}_exposure_{self.exposure}_{self.part.texture}"

    @property
    def group(self) -> str:
        return f"part_{self.part.number:05d}"

    def render(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Image uint8 [size_px, size_px] and the defect's pixels, bool of the same shape."""
        if self.settings.size_px > PIECE_PX:
            return render_large(self.settings, self.part, self.exposure, seed=self.seed)
        whole = _kept_body(self.settings, self.part, self.seed)
        return photograph(self.settings, whole, stream(self.seed, EXPOSURE, self.part.number, self.exposure))


def photographs(settings: SurfaceSettings, *, seed: int) -> Iterator[Photograph]:
    """Every exposure of every part, part by part.

    >>> small = SurfaceSettings(parts=2, exposures=1, size_px=32)
    >>> [photo.render()[0].shape for photo in photographs(small, seed=1)]
    [(32, 32), (32, 32)]
    """
    for part in plan(settings, seed=seed):
        for exposure in range(settings.exposures):
            yield Photograph(settings, part, exposure, seed)


@lru_cache(maxsize=8)
def _kept_body(settings: SurfaceSettings, part: Part, seed: int) -> Body:
    # The exposures of a part are rendered one after the other: the costly half is done once.
    return body(settings, part, seed=seed)
