"""A part before it is photographed: its grain, its harmless marks and perhaps one defect, as relative brightness.

Every part has its own random stream for each purpose, so that neither the number of parts, nor the
order, nor another setting changes it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from twinloop.vision.index import GOOD
from twinloop.vision.synthetic.flaws import FLAWS, Flaw
from twinloop.vision.synthetic.settings import DefectKind, SurfaceSettings, Texture
from twinloop.vision.synthetic.textures import TEXTURES, Field, harmless_marks

ALLOCATION, TEXTURE, FLAW, MARKS, EXPOSURE, SCALE, PLACE = range(7)


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


def body(settings: SurfaceSettings, part: Part, *, seed: int) -> Body:
    """Render one part of at most 512 px, `shift_px` larger on every side than its photographs."""
    size = settings.size_px + 2 * settings.camera.shift_px
    texture, marks, angle = sound(settings, part, size, seed=seed)
    if part.kind is None:
        return Body(texture + marks, np.zeros((size, size), bool))
    flaw = defect(settings, part, size, angle=angle, seed=seed)
    return Body(texture * flaw.keep + flaw.change + marks, flaw.mask)


def sound(settings: SurfaceSettings, part: Part, size: int, *, seed: int) -> tuple[Field, Field, float | None]:
    """Texture and harmless marks of a part, [size, size] each, and the direction of its grain."""
    grain = TEXTURES[part.texture](stream(seed, TEXTURE, part.number), size)
    rng = stream(seed, MARKS, part.number)
    marks = harmless_marks(rng, size, angle=grain.angle, settings=settings.marks)
    return settings.grain * grain.field, marks, grain.angle


def defect(settings: SurfaceSettings, part: Part, size: int, *, angle: float | None, seed: int) -> Flaw:
    """The defect of a part in a field [size, size]; one smaller than a pixel marks the pixel that it changes most."""
    assert part.kind is not None
    rng = stream(seed, FLAW, part.number)
    weakest, strongest = getattr(settings.depth, part.kind)
    # An exponent above 1 favours the weak defects, which decide how good a model is.
    depth = settings.contrast * (weakest + (strongest - weakest) * rng.random() ** 1.3)
    scale = stream(seed, SCALE, part.number).uniform(*settings.scale)
    flaw = FLAWS[part.kind](rng, size, depth=depth, angle=angle, scale=scale)
    if not flaw.mask.any():
        flaw.mask.flat[np.abs(flaw.change).argmax()] = True
    return flaw


def stream(seed: int, *key: int) -> Generator:
    """The random stream of one purpose (`ALLOCATION` …), part and exposure."""
    return default_rng(SeedSequence(seed, spawn_key=key))
