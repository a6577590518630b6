"""How a camera sees a surface: light that falls off, exposure, blur, sensor noise and a part that lies askew."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from twinloop.vision.synthetic.settings import SurfaceSettings
from twinloop.vision.synthetic.textures import Field


@dataclass(frozen=True)
class Exposure:
    """What one exposure drew: corner of the view in the part (pixels), light, level of sound material, blur, noise."""

    top: int
    left: int
    direction: float
    gradient: float
    vignette: float
    level: float
    focus_px: float
    noise: float


def draw_exposure(settings: SurfaceSettings, rng: Generator) -> Exposure:
    """Draw everything but the noise of the single pixels."""
    camera, light = settings.camera, settings.light
    top, left = rng.integers(0, 2 * camera.shift_px + 1, 2)
    direction, gradient = rng.uniform(0, 2 * np.pi), rng.uniform(*light.gradient)
    vignette = rng.uniform(*light.vignette)
    grey, gain = rng.uniform(*light.grey), rng.uniform(*light.gain)
    focus_px, noise = rng.uniform(*camera.focus_px), rng.uniform(*camera.noise)
    return Exposure(int(top), int(left), direction, gradient, vignette, gain * grey, focus_px, noise)


def developed(exposure: Exposure, focused: Field, *, first_row: int, rng: Generator) -> NDArray[np.uint8]:
    """Rows of the photograph, uint8 [rows, size], from blurred relative brightness [rows, size].

    first_row: place of the first of them in the square photograph. Strips taken one after the other from one `rng`
    give the same pixels as the whole at once.
    """
    height, size = focused.shape
    axis = np.arange(size, dtype=np.float64) - (size - 1) / 2
    rows, columns = axis[first_row : first_row + height, None], axis[None, :]
    light = 1 + exposure.gradient * (np.sin(exposure.direction) * rows + np.cos(exposure.direction) * columns) / (
        size / 2
    )
    light -= exposure.vignette * (rows**2 + columns**2) / (size**2 / 2)
    noise = exposure.noise * rng.standard_normal((height, size))
    level = exposure.level * light * (1 + focused) + noise
    return np.asarray(np.floor(255 * level.clip(0, 1) + 0.5).astype(np.uint8))
