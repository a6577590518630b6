"""What an inspection model really gets wrong, at every threshold, with its uncertainty.

The curve is the distribution function of the calibrated score, per class: `below[d, c, t]` is the
probability that a part of class c scores under threshold t. Draw 0 is the estimate, the others are
bootstrap draws of the *whole* curve, so that one draw per replication carries the uncertainty of
all rates jointly.

Decision. A part carries one latent difficulty u ~ N(0, 1) through all its inspections; look k sees
z = √ρ·u + √(1−ρ)·e_k with fresh e_k, and scores at quantile Φ(z) of its class (a Gaussian copula).
ρ is the measured repeatability: looking twice at the same part does not redraw luck.
"""

import dataclasses
import enum
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twinloop.contracts import versioned
from twinloop.contracts.curve_settings import CurveSettings
from twinloop.contracts.error_rates import error_rates, line_mix, threshold_grid
from twinloop.errors import InputError
from twinloop.files import atomic

if TYPE_CHECKING:
    from twinloop.contracts.calibration import Calibration

KIND, VERSION, REMEDY = "operating curve", 1, "run the evaluate stage again"
COLUMNS = {"threshold": pl.Float64, "below": pl.Float64}
GOOD = "good"
Floats = NDArray[np.float64]


class Decision(enum.Enum):
    """What the station does with a part after one look."""

    ACCEPT = "accept"
    REINSPECT = "re-inspect"
    REJECT = "reject"


@dataclass(frozen=True)
class _Header:
    """What a curve's file holds beside its rows."""

    classes: tuple[str, ...]
    prevalence: tuple[float, ...]
    counts: tuple[int, ...]
    repeatability: float
    accept_below: float
    reject_from: float
    model: str


