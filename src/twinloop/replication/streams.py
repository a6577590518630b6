"""One random stream per entity and purpose, so that scenarios can share their luck.

A stream's seed is SeedSequence(seed, spawn_key=(replication, digest of entity and purpose)): adding a
station moves nobody else's numbers. What belongs to a part is keyed by the part's number, so that part
17 has the same class and the same difficulty in every scenario (common random numbers; Law, Simulation
Modeling and Analysis, 5th ed., 11.2).
"""

import hashlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

# Numbers drawn at once: what a call of numpy costs is shared by so many.
BLOCK = 256


class Streams:
    """All random streams of one replication; one that starts later, as a fork does, has luck of its own."""

    def __init__(self, seed: int, replication: int, *, start: float = 0.0) -> None:
        self.seed, self.replication = seed, replication
        self._luck = f"\0{start!r}" if start else ""
        self._by_part: dict[str, ByPart] = {}

    def generator(self, entity: str, purpose: str) -> np.random.Generator:
        """The generator of one entity's purpose, the same however many others exist."""
        digest = hashlib.sha256(f"{entity}\0{purpose}{self._luck}".encode()).digest()
        key = (self.replication, int.from_bytes(digest[:8], "big"))
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=key)))

    def by_part(self, purpose: str, kind: Literal["normal", "uniform"]) -> "ByPart":
        """Standard normal or uniform numbers, one for each part number; all machines that ask share them."""
        if purpose not in self._by_part:
            rng = self.generator("part", purpose)
            self._by_part[purpose] = ByPart(rng.standard_normal if kind == "normal" else rng.random)
        return self._by_part[purpose]


class ByPart:
    """Numbers indexed by part number (from 0), drawn in blocks as parts come."""

    __slots__ = ("_draw", "_values")

    def __init__(self, draw: Callable[[int], Any]) -> None:
        self._draw = draw
        self._values: list[float] = []

    def __getitem__(self, number: int) -> float:
        while number >= len(self._values):
            self._values.extend(self._draw(BLOCK).tolist())
        return self._values[number]
