"""Rendered surfaces with pixel-exact defects, for a factory that has no photographs yet.

A part is one texture with harmless marks and perhaps one defect; it is photographed in several
exposures (light, gain, focus, sensor noise, position), which belong together in every split. Each
part has its own random streams, so that neither the number of parts nor of workers changes it.
Brightness is float64 until the last line and then rounded, so that digests hold on every machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray
from scipy import ndimage

from twinloop.vision.datasets.settings import DefectKind, SurfaceSettings, Texture
from twinloop.vision.index import GOOD
from twinloop.vision.synthetic.flaws import FLAWS
from twinloop.vision.synthetic.textures import TEXTURES, Field, grid, harmless_marks

# Parts lie up to this many pixels beside their nominal place; they are rendered that much larger.
SHIFT_PX = 3
# Visible change of a defect at contrast 1, relative to the brightness of the surface: (weakest, strongest).
DEPTH: dict[DefectKind, tuple[float, float]] = {
    "crack": (0.14, 0.38),
    "missing": (0.18, 0.44),
    "pit": (0.20, 0.45),
    "scratch": (0.22, 0.46),
    "stain": (0.20, 0.40),
}
ALLOCATION, TEXTURE, FLAW, MARKS, EXPOSURE = range(5)


@dataclass(frozen=True)
class Part:
    """One part to be rendered: its number, texture and defect (None: sound)."""

    number: int
    texture: Texture
    kind: DefectKind | None

    @property
    def label(self) -> str:
        return self.kind or GOOD


@dataclass(frozen=True, eq=False)
class Body:
    """A part before it is photographed: relative brightness [H, W] and the defect's pixels [H, W]."""

    brightness: Field
    mask: NDArray[np.bool_]


def plan(settings: SurfaceSettings, *, seed: int) -> tuple[Part, ...]:
    """Texture and defect of every part: the exact share of defects, kinds and textures evenly, in random order."""
    rng = _stream(seed, ALLOCATION)
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


def body(settings: SurfaceSettings, part: Part, *, seed: int) -> Body:
    """Render one part, `SHIFT_PX` larger on every side than its photographs."""
    size = settings.size_px + 2 * SHIFT_PX
    grain = TEXTURES[part.texture](_stream(seed, TEXTURE, part.number), size)
    marks = harmless_marks(_stream(seed, MARKS, part.number), size, angle=grain.angle)
    texture, mask = grain.field, np.zeros((size, size), bool)
    if part.kind is not None:
        rng = _stream(seed, FLAW, part.number)
        weakest, strongest = DEPTH[part.kind]
        # An exponent above 1 favours the weak defects, which decide how good a model is.
        depth = settings.contrast * (weakest + (strongest - weakest) * rng.random() ** 1.3)
        flaw = FLAWS[part.kind](rng, size, depth=depth, angle=grain.angle)
        texture, mask = texture * flaw.keep + flaw.change, flaw.mask
    return Body(texture + marks, mask)


def photograph(settings: SurfaceSettings, part: Body, rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One exposure: image uint8 [size_px, size_px] and the defect's pixels in it."""
    size = settings.size_px
    top, left = rng.integers(0, 2 * SHIFT_PX + 1, 2)
    window = slice(top, top + size), slice(left, left + size)
    rows, columns = grid(size)
    direction, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0.0, 0.22)
    light = 1 + slope * (np.sin(direction) * rows + np.cos(direction) * columns) / (size / 2)
    light -= rng.uniform(0.0, 0.12) * (rows**2 + columns**2) / (size**2 / 2)
    base, gain = rng.uniform(0.42, 0.56), rng.uniform(0.88, 1.14)
    focused = ndimage.gaussian_filter(part.brightness, rng.uniform(0.25, 0.55), mode="nearest")[window]
    noise = rng.uniform(0.008, 0.018) * rng.standard_normal((size, size))
    level = gain * base * light * (1 + focused) + noise
    return np.floor(255 * level.clip(0, 1) + 0.5).astype(np.uint8), part.mask[window]


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
        whole = _kept_body(self.settings, self.part, self.seed)
        return photograph(self.settings, whole, _stream(self.seed, EXPOSURE, self.part.number, self.exposure))


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


def _stream(seed: int, *key: int) -> Generator:
    return default_rng(SeedSequence(seed, spawn_key=key))
