"""Scores of any model with the truth, as people have them in tables: a row per look at a part.

Columns are known by what people call them; what could mean two things is asked for, not guessed. A probability is taken
as log odds, so that calibration has room beyond 0 and 1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit

from twinloop.contracts.operating_curve import GOOD
from twinloop.errors import InputError, nearest
from twinloop.numbers import count, counted
from twinloop.spreadsheets import read_table
from twinloop.vision.datasets.naming import class_label

Floats = NDArray[np.float64]
# What people call these columns.
COLUMNS: Mapping[str, str] = {
    "truth": "true_class true_label truth y_true gt_label gt ground_truth label class target actual klasse "
    "wahre_klasse sollklasse befund classe clase ラベル",
    "probability": "probability prob proba y_prob y_proba p_defect defect_probability wahrscheinlichkeit "
    "fehlerwahrscheinlichkeit",
    "score": "score scores anomaly_score pred_score y_score decision_function logit anomaliewert bewertung スコア",
    "part": "part part_id part_no part_number serial serial_no serial_number sn teil teilenummer seriennummer",
    "image": "image image_path image_file file filename file_name path bild bildname datei dateiname 画像",
    "second": "second_look second_score second_probability score_2 score2 probability_2 pred_score_2 zweiter_blick",
    "latency": "latency inference inference_time time latenz laufzeit",
    "split": "split set subset",
}
# What tables of two classes call the one without a defect; words for good are those of pictures' folders.
NO_DEFECT = ("0", "0.0", "false")
NO_TRUTH = ("", "unknown", "unbekannt", "?", "n_a", "na", "nan", "null")
CHOOSING = ("val", "valid", "validation", "choose")
MEASURING = ("test", "measure")
# Milliseconds in a unit of time, as headings write it; "μs" is what "µs" folds to.
UNITS = {"s": 1e3, "sec": 1e3, "ms": 1.0, "msec": 1.0, "us": 1e-3, "μs": 1e-3, "ns": 1e-6}
# How a heading ends that says per cent, beside the sign itself.
PER_CENT = ("pct", "percent", "prozent")
# Log odds at which a probability of 0 or 1 is held.
CERTAIN = 1e-9


@dataclass(frozen=True, eq=False)
class Scores:
    """A model's looks at parts, N of them, whose truth is known.

    values: [N], rise with defects; log odds where `are_probabilities`. labels: [N] class names, "good" among them.
    groups: [N], the part of each look. choosing: [N], rows that thresholds are chosen on, where the table says so.
    latency_ms: mean time of a look. notes: what was assumed in reading.
    """

    values: Floats
    are_probabilities: bool
    labels: NDArray[np.str_]
    groups: NDArray[np.intp]
    choosing: NDArray[np.bool_] | None
    latency_ms: float | None
    notes: tuple[str, ...]

    @property
    def defective(self) -> NDArray[np.bool_]:
        """[N], the truth."""
        defective: NDArray[np.bool_] = self.labels != GOOD
        return defective

    @property
    def summary(self) -> str:
        """What was read, in a few words."""
        parts = {kind: len(np.unique(self.groups[self.defective == kind])) for kind in (False, True)}
        return f"{count(len(self.values))} looks at {count(parts[False])} good and {count(parts[True])} defective parts"

    def as_given(self, value: float) -> float:
        """One of `values` as the table has it."""
        return float(expit(value)) if self.are_probabilities else value

    def as_value(self, given: float) -> float:
        """A score or probability of the table as one of `values`."""
        return float(logit(np.clip(given, CERTAIN, 1 - CERTAIN))) if self.are_probabilities else given


def read_scores(path: Path, *, columns: Mapping[str, str] | None = None, good: str | None = None) -> Scores:
    """The scores of a CSV or XLSX file.

    columns: what a column is (a key of `COLUMNS`) → its name, where its name does not tell. good: the class without a
    defect. Raises InputError, with the line where one is to blame.
    """
    return _Reader(path, read_table(path), dict(columns or {})).scores(good)


class _Reader:
    """One table on its way to Scores."""

    def __init__(self, path: Path, frame: pl.DataFrame, given: dict[str, str]) -> None:
        self.path = path
        self.frame = frame
        self.columns = {role: name for role in COLUMNS if (name := self._column(role, given)) is not None}
        self.notes: list[str] = []
        if strange := [role for role in given if role not in COLUMNS]:
            raise InputError(f"price: --column {strange[0]}: {nearest(strange[0], COLUMNS)}")

    def scores(self, good: str | None) -> Scores:
        kind = self._kind()
        truth = self._truth()
        labels = self._named_good(truth, good)
        first = self._looks(kind, kind)
        if len(first) > 1 and np.ptp(first) == 0:
            same = self.frame[self.columns[kind]][0]
            raise InputError(
                f"price: {self.path}: {self.columns[kind]} is {same} in every row, which tells no part from another: "
                f"say --column {kind}=NAME if another column holds it"
            )
        looks, rows = [first], [np.arange(len(first))]
        if "second" in self.columns:
            second = self._looks("second", kind, may_miss=True)
            taken = np.flatnonzero(np.isfinite(second))
            looks.append(second[taken])
            rows.append(taken)
        row = np.concatenate(rows)
        groups, choosing = self._groups(labels), self._choosing()
        self._both_kinds(labels)
        return Scores(
            values=np.concatenate(looks),
            are_probabilities=kind == "probability",
            labels=labels[row],
            groups=groups[row],
            choosing=None if choosing is None else choosing[row],
            latency_ms=self._latency(),
            notes=tuple(self.notes),
        )

    def _column(self, role: str, given: Mapping[str, str]) -> str | None:
        names = self.frame.columns
        if role in given:
            if given[role] not in names:
                raise InputError(f"price: --column {role}={given[role]}: {nearest(given[role], names)}")
            return given[role]
        free = [name for name in names if name not in given.values()]
        matching = [name for name in free if _role_name(role, name) in COLUMNS[role].split()]
        if len(matching) > 1:
            raise InputError(
                f"price: {self.path}: {' and '.join(map(repr, matching[:3]))} may both be the {role}: "
                f"say --column {role}=NAME"
            )
        return matching[0] if matching else None

    def _kind(self) -> str:
        if "truth" not in self.columns:
            self._missing("truth", "the true class")
        if "probability" in self.columns:
            if "score" in self.columns:
                name, other = self.columns["probability"], self.columns["score"]
                self.notes.append(f"column {name!r} was taken, not {other!r}")
            return "probability"
        if "score" not in self.columns:
            self._missing("score", "the score or probability")
        return "score"

    def _missing(self, role: str, what: str) -> NoReturn:
        expected = ", ".join(COLUMNS[role].split()[:3])
        found = ", ".join(self.frame.columns[:8])
        raise InputError(
            f"price: {self.path}: no column for {what}: expected one called {expected} or the like, found {found}: "
            f"say --column {role}=NAME"
        )

    def _truth(self) -> NDArray[np.str_]:
        texts = self.frame[self.columns["truth"]].fill_null("")
        unknown = [name for name in texts.unique().to_list() if _plain(name)[0] in NO_TRUTH or not name.strip()]
        if unknown:
            row = int((texts == unknown[0]).arg_max() or 0)
            self._refuse(row, f"the true class is {unknown[0]!r}: judge the part, or leave the row out")
        return texts.to_numpy().astype(np.str_)

    def _named_good(self, truth: NDArray[np.str_], good: str | None) -> NDArray[np.str_]:
        """The labels with the class without a defect called "good"."""
        names = np.unique(truth).tolist()
        if good is not None and good not in names:
            raise InputError(f"price: --good {good}: no such class: {nearest(good, names)}")
        likely = [good] if good else [name for name in names if _means_good(name)]
        if len(likely) != 1:
            shown = ", ".join(names[:6])
            reason = "none of them means good" if not likely else f"{' and '.join(likely[:3])} may all mean good"
            raise InputError(f"price: {self.path}: the true classes are {shown}: {reason}: say --good NAME")
        if likely[0] != GOOD:
            self.notes.append(f"class {likely[0]!r} was taken for good")
        return np.where(truth == likely[0], GOOD, truth)

    def _both_kinds(self, labels: NDArray[np.str_]) -> None:
        defective = int((labels != GOOD).sum())
        if defective in (0, len(labels)):
            lacking = "defective" if defective == 0 else "good"
            raise InputError(f"price: {self.path}: expected good and defective parts, no row is {lacking}: add some")

    def _looks(self, role: str, kind: str, *, may_miss: bool = False) -> Floats:
        values = self._numbers(role, may_miss=may_miss)
        if kind == "score":
            return values
        heading = self.columns[role]
        if "%" in heading or _plain(heading)[0].rpartition("_")[2] in PER_CENT:
            if role == kind and not (values > 1).any():
                raise InputError(
                    f"price: {self.path}: {heading!r} says per cent, no value is above 1: "
                    f"call it {kind!r} if they are shares"
                )
            self.notes.append(f"column {heading!r} was taken for per cent")
            values = values / 100
        outside = np.flatnonzero((values < 0) | (values > 1))
        if len(outside):
            row = int(outside[0])
            self._refuse(
                row,
                f"probability {values[row]:g}: expected 0 to 1, per cent where the heading says so ('{role} [%]'); "
                "say --column score=NAME for a plain score",
            )
        odds: Floats = logit(np.clip(values, CERTAIN, 1 - CERTAIN))
        return odds

    def _numbers(self, role: str, *, may_miss: bool) -> Floats:
        """A column's numbers with any decimal sign; empty cells, dashes and the like are NaN where they may be."""
        name = self.columns[role]
        texts = self.frame[name].fill_null("")
        values = texts.str.replace(r"^([+-]?\d*),(\d+)$", "$1.$2").cast(pl.Float64, strict=False).to_numpy()
        bad = ~np.isfinite(values)
        if may_miss:
            missing = [text for text in texts.filter(bad).unique().to_list() if _plain(text)[0] in NO_TRUTH]
            bad &= ~texts.is_in(missing).to_numpy()
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            self._refuse(row, f"{name} = {texts[row]!r}: expected a finite number")
        return np.asarray(values, dtype=np.float64)

    def _groups(self, labels: NDArray[np.str_]) -> NDArray[np.intp]:
        role = next((role for role in ("part", "image") if role in self.columns), None)
        if role is None:
            self.notes.append("no column names the part: every row was taken for a part of its own")
            return np.arange(len(self.frame))
        texts = self.frame[self.columns[role]]
        if texts.null_count() or (texts == "").any():
            row = int((texts.is_null() | (texts == "")).arg_max() or 0)
            self._refuse(row, f"no {role} is named: name it, the looks at one part belong together")
        if role == "image":
            self._one_truth(texts, labels == GOOD)
        parts = texts.cast(pl.Categorical).to_physical().to_numpy().astype(np.intp)
        if repeats := len(parts) - len(np.unique(parts)):
            self.notes.append(f"{counted(repeats, 'row')} repeat a {role}: its looks count as one part")
        return parts

    def _one_truth(self, images: pl.Series, good: NDArray[np.bool_]) -> None:
        """A part has many views, some without its defect; one picture is good or it is not."""
        both = np.intersect1d(images.to_numpy()[good], images.to_numpy()[~good])
        if len(both):
            row = int((images == both[0]).arg_max() or 0)
            self._refuse(row, f"image {both[0]!r} is good in one row and defective in another: leave the true one")

    def _choosing(self) -> NDArray[np.bool_] | None:
        if "split" not in self.columns:
            return None
        texts = self.frame[self.columns["split"]].fill_null("").str.to_lowercase()
        strange = ~texts.is_in([*CHOOSING, *MEASURING])
        if strange.any():
            row = int(strange.arg_max() or 0)
            self._refuse(row, f"split {texts[row]!r}: expected val or test; leave rows that were trained on out")
        return texts.is_in(list(CHOOSING)).to_numpy()

    def _latency(self) -> float | None:
        if "latency" not in self.columns:
            return None
        values = self._numbers("latency", may_miss=True)
        if not np.isfinite(values).any():
            return None
        if (values < 0).any():
            row = int(np.flatnonzero(values < 0)[0])
            self._refuse(row, f"latency {values[row]:g}: expected a time ≥ 0")
        heading = self.columns["latency"]
        unit = _unit(heading)
        if not unit:
            self.notes.append("latency was taken for milliseconds")
        elif unit not in UNITS:
            known = ", ".join(UNITS)
            raise InputError(f"price: {self.path}: {heading!r}: unit {unit!r}: expected one of {known}: rename it")
        return float(np.nanmean(values)) * UNITS.get(unit, 1.0)

    def _refuse(self, row: int, reason: str) -> NoReturn:
        raise InputError(f"price: {self.path}: row {row + 1}: {reason}")


def _means_good(name: str) -> bool:
    return name.casefold() in NO_DEFECT or class_label(name) == GOOD


def _plain(name: str) -> tuple[str, str]:
    """A heading in small letters, and the unit in its brackets.

    >>> _plain("Latency [ms]"), _plain("True class")
    (('latency', 'ms'), ('true_class', ''))
    """
    matched = re.fullmatch(r"\s*(.*?)\s*[\[(](.*)[\])]\s*", name)
    plain, unit = matched.groups() if matched else (name, "")
    return re.sub(r"[^\w?]+", "_", plain.strip()).strip("_").casefold(), unit.strip().casefold()


def _role_name(role: str, heading: str) -> str:
    """A heading as `COLUMNS` has it: a latency's and a probability's without its unit."""
    name = _plain(heading)[0]
    stem, _, unit = name.rpartition("_")
    units = UNITS if role == "latency" else PER_CENT if role in ("probability", "second") else ()
    return stem if unit in units else name


def _unit(heading: str) -> str:
    """Of a latency: in brackets, or the end of its name."""
    name, unit = _plain(heading)
    last = name.rpartition("_")[2]
    return unit or (last if last in UNITS else "")
