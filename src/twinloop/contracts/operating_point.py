"""The operating point of one exported detector: its thresholds, and what a station needs to use them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import read_json, write_json


@dataclass(frozen=True)
class Thresholds:
    """A part whose defect probability is below the first is accepted, from the second on rejected."""

    accept_below: float
    reject_from: float


@dataclass(frozen=True)
class OperatingPoint:
    """What the evaluation chose for one graph, and for what.

    classes: "good" first. model: SHA-256 of the graph it was measured on. accept_below, reject_from: the chosen
    thresholds; today: those in use before. calibration: from scores to probabilities, as its owner records it.
    heat_threshold: defect probability from which a pixel counts as defective. The rest says what was assumed.
    """

    classes: tuple[str, ...]
    model: str
    accept_below: float
    reject_from: float
    calibration: Mapping[str, Any]
    heat_threshold: float
    today: Thresholds | None = None
    line_defect_rate: float | None = None
    prevalence: tuple[float, ...] = ()
    repeatability: float | None = None
    costs: Mapping[str, float] = field(default_factory=dict)

    def save(self, path: str | Path) -> None:
        """Write it as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> "OperatingPoint":
        """Read it. Raises InputError for a missing file or another content."""
        if not Path(path).is_file():
            raise InputError(f"model: {path}: expected an operating point, found none: run the evaluate stage first")
        try:
            record = dict(read_json(path))
        except (ValueError, TypeError) as error:
            raise InputError(f"model: {path}: no operating point: {error}: run the evaluate stage again") from None
        required = ("classes", "model", "calibration", "accept_below", "reject_from", "heat_threshold")
        if missing := [name for name in sorted(required) if name not in record]:
            raise InputError(
                f"model: {path}: no operating point, it lacks {', '.join(missing)}: run the evaluate stage again"
            )
        try:
            today = Thresholds(**record["today"]) if record.get("today") else None
            lists = {name: tuple(record.get(name, ())) for name in ("classes", "prevalence")}
            return cls(**{**record, **lists, "today": today})
        except (ValueError, TypeError) as error:
            raise InputError(f"model: {path}: no operating point: {error}: run the evaluate stage again") from None
