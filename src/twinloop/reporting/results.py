"""Reads what a loop left on disk, and says what to run where something is missing.

Which file is whose is a twin's knowledge; this module only knows formats and good manners.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.files import fingerprint, read_json
from twinloop.numbers import Interval
from twinloop.reporting.reads import tell


class Outputs:
    """Files below `root`, by their path relative to it. Every reader raises InputError for a file that is not there.

    A twin says in `metrics_files` where each stage's metrics JSON is.
    """

    metrics_files: ClassVar[Mapping[str, Path]] = {}

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def path(self, relative: Path) -> Path:
        """The file's full path, once it is known to exist."""
        path = self.root / relative
        if not path.exists():
            raise InputError(f"report: {path}: not there yet: run `make repro` first")
        tell(path)
        return path

    def json(self, relative: Path) -> Any:
        """A JSON file's value."""
        return read_json(self.path(relative))

    def metrics(self, stage: str) -> dict[str, Any]:
        """The one metrics JSON of a stage."""
        values: dict[str, Any] = self.json(self.metrics_files[stage])
        return values

    def digest(self) -> str:
        """Identifies these results: digest of all stages' metrics, 12 hex digits."""
        return fingerprint({stage: self.metrics(stage) for stage in self.metrics_files})[:12]

    def table(self, relative: Path) -> pl.DataFrame:
        """A Parquet or CSV file's rows."""
        path = self.path(relative)
        return pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)

    def arrays(self, relative: Path) -> dict[str, NDArray[Any]]:
        """Every array of an .npz file; pickled objects are refused."""
        with np.load(self.path(relative), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    def text(self, relative: Path) -> str:
        """A text file's content."""
        return self.path(relative).read_text(encoding="utf-8")


def estimate(row: dict[str, Any], value: str, low: str | None = None, high: str | None = None) -> Interval:
    """An estimate from columns or keys; `low` and `high` are `value` with the suffixes _low and _high by default."""
    middle = float(row[value])
    ends = [row.get(low or f"{value}_low"), row.get(high or f"{value}_high")]
    return Interval(middle, *(middle if end is None else float(end) for end in ends))
