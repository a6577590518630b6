"""Defects with their pixel truth: scratch, crack, pit, stain and missing material.

Each function draws one defect into a square field and says which pixels it covers, the way an
inspector would outline it. `depth` is the relative change of brightness at full strength; sizes
follow the image (`unit` pixels = `scale` · 1/96 of its side).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from twinloop.vision.synthetic.settings import DefectKind
from twinloop.vision.synthetic.textures import Field, grid, unit_noise

# Outlines are drawn this much outside the visible edge, in pixels.
OUTLINE_PX = 0.7


@dataclass(frozen=True, eq=False)
class Flaw:
    """change: [size, size] relative brightness to add; keep: share of the texture that stays visible, [size, size];
    mask: the pixels that belong to the defect.
    """

    change: Field
    keep: Field
    mask: NDArray[np.bool_]


def _centre(rng: Generator, size: int, margin: float) -> tuple[float, float]:
    reach = max(size / 2 - margin, 0.0)
    return rng.uniform(-reach, reach), rng.uniform(-reach, reach)


def _distance(points: Field, size: int) -> Field:
    """Distance of every pixel to the nearest of `points` [n, 2]; exact near the points, large elsewhere."""
    nearest = np.full((size, size), 1e6)
    axis = np.arange(size, dtype=np.float64) - (size - 1) / 2
    reach = 6 + size // 24
    for row, column in points:
        top, left = (int(np.searchsorted(axis, value - reach)) for value in (row, column))
        bottom, right = (int(np.searchsorted(axis, value + reach)) for value in (row, column))
        window = nearest[top:bottom, left:right]
        squared = (axis[top:bottom, None] - row) ** 2 + (axis[None, left:right] - column) ** 2
        np.minimum(window, squared, out=window)
    return np.asarray(np.sqrt(nearest), dtype=np.float64)


def _walk(rng: Generator, start: tuple[float, float], heading: float, *, steps: int, wander: float) -> Field:
    """A path [steps, 2] in steps of one pixel whose heading changes by a normal step of `wander` radians."""
    headings = heading + np.cumsum(wander * rng.standard_normal(steps))
    moves = np.stack([np.sin(headings), np.cos(headings)], axis=1)
    return np.asarray(np.array(start) + np.cumsum(moves, axis=0), dtype=np.float64)


def scratch(rng: Generator, size: int, *, depth: float, angle: float | None, scale: float = 1.0) -> Flaw:
    """A long, nearly straight groove across the grain: bright floor, dark burr on one side."""
    unit = scale * size / 96
    across = rng.uniform(0, np.pi) if angle is None else angle + rng.uniform(0.45, np.pi - 0.45)
    steps = max(int(rng.uniform(28, 70) * unit), 1)
    # A tool line along direction `angle` advances by (sin, cos); the groove starts so that its middle is in view.
    row, column = _centre(rng, size, 18 * unit)
    start = (row - np.sin(across) * steps / 2, column - np.cos(across) * steps / 2)
    path = _walk(rng, start, across, steps=steps, wander=0.025)
    distance = _distance(path, size)
    half = rng.uniform(0.7, 1.3) * unit**0.5
    burr = _distance(path + np.array([np.cos(across), -np.sin(across)]) * (half + 0.8), size)
    sign = 1.0 if rng.random() < 0.7 else -1.0
    change = sign * depth * (np.exp(-((distance / half) ** 2)) - 0.5 * np.exp(-((burr / half) ** 2)))
    return Flaw(change, np.ones((size, size)), distance < half + OUTLINE_PX)


def crack(rng: Generator, size: int, *, depth: float, angle: float | None, scale: float = 1.0) -> Flaw:
    """A jagged dark line of changing width that branches."""
    unit = scale * size / 96
    heading = rng.uniform(0, 2 * np.pi)
    main = _walk(
        rng, _centre(rng, size, 24 * unit), heading, steps=max(int(rng.uniform(26, 58) * unit), 1), wander=0.32
    )
    paths = [main]
    for _ in range(int(rng.integers(0, 3))):
        at = int(rng.integers(len(main) // 4, max(len(main) * 3 // 4, len(main) // 4 + 1)))
        turn = heading + rng.uniform(0.5, 1.0) * (1 if rng.random() < 0.5 else -1)
        fork = (float(main[at, 0]), float(main[at, 1]))
        paths.append(_walk(rng, fork, turn, steps=int(rng.uniform(8, 20) * unit), wander=0.32))
    distance = _distance(np.concatenate(paths), size)
    half = (0.9 + 0.25 * unit_noise(rng, size, 4.0)).clip(0.5, 1.5) * unit**0.5
    change = -1.25 * depth * np.exp(-((distance / half) ** 2))
    return Flaw(change, np.ones((size, size)), distance < half + OUTLINE_PX)


def pit(rng: Generator, size: int, *, depth: float, angle: float | None, scale: float = 1.0) -> Flaw:
    """A few small holes: a dark floor, lit on the side that faces the light."""
    unit = scale * size / 96
    rows, columns = grid(size)
    change, mask = np.zeros((size, size)), np.zeros((size, size), bool)
    light = rng.uniform(0, 2 * np.pi)
    row, column = _centre(rng, size, 16 * unit)
    for _ in range(int(rng.integers(1, 5))):
        down, right = rows - row, columns - column
        radius = rng.uniform(2.0, 4.6) * unit
        flat, tilt = rng.uniform(0.7, 1.0), rng.uniform(0, np.pi)
        major = np.cos(tilt) * down + np.sin(tilt) * right
        minor = np.cos(tilt) * right - np.sin(tilt) * down
        reach = np.sqrt(major**2 + (minor / flat) ** 2) / radius
        inside = 0.5 - 0.5 * np.tanh(4 * (reach - 1))
        slope = (np.sin(light) * down + np.cos(light) * right) / radius
        change += depth * (inside * (0.55 * slope.clip(-1, 1) - 1.0))
        mask |= reach < 1 + OUTLINE_PX / radius
        row, column = row + rng.uniform(-12, 12) * unit, column + rng.uniform(-12, 12) * unit
    return Flaw(change, np.ones((size, size)), mask)


def _blob(rng: Generator, size: int, *, radius: float, ragged: float, centre: tuple[float, float]) -> Field:
    """A signed outline: 0 on the border of a ragged blob of about `radius` pixels, negative inside, in pixels."""
    rows, columns = grid(size)
    stretch, tilt = rng.uniform(0.65, 1.0), rng.uniform(0, np.pi)
    down, right = rows - centre[0], columns - centre[1]
    major = np.cos(tilt) * down + np.sin(tilt) * right
    minor = (np.cos(tilt) * right - np.sin(tilt) * down) / stretch
    noise = unit_noise(rng, size, radius / 3)
    return np.asarray(np.sqrt(major**2 + minor**2) - radius + ragged * noise, dtype=np.float64)


def stain(rng: Generator, size: int, *, depth: float, angle: float | None, scale: float = 1.0) -> Flaw:
    """A soft patch through which the grain still shows, darker at its rim like a dried drop."""
    unit = scale * size / 96
    radius = rng.uniform(8, 18) * unit
    outline = _blob(rng, size, radius=radius, ragged=0.16 * radius, centre=_centre(rng, size, 14 * unit))
    inside = 0.5 - 0.5 * np.tanh(outline / (1.1 * unit))
    rim = np.exp(-((outline / (1.6 * unit)) ** 2))
    sign = -1.0 if rng.random() < 0.75 else 1.0
    return Flaw(sign * depth * (0.62 * inside + 0.22 * rim), 1 - 0.3 * inside, outline < 0.4)


def missing(rng: Generator, size: int, *, depth: float, angle: float | None, scale: float = 1.0) -> Flaw:
    """Material broken out, mostly at a border: the grain is gone, a rough floor and a lit edge remain."""
    unit = scale * size / 96
    radius = rng.uniform(7, 15) * unit
    row, column = _centre(rng, size, 12 * unit)
    if rng.random() < 0.6:
        # The border of the part: the same distance as drawn, on one of its four sides.
        side = (size / 2 - 0.5 * radius) * (1 if rng.random() < 0.5 else -1)
        row, column = (side, column) if rng.random() < 0.5 else (row, side)
    outline = _blob(rng, size, radius=radius, ragged=0.24 * radius, centre=(row, column))
    inside = 0.5 - 0.5 * np.tanh(2.2 * outline)
    shade = ndimage.sobel(outline, axis=0, mode="nearest") / 8
    floor = -1.15 * depth + 0.05 * unit_noise(rng, size, 1.0) + 0.04 * unit_noise(rng, size, 2.5)
    edge = 1.3 * depth * shade * np.exp(-((outline / 1.4) ** 2))
    return Flaw(inside * floor + edge, 1 - 0.9 * inside, outline < OUTLINE_PX)


FLAWS: dict[DefectKind, Callable[..., Flaw]] = {
    "crack": crack,
    "missing": missing,
    "pit": pit,
    "scratch": scratch,
    "stain": stain,
}
