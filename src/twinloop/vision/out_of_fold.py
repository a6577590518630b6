"""What detectors said of images that they had not learnt from: logits out of fold, kept beside the deployed detector.

Free of torch: the evaluation reads it.
"""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.files import atomic

FILE = "out_of_fold.parquet"


def save(folder: Path, names: tuple[str, ...], logits: NDArray[np.float32]) -> None:
    """Write class logits [N, K] of the images `names` [N] into a detector's folder."""
    table = pl.DataFrame({"image": names, "logits": list(logits.astype(np.float32))})
    with atomic(folder / FILE) as temporary:
        table.write_parquet(temporary)


def load(folder: Path) -> dict[str, list[float]] | None:
    """Logits by the image's name; None where every part need not be tested."""
    if not (folder / FILE).is_file():
        return None
    table = pl.read_parquet(folder / FILE)
    return dict(zip(table["image"].to_list(), table["logits"].to_list(), strict=True))
