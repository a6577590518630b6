"""What a study leaves: the table of its trials, flat metrics and the chosen values."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from twinloop.learning.objectives import Objective, rule
from twinloop.learning.study import Search
from twinloop.search_space import Dimension

KINDS: dict[str, Any] = {"int": pl.Int64, "float": pl.Float64}


def chosen_record(search: Search | None) -> dict[str, Any]:
    """For JSON: where the values come from, the values, and the trial with its first score; None: nothing searched."""
    if search is None:
        return {"source": "configured", "values": {}, "trial": None, "value": None}
    best, first = search.best, search.objectives[0]
    return {"source": "tuned", "values": best.values, "trial": best.number, "value": best.scores[first.name]}


def trials_frame(
    search: Search | None, space: Mapping[str, Dimension], *, objectives: Sequence[Objective]
) -> pl.DataFrame:
    """One row per trial in order: trial, every objective by name, pareto, epochs, reason, then the dimensions.

    An objective that was not asked for is null, and so is pareto (no other trial beats it) where there was one only.
    """
    columns = {
        name: KINDS.get(dimension.kind) or pl.Series(dimension.choices, strict=True).dtype
        for name, dimension in space.items()
    }
    schema = {
        "trial": pl.Int64,
        **{one.name: pl.Float64 for one in objectives},
        "pareto": pl.Boolean,
        "epochs": pl.Int64,
        "reason": pl.String,
        **columns,
    }
    trials, front = (search.trials, search.front) if search is not None else ((), ())
    several = search is not None and len(search.objectives) > 1
    rows = [
        {
            "trial": trial.number,
            **{one.name: trial.scores.get(one.name) for one in objectives},
            "pareto": trial in front if several and trial.scores else None,
            "epochs": trial.steps,
            "reason": trial.reason,
            **trial.values,
        }
        for trial in trials
    ]
    return pl.DataFrame(rows, schema=schema)


def study_metrics(search: Search | None, *, objectives: Sequence[Objective]) -> dict[str, Any]:
    """Flat figures of a study: the best trial's scores as tune_<name>, rule, counts; null without a search."""
    scores = search.best.scores if search is not None else {}
    several = search is not None and len(search.objectives) > 1
    return {
        **{f"tune_{one.name}": scores.get(one.name) for one in objectives},
        "source": "tuned" if search is not None else "configured",
        "rule": rule(search.objectives) if search is not None else None,
        "trials": len(search.trials) if search is not None else 0,
        "pruned": search.pruned if search is not None else 0,
        "front": len(search.front) if search is not None and several else None,
        "best_trial": search.best.number if search is not None else None,
    }


def study_line(search: Search, *, trials: int) -> str:
    """For a summary line: how many trials of `trials`, and the best one's scores."""
    first, *others = search.objectives
    counted = f"{len(search.trials)}/{trials} trials"
    best = first.text(search.best.scores[first.name])
    if not others:
        return f"{counted}, best {first.title} {best} ({search.pruned} pruned)"
    at = ", ".join(one.text(search.best.scores[one.name]) for one in others)
    return f"{counted}, {len(search.front)} on the front; {rule(search.objectives)}: {first.title} {best} at {at}"
