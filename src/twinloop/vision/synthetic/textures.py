"""Grain of sound machined, cast and woven surfaces, and the harmless marks they carry.

Every texture is a float64 field around 0 (relative brightness) drawn from an explicit generator.
Only element-wise arithmetic and short spatial filters are used, no FFT and no linear algebra, so
that the same draws give the same pixels on every machine once they are rounded to 8 bits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from twinloop.vision.synthetic.settings import MarkSettings, Texture

Field = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grain:
    """A texture field [size, size] and the direction of its lines in radians (None: no direction)."""

    field: Field
    angle: float | None


def grid(size: int) -> tuple[Field, Field]:
    """Row and column coordinates in pixels, centred on 0."""
    axis = np.arange(size, dtype=np.float64) - (size - 1) / 2
    return axis[:, None] + np.zeros(size), axis[None, :] + np.zeros((size, 1))


def unit_noise(rng: Generator, size: int, sigma: float | tuple[float, float]) -> Field:
    """White noise smoothed by a Gaussian of `sigma` pixels (rows, columns), brought to standard deviation 1."""
    field = ndimage.gaussian_filter(rng.standard_normal((size, size)), sigma, mode="wrap", truncate=3.0)
    return np.asarray(field / field.std(), dtype=np.float64)


def turned(field: Field, angle: float, size: int) -> Field:
    """The middle [size, size] of a larger square field, turned by `angle` radians, bilinear."""
    rows, columns = grid(size)
    cosine, sine = np.cos(angle), np.sin(angle)
    middle = (len(field) - 1) / 2
    where = np.stack([middle + cosine * rows - sine * columns, middle + sine * rows + cosine * columns])
    return np.asarray(ndimage.map_coordinates(field, where, order=1, mode="grid-wrap"), dtype=np.float64)


def brushed(rng: Generator, size: int) -> Grain:
    """Long parallel lines of one direction, as on brushed steel."""
    angle = rng.uniform(-0.35, 0.35) + (np.pi / 2 if rng.random() < 0.5 else 0.0)
    fine = unit_noise(rng, size + size // 2, (0.6, 16.0))
    broad = unit_noise(rng, size + size // 2, (2.0, 24.0))
    field = turned(0.055 * fine + 0.025 * broad, angle, size)
    return Grain(field + 0.012 * rng.standard_normal((size, size)), angle)


def cast(rng: Generator, size: int) -> Grain:
    """Grains and shallow dimples of several sizes without direction, as on sand-cast iron."""
    field = 0.035 * unit_noise(rng, size, 0.8) + 0.035 * unit_noise(rng, size, 2.2) + 0.025 * unit_noise(rng, size, 6.0)
    dimples = np.minimum(unit_noise(rng, size, 1.4) + 1.3, 0.0)
    return Grain(field + 0.06 * dimples, None)


def ground(rng: Generator, size: int) -> Grain:
    """Two crossing families of fine arcs, as left by a grinding wheel."""
    angle = rng.uniform(0, np.pi)
    crossing = angle + rng.uniform(0.5, 1.2)
    first = turned(unit_noise(rng, size + size // 2, (0.7, 9.0)), angle, size)
    second = turned(unit_noise(rng, size + size // 2, (0.7, 7.0)), crossing, size)
    return Grain(0.05 * first + 0.035 * second + 0.02 * unit_noise(rng, size, 4.0), angle)


def woven(rng: Generator, size: int) -> Grain:
    """Threads passing over and under each other at a pitch of a few pixels, as in glass cloth."""
    angle = rng.uniform(-0.25, 0.25)
    rows, columns = grid(size)
    cosine, sine = np.cos(angle), np.sin(angle)
    along = cosine * rows - sine * columns + 1.1 * unit_noise(rng, size, 9.0)
    across = sine * rows + cosine * columns + 1.1 * unit_noise(rng, size, 9.0)
    pitch = rng.uniform(5.0, 7.5)
    warp, weft = np.sin(np.pi * along / pitch), np.sin(np.pi * across / pitch)
    over = 0.5 + 0.5 * np.tanh(4 * warp * weft)
    threads = over * np.abs(warp) + (1 - over) * np.abs(weft)
    return Grain(0.20 * (threads - 0.64) + 0.02 * unit_noise(rng, size, 0.7) + 0.02 * unit_noise(rng, size, 7.0), angle)


TEXTURES: dict[Texture, Callable[[Generator, int], Grain]] = {
    "brushed": brushed,
    "cast": cast,
    "ground": ground,
    "woven": woven,
}


def harmless_marks(rng: Generator, size: int, *, angle: float | None, settings: MarkSettings) -> Field:
    """Dust, tool lines along the grain and broad shading: what a detector must learn to let pass."""
    rows, columns = grid(size)
    field = np.zeros((size, size))
    for _ in range(int(rng.poisson(settings.dust))):
        row, column = rng.uniform(-size / 2, size / 2, 2)
        spread = rng.uniform(*settings.dust_px)
        strength = rng.uniform(*settings.dust_strength) * (1 if rng.random() < 0.7 else -1)
        field += strength * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * spread**2))
    if angle is not None and rng.random() < settings.line_share:
        offset = rng.uniform(-size / 2.5, size / 2.5)
        distance = np.cos(angle) * rows - np.sin(angle) * columns - offset
        strength = rng.uniform(-settings.line_strength, settings.line_strength)
        field += strength * np.exp(-(distance**2) / (2 * rng.uniform(0.5, 0.9) ** 2))
    return field + settings.shading * unit_noise(rng, size, size / 5)
