"""Whether a test set holds too few defects to measure by, and the folds in which every part is tested instead.

Of ten defective parts a single one moves the escape rate by a tenth, and a test set is a share of what there is.
Testing every part once, by a detector that learnt from the others, makes the most of few (Kohavi, 1995).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twinloop.files import read_json, write_json
from twinloop.vision.datasets.splits import kfold
from twinloop.vision.index import GOOD

FILE = "folds.json"
# Independent defective parts in a test set below which its rates are anecdotes.
FEW = 10
FOLDS = 5


@dataclass(frozen=True)
class Folds:
    """Every part is tested in one of `count` folds, because the test set holds `tested` of `defective` parts only."""

    count: int
    val_share: float
    defective: int
    tested: int

    @property
    def reason(self) -> str:
        """A sentence for cards and consoles."""
        few = f"{self.defective} defective part{'s' if self.defective > 1 else ''}, {self.tested} of them in test"
        return (
            f"{few}: too few to measure by, so every part is tested once, by a detector that learnt from the others "
            f"({self.count} folds by part)"
        )

    def splits(self, labels: Sequence[str], groups: Sequence[str], *, seed: int) -> tuple[tuple[str, ...], ...]:
        """A split of every image for each fold."""
        return kfold(labels, groups, folds=self.count, val_share=self.val_share, seed=seed)

    def save(self, folder: Path) -> None:
        """Write it beside the index."""
        write_json(folder / FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> "Folds | None":
        """Of a prepared dataset; None where one division is enough."""
        if not (folder / FILE).is_file():
            return None
        record: dict[str, Any] = read_json(folder / FILE)
        return cls(**record)


def needed(labels: Sequence[str], groups: Sequence[str], splits: Sequence[str], *, val_share: float) -> Folds | None:
    """The folds for these images, one entry each; None where test holds enough defects, or the data has none."""
    defective = {group for label, group in zip(labels, groups, strict=True) if label != GOOD}
    tested = {group for group, split in zip(groups, splits, strict=True) if group in defective and split == "test"}
    count = min(FOLDS, len(set(groups)))
    if not defective or len(tested) >= FEW or count < 2:
        return None
    return Folds(count, val_share, len(defective), len(tested))
