"""The outputs of a person's loop, by the names that its results share."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from twinloop.numbers import MISSING, Interval, interval, number, percent
from twinloop.reporting.results import Outputs
from twinloop.twins.person import paths

PREPARED, MANIFEST = "prepared.json", "self.json"


class PersonOutputs(Outputs):
    """The outputs of a person's loop below one root."""

    metrics_files: ClassVar[Mapping[str, Path]] = {stage: paths.metrics(stage) for stage in paths.STAGES}

    @cached_property
    def prepared(self) -> dict[str, Any]:
        """What prepare says of its data: layout, notes, synthesisers missing, leaks, counts, sha256."""
        return dict(self.json(paths.DATASET / PREPARED))

    @cached_property
    def described(self) -> dict[str, Any]:
        """What the served self says of itself: name, profile, settings and providers (`chain.Described`)."""
        return dict(self.json(paths.SELF / MANIFEST))

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The twin's answer: its sentence and the figures in it."""
        return dict(self.json(paths.ANSWER))

    def dataset(self, name: str) -> pl.DataFrame:
        """One of the dataset's tables (`dialogue.datasets.corpus.TABLES`, and spoken)."""
        return self.table(paths.DATASET / f"{name}.parquet")

    def evaluation(self, name: str) -> pl.DataFrame:
        """One of the evaluation's tables."""
        return self.table(paths.EVALUATION / f"{name}.parquet")

    def simulation(self, name: str) -> pl.DataFrame:
        """One of the simulation's tables."""
        return self.table(paths.SIMULATION / f"{name}.parquet")

    def schedule(self, name: str) -> pl.DataFrame:
        """One of the schedule's tables."""
        return self.table(paths.SCHEDULE / f"{name}.parquet")

    def measured(self, stage: str, name: str) -> Interval | None:
        """A stage's figure with its interval, None where it could not be had, as what is spoken without synthesisers.

        A figure's interval is `{name}_low` … `{name}_high`, or as wide as `{name}_half` says; without either it is a
        point.
        """
        found = self.metrics(stage)
        if found.get(name) is None:
            return None
        value = float(found[name])
        if found.get(f"{name}_low") is not None:
            return Interval(value, float(found[f"{name}_low"]), float(found[f"{name}_high"]))
        half = float(found.get(f"{name}_half") or 0.0)
        return Interval(value, value - half, value + half)


def shown(value: Interval | None, *, digits: int = 3, sign: bool = False) -> str:
    """A figure with its interval in brackets, where it has one."""
    if value is None:
        return MISSING
    middle = number(value.mean, digits=digits, sign=sign)
    return f"{middle} ({interval(value.low, value.high, digits=digits, sign=sign)})" if value.known else middle


def shown_share(value: Interval | None, *, digits: int = 1, sign: bool = False) -> str:
    """A share in percent with its interval in brackets, where it has one."""
    if value is None:
        return MISSING
    middle, low, high = (percent(end, digits=digits, sign=sign) for end in (value.mean, value.low, value.high))
    return f"{middle} ({low} … {high})" if value.known else middle
