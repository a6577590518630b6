"""A study's trials, for the page on tuning of any twin; without trials all of it is empty, and says so."""

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from twinloop.learning.importance import importances
from twinloop.learning.objectives import Objective
from twinloop.numbers import MISSING, number, quantity
from twinloop.reporting.results import Outputs
from twinloop.reporting.tables import Table


class StudyOutputs(Outputs):
    """What a tune stage left (see `learning.trials`).

    A twin says where its files are and what its trials may be judged by: one objective, or a second beside it.
    """

    trials_file: ClassVar[Path]
    chosen_file: ClassVar[Path]
    study_file: ClassVar[Path]
    objectives: ClassVar[tuple[Objective, ...]]

    @cached_property
    def trials(self) -> pl.DataFrame:
        """One row per trial in order: trial, its objectives (null where stopped early), epochs, reason, its settings.

        The second objective and pareto (no other trial beats it in both) are null where one was asked for.
        """
        return self.table(self.trials_file)

    @cached_property
    def study(self) -> dict[str, Any]:
        """The study's metrics."""
        return dict(self.json(self.study_file))

    @cached_property
    def finished(self) -> pl.DataFrame:
        """Trials that were not stopped."""
        return self.trials.filter(pl.col(self.objectives[0].name).is_not_null())

    @property
    def names(self) -> list[str]:
        """The settings that were varied."""
        known = {"trial", "pareto", "epochs", "reason", *(one.name for one in self.objectives)}
        return [name for name in self.trials.columns if name not in known]

    @property
    def compared(self) -> bool:
        """Whether trials were judged by the second objective too."""
        return any(self.finished[one.name].is_not_null().any() for one in self.objectives[1:])

    def summary(self) -> Table:
        """Where the model's settings come from."""
        study, chosen, (first, *others) = self.study, self.json(self.chosen_file), self.objectives
        tuned = chosen["source"] == "tuned"
        rows = [
            ("settings used", "found by the search" if tuned else "as configured, nothing searched"),
            ("trials", f"{study['trials']}, {study['pruned']} of them stopped early"),
            *((("chosen by", study["rule"]),) if study["rule"] else ()),
            (f"its {first.title} (short training, validation split)", number(study[f"tune_{first.name}"])),
            *((f"its {one.title}", _shown(one, study[f"tune_{one.name}"])) for one in others if self.compared),
            *((name, _text(value)) for name, value in chosen["values"].items()),
        ]
        return Table.of(("", "this report"), rows)

    def front(self) -> dict[str, Any]:
        """Arguments of `figures.training.pareto_front`."""
        first, second = self.objectives
        shown = self.finished.filter(pl.col(second.name).is_not_null())
        trials, best = shown["trial"].to_list(), self.study["best_trial"]
        return {
            "latencies_ms": shown[second.name].to_list(),
            "scores": shown[first.name].to_list(),
            "front": shown["pareto"].to_list(),
            "chosen": trials.index(best) if best in trials else None,
            "score": first.title,
        }

    def history(self) -> dict[str, Any]:
        """Arguments of `figures.training.tuning_history`."""
        first = self.objectives[0]
        return {"values": self.trials[first.name].to_list(), "score": first.title}

    def importances(self) -> dict[str, float]:
        """Setting → share of the trials' differences that it explains alone."""
        return importances(self.finished, self.names, score=self.objectives[0].name)

    def parallel(self) -> dict[str, Any]:
        """Arguments of `figures.training.parallel`."""
        first = self.objectives[0]
        varied = [name for name in self.names if self.finished[name].n_unique() > 1]
        return {
            "params": {name: self.finished[name].to_list() for name in varied},
            "scores": self.finished[first.name].to_list(),
            "score": first.title,
        }

    def table_of_trials(self) -> Table:
        """Every trial with its settings, the best one standing out."""
        first, *others = self.objectives if self.compared else self.objectives[:1]
        stopped = any(self.trials["reason"])
        rows = [
            (
                row["trial"] + 1,
                MISSING if row[first.name] is None else number(row[first.name]),
                *(_shown(one, row[one.name]) for one in others),
                *(("yes" if row["pareto"] else "",) if others else ()),
                row["epochs"],
                *(_text(row[name]) for name in self.names),
                *((row["reason"],) if stopped else ()),
            )
            for row in self.trials.iter_rows(named=True)
        ]
        best = self.study["best_trial"]
        places = [place for place, trial in enumerate(self.trials["trial"]) if trial == best]
        short = (name.partition(".")[2] or name for name in self.names)
        measured = (*(one.title for one in others), "front") if others else ()
        headers = ("trial", first.title, *measured, "epochs", *short, *(("stopped",) if stopped else ()))
        return Table.of(headers, rows or [("none", *[""] * (len(headers) - 1))], numeric=(0, 1, 2), emphasis=places)


def _shown(objective: Objective, value: float | None) -> str:
    return quantity(value, objective.unit) if objective.unit else number(value)


def _text(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)
