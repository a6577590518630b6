"""What images tell beside each other: whether something else than defects divides them, and which look alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinloop.vision.datasets import lookalikes, provenance
from twinloop.vision.index import GOOD


@dataclass(frozen=True, eq=False)
class Look:
    """What is kept of an image that was read, to compare it with others."""

    traits: provenance.Traits
    thumbnail: NDArray[np.float16]

    @classmethod
    def at(cls, path: Path, image: NDArray[np.uint8]) -> "Look":
        """Of a file and what it was read as, uint8 [H, W] or [H, W, 3]."""
        return cls(provenance.traits_of(path, image), lookalikes.thumbnail(image))


@dataclass(frozen=True)
class Compared:
    """tells: what tells good from defective images beside their surface. remarks: sentences on the rest."""

    tells: tuple[provenance.Tell, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def warning(self) -> str:
        """A sentence on the tells; "" where there are none."""
        return provenance.warning(self.tells)


def compare(
    names: Sequence[str],
    labels: Sequence[str],
    parts: Sequence[str],
    digests: Sequence[str],
    looks: Sequence[Look | None],
) -> Compared:
    """Compare images that were read from files; one entry per image in all arguments. Rendered ones have no look."""
    kept = [look for look in looks if look is not None]
    if not kept or len(kept) < len(looks):
        return Compared()
    tells = provenance.told_apart([look.traits for look in kept], [label == GOOD for label in labels], parts)
    alike = lookalikes.pairs([look.thumbnail for look in kept], parts, digests)
    return Compared(tells, lookalikes.remark(names, alike))
