"""The study's trials, for the page on tuning."""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.numbers import MISSING, number, quantity
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import FactoryOutputs

RECORDED = ("trial", "val_ap", "latency_ms", "pareto", "epochs", "reason")
SCORE = "AP"


class Search(FactoryOutputs):
    """What the tune stage left; without trials all of it is empty, and says so."""

    @cached_property
    def trials(self) -> pl.DataFrame:
        """One row per trial in order: trial, val_ap (null where stopped early), epochs, reason, then its settings.

        latency_ms and pareto (no other trial beats it in both) are null where latency was no objective.
        """
        return self.table(paths.TRIALS)

    @cached_property
    def finished(self) -> pl.DataFrame:
        """Trials that were not stopped."""
        return self.trials.filter(pl.col("val_ap").is_not_null())

    @property
    def names(self) -> list[str]:
        """The settings that were varied."""
        return [name for name in self.trials.columns if name not in RECORDED]

    def summary(self) -> Table:
        """Where the detector's settings come from."""
        found, chosen = self.metrics("tune"), self.json(paths.TUNED)
        rows = [
            (
                "settings used",
                "found by the search" if chosen["source"] == "tuned" else "as configured, nothing searched",
            ),
            ("trials", f"{found['trials']}, {found['pruned']} of them stopped early"),
            *((("chosen by", found["rule"]),) if found["rule"] else ()),
            (f"its {SCORE} (short training, validation split)", number(found["tune_val_ap"])),
            *((("its time for one image", quantity(found["tune_latency_ms"], "ms")),) if self.compared else ()),
            *((name, _text(value)) for name, value in chosen["values"].items()),
        ]
        return Table.of(("", "this report"), rows)

    @property
    def compared(self) -> bool:
        """Whether latency was an objective beside AP."""
        return bool(self.finished["latency_ms"].is_not_null().any())

    def front(self) -> dict[str, Any]:
        """Arguments of `figures.training.pareto_front`."""
        shown = self.finished.filter(pl.col("latency_ms").is_not_null())
        trials, best = shown["trial"].to_list(), self.metrics("tune")["best_trial"]
        return {
            "latencies_ms": shown["latency_ms"].to_list(),
            "scores": shown["val_ap"].to_list(),
            "front": shown["pareto"].to_list(),
            "chosen": trials.index(best) if best in trials else None,
            "score": SCORE,
        }

    def history(self) -> dict[str, Any]:
        """Arguments of `figures.training.tuning_history`."""
        return {"values": self.trials["val_ap"].to_list(), "score": SCORE}

    def importances(self) -> dict[str, float]:
        """Setting → share of the trials' differences that it explains alone: ρ² of ranks, η² for named choices."""
        scores = _ranks(self.finished["val_ap"].to_numpy())
        strengths = {
            name: _explained(self.finished[name], scores) for name in self.names if self.finished[name].n_unique() > 1
        }
        total = sum(strengths.values())
        return {name: strength / total for name, strength in strengths.items()} if total else {}

    def parallel(self) -> dict[str, Any]:
        """Arguments of `figures.training.parallel`."""
        varied = [name for name in self.names if self.finished[name].n_unique() > 1]
        return {
            "params": {name: self.finished[name].to_list() for name in varied},
            "scores": self.finished["val_ap"].to_list(),
            "score": SCORE,
        }

    def table_of_trials(self) -> Table:
        """Every trial with its settings, the best one standing out."""
        stopped = any(self.trials["reason"])
        rows = [
            (
                row["trial"] + 1,
                MISSING if row["val_ap"] is None else number(row["val_ap"]),
                *((quantity(row["latency_ms"], "ms"), "yes" if row["pareto"] else "") if self.compared else ()),
                row["epochs"],
                *(_text(row[name]) for name in self.names),
                *((row["reason"],) if stopped else ()),
            )
            for row in self.trials.iter_rows(named=True)
        ]
        best = self.metrics("tune")["best_trial"]
        places = [place for place, trial in enumerate(self.trials["trial"]) if trial == best]
        short = (name.partition(".")[2] or name for name in self.names)
        measured = ("time", "front") if self.compared else ()
        headers = ("trial", SCORE, *measured, "epochs", *short, *(("stopped",) if stopped else ()))
        return Table.of(headers, rows or [("none", *[""] * (len(headers) - 1))], numeric=(0, 1, 2), emphasis=places)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    distinct, place, times = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(times) - (times - 1) / 2
    return middle[place] if len(distinct) else np.empty(0)


def _explained(column: pl.Series, scores: NDArray[np.float64]) -> float:
    spread = float(((scores - scores.mean()) ** 2).sum())
    if spread == 0:
        return 0.0
    if column.dtype.is_numeric():
        return float(np.corrcoef(_ranks(column.to_numpy().astype(float)), scores)[0, 1] ** 2)
    names = column.cast(pl.String).to_numpy()
    between = sum(
        (names == name).sum() * (scores[names == name].mean() - scores.mean()) ** 2 for name in np.unique(names)
    )
    return float(between / spread)


def _text(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)