@dataclass(frozen=True, eq=False)
class OperatingCurve:
    """Escape and false-reject rates of one detector.

    thresholds: [T], ascending, calibrated defect probabilities at the line's defect rate.
    classes: C names, the first is "good".
    below: [1 + draws, C, T], probability that a part of the class scores under the threshold.
    prevalence: [C], shares of the classes on the line, sum 1.
    counts: [C], independent parts measured per class.
    repeatability: share ρ in [0, 1] of the score's variance that belongs to the part.
    accept_below, reject_from: the operating point; between them a part is looked at again.
    model: digest of the model that was measured.
    """

    thresholds: Floats
    classes: tuple[str, ...]
    below: Floats
    prevalence: Floats
    counts: NDArray[np.int64]
    repeatability: float
    accept_below: float
    reject_from: float
    model: str

    def __post_init__(self) -> None:
        shape = (len(self.classes), len(self.thresholds))
        problems = {
            f"classes start with {GOOD!r}": bool(self.classes) and self.classes[0] == GOOD,
            "thresholds ascend": bool(np.all(np.diff(self.thresholds) > 0)),
            f"below has shape (1 + draws, {shape[0]}, {shape[1]})": self.below.ndim == 3
            and self.below.shape[1:] == shape,
            "below lies in [0, 1]": bool(np.all((self.below >= 0) & (self.below <= 1))),
            "below ascends with the threshold": bool(np.all(np.diff(self.below, axis=-1) >= -1e-12)),
            "counts has one for each class": self.counts.shape == shape[:1],
            "prevalence sums to 1": self.prevalence.shape == shape[:1] and bool(np.isclose(self.prevalence.sum(), 1)),
            "repeatability lies in [0, 1]": 0 <= self.repeatability <= 1,
            "accept_below ≤ reject_from": self.accept_below <= self.reject_from,
        }
        broken = [expected for expected, holds in problems.items() if not holds]
        if broken:
            raise InputError(f"operating curve: expected that {' and that '.join(broken)}")

    @classmethod
    def of(
        cls,
        scores: Sequence[float] | Floats,
        labels: Sequence[Any] | NDArray[Any],
        groups: Sequence[Any] | NDArray[Any] | None = None,
        *,
        good: Any = GOOD,
        settings: CurveSettings | None = None,
        calibration: "Calibration | None" = None,
        seed: int = 0,
        model: str = "scores",
    ) -> "OperatingCurve":
        """The curve of any model: its scores [N], which rise with defects, the true classes [N] and the parts [N].

        labels: names or numbers; `good` is the one without a defect. groups: the part that each score belongs to; a
        part with several counts once; unless given, each score has a part of its own. calibration: from scores to
        probabilities on the line, fitted on other parts; unless given, it is fitted on these. The curve is at today's
        threshold, `at` moves it. Raises InputError for scores that are not finite or of one kind of part only.

        >>> curve = OperatingCurve.of([0.1, 0.3, 0.2, 0.8, 0.4, 0.9], ["good"] * 3 + ["crack", "pit", "crack"])
        >>> curve.classes, curve.counts.tolist(), curve.draws
        (('good', 'crack', 'pit'), [3, 2, 1], 200)
        """
        from twinloop.contracts.calibration import fit_calibration
        from twinloop.contracts.repeatability import repeatability

        how = settings or CurveSettings()
        values, (classes, numbers) = np.asarray(scores, dtype=np.float64), _numbered(labels, good)
        parts = np.arange(len(values)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        if not values.shape == numbers.shape == parts.shape or values.ndim != 1:
            raise InputError(
                "operating curve: expected scores, labels and groups of one length, "
                f"got {values.size}, {numbers.size}, {parts.size}"
            )
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise InputError(
                f"operating curve: row {row}: expected a finite score, got {values[row]}: leave the row out"
            )
        if calibration is None:
            fitted = fit_calibration(values, numbers > 0, method=how.calibration)
            calibration = fitted.at_defect_rate(how.line_defect_rate)
        measured = repeatability(values, numbers, parts)
        return cls.of_probabilities(
            calibration.probability(values),
            numbers,
            groups=parts,
            classes=classes,
            settings=how,
            repeatability=how.repeatability if measured is None else measured,
            seed=seed,
            model=model,
        )

    @classmethod
    def of_probabilities(
        cls,
        probabilities: Floats,
        labels: NDArray[np.int64],
        *,
        groups: Sequence[Any] | NDArray[Any],
        classes: Sequence[str],
        settings: CurveSettings,
        repeatability: float,
        seed: int,
        model: str,
    ) -> "OperatingCurve":
        """The curve of defect probabilities [N] on the line, at today's threshold; labels [N] are places in `classes`.

        groups: the part of each probability. The same seed gives two models measured on the same parts the same draws,
        so that they can be compared. Raises InputError without a defective part.
        """
        thresholds = threshold_grid(settings.thresholds, include=settings.today_threshold)
        below, counts = error_rates(
            probabilities,
            labels,
            groups=groups,
            classes=len(classes),
            thresholds=thresholds,
            draws=settings.draws,
            pseudo_count=settings.pseudo_count,
            seed=seed,
        )
        return cls(
            thresholds=thresholds,
            classes=tuple(classes),
            below=below,
            prevalence=line_mix(classes, counts, defect_rate=settings.line_defect_rate, mix=settings.defect_mix),
            counts=counts,
            repeatability=repeatability,
            accept_below=settings.today_threshold,
            reject_from=settings.today_threshold,
            model=model,
        )

    @property
    def draws(self) -> int:
        """Number of bootstrap draws (without the estimate)."""
        return len(self.below) - 1

    def at(self, accept_below: float, reject_from: float | None = None) -> "OperatingCurve":
        """The same detector run at another operating point; one threshold means no re-inspect band."""
        return dataclasses.replace(
            self, accept_below=accept_below, reject_from=accept_below if reject_from is None else reject_from
        )

    def with_errors_scaled(self, factor: float) -> "OperatingCurve":
        """A hypothetical detector whose escapes and false rejects are `factor` times those measured."""
        below = self.below.copy()
        below[:, 1:] *= factor
        below[:, 0] = 1 - factor * (1 - below[:, 0])
        return dataclasses.replace(self, below=below, model=f"{self.model} × {factor:g} errors")

    def below_at(self, threshold: float, *, draw: int = 0) -> Floats:
        """[C] probabilities of scoring under `threshold`, linear between grid points, 0 and 1 beyond score 0 and 1."""
        grid = np.concatenate([[0.0], self.thresholds, [1.0 + 1e-9]])
        table = np.pad(self.below[draw], ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
        return np.array([np.interp(threshold, grid, row) for row in table])

    def decide(self, probability: float) -> Decision:
        """What the station does after one look at this calibrated defect probability."""
        if probability < self.accept_below:
            return Decision.ACCEPT
        return Decision.REJECT if probability >= self.reject_from else Decision.REINSPECT

    def accepted(self, *, draw: int = 0) -> Floats:
        """[C] probability that one look accepts; for defect classes this is the escape rate of a look."""
        return self.below_at(self.accept_below, draw=draw)

    def rejected(self, *, draw: int = 0) -> Floats:
        """[C] probability that one look rejects; for "good" this is the false-reject rate of a look."""
        return 1 - self.below_at(self.reject_from, draw=draw)

    def escape_rate(self, *, draw: int = 0) -> float:
        """Escapes among defective parts at the line's mix of defects, per look."""
        share = self.prevalence[1:]
        return float(share @ self.accepted(draw=draw)[1:] / share.sum()) if share.sum() > 0 else 0.0

    def false_reject_rate(self, *, draw: int = 0) -> float:
        """Rejects among good parts, per look."""
        return float(self.rejected(draw=draw)[0])

    def save(self, path: str | Path) -> None:
        """Write Parquet: columns draw, class, threshold, below; the rest as metadata."""
        draws, classes, thresholds = self.below.shape
        header = {
            "version": VERSION,
            "classes": self.classes,
            "prevalence": self.prevalence.tolist(),
            "counts": self.counts.tolist(),
            "repeatability": self.repeatability,
            "accept_below": self.accept_below,
            "reject_from": self.reject_from,
            "model": self.model,
        }
        table = pa.table(
            {
                "draw": np.repeat(np.arange(draws, dtype=np.int32), classes * thresholds),
                "class": pa.array(np.tile(np.repeat(np.array(self.classes), thresholds), draws)),
                "threshold": np.tile(self.thresholds, draws * classes),
                "below": self.below.ravel(),
            }
        ).replace_schema_metadata({"twinloop.operating_curve": json.dumps(header)})
        with atomic(path) as temporary:
            pq.write_table(table, temporary, compression="zstd")

    @classmethod
    def load(cls, path: str | Path) -> "OperatingCurve":
        """Read what `save` wrote. Raises InputError for a file of another kind or version, or altered."""
        frame, given = versioned.read(path, kind=KIND, version=VERSION, remedy=REMEDY, columns=COLUMNS)
        header = versioned.parsed(_Header, given, path, kind=KIND, remedy=REMEDY)
        thresholds = np.unique(frame["threshold"].to_numpy())
        rows = len(header.classes) * len(thresholds)
        if not rows or not len(frame) or len(frame) % rows:
            raise InputError(f"{KIND}: {path}: expected rows of every draw, class and threshold: {REMEDY}")
        return cls(
            thresholds=thresholds,
            classes=header.classes,
            below=frame["below"].to_numpy().reshape(-1, len(header.classes), len(thresholds)),
            prevalence=np.array(header.prevalence),
            counts=np.array(header.counts, dtype=np.int64),
            repeatability=header.repeatability,
            accept_below=header.accept_below,
            reject_from=header.reject_from,
            model=header.model,
        )


def _numbered(labels: Sequence[Any] | NDArray[Any], good: Any) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the classes, "good" first, and each label's place among them. Raises InputError where none is `good`."""
    names, places = np.unique(np.asarray(labels), return_inverse=True)
    known = names.tolist()
    if good not in known:
        shown = ", ".join(str(name) for name in known[:6])
        raise InputError(f"operating curve: no label is {good!r}, they are {shown}: name the good one as good=…")
    first = known.index(good)
    order = [first, *(place for place in range(len(known)) if place != first)]
    classes = (GOOD, *(str(known[place]) for place in order[1:]))
    return classes, np.argsort(order)[places].astype(np.int64)
