"""What goes into a model: named arrays, each with its dtype and its axes. The first axis is the batch.

Further axes may vary from call to call (tokens of a sentence, steps of a window); inputs whose axes carry the same name
have the same length there. Arrays of one call travel as a mapping in the order of the model's inputs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError

Arrays = Mapping[str, NDArray[Any]]
Outputs = list[NDArray[Any]]


@dataclass(frozen=True)
class Axis:
    """An axis whose length varies from call to call between `least` and `most`, both included."""

    name: str
    least: int = 1
    most: int = 4096

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise ValueError(f"axis {self.name}: expected 1 ≤ least ≤ most, got {self.least} and {self.most}")

    @property
    def usual(self) -> int:
        """A length to trace and to optimise with: 8 where allowed, never 1, which an exporter takes for a constant."""
        return min(max(self.least, 8), self.most)


BATCH = Axis("batch")


@dataclass(frozen=True)
class Input:
    """One input: its axes after the batch, where a number is a fixed length, and its dtype as numpy names it.

    >>> Input("ids", (Axis("length", most=512),), "int64").shape(batch=2)
    (2, 8)
    """

    name: str
    axes: tuple[int | Axis, ...]
    dtype: str = "float32"

    def shape(self, *, batch: int) -> tuple[int, ...]:
        """A shape that the input may have: [batch, ...], axes that vary at their usual length."""
        return (batch, *(axis.usual if isinstance(axis, Axis) else axis for axis in self.axes))

    @property
    def described(self) -> list[str | int]:
        """For a JSON file: dtype, then the axes by name or length."""
        return [self.dtype, BATCH.name, *(axis.name if isinstance(axis, Axis) else axis for axis in self.axes)]


def rows(arrays: Arrays) -> int:
    """Length of the first axis. Raises InputError where there is no row or the arrays differ in their number."""
    counts = {name: len(values) for name, values in arrays.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        listed = ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
        raise InputError(f"model: expected at least one sample, equally many in every input; got {listed}")
    return next(iter(counts.values()))


def cut(arrays: Arrays, start: int, stop: int) -> Arrays:
    """Rows start…stop of every array."""
    return {name: values[start:stop] for name, values in arrays.items()}


def batches(arrays: Arrays, size: int) -> Iterator[Arrays]:
    """All rows in their order, `size` at a time and the rest."""
    for start in range(0, rows(arrays), size):
        yield cut(arrays, start, start + size)


def even_batches(arrays: Arrays, size: int) -> list[Arrays]:
    """All rows in their order in as few parts of at most `size` as can be, of about equal numbers."""
    parts = -(-rows(arrays) // size)
    split = {name: np.array_split(values, parts) for name, values in arrays.items()}
    return [{name: pieces[place] for name, pieces in split.items()} for place in range(parts)]
