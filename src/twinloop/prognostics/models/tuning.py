"""Searched values put into a hazard's settings, one trial of a study of them, and the check of a space before it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from twinloop.errors import InputError
from twinloop.learning.objectives import Objective
from twinloop.learning.rounds import Report
from twinloop.learning.settings import require_valid_space, varied
from twinloop.prognostics.models.settings import HazardSettings, HazardStudySettings
from twinloop.prognostics.models.table import FeatureTable, ahead

# What trials import, for the process that they fork from.
PRELOAD = ("twinloop.prognostics.models.hazard",)
OBJECTIVES = (Objective("pr_auc", "PR-AUC"),)
SEARCHED = ("boost", "forest")
THREADS = ("threads",)


def tuned(given: HazardSettings, values: Mapping[str, Any]) -> HazardSettings:
    """The settings with `values` (dotted names: `boost.depth`) put in; they are checked again.

    Raises ValueError for a name that is no field of the trees or a value that they refuse.
    """
    changes: dict[str, dict[str, Any]] = {name: {} for name in SEARCHED}
    for name, value in values.items():
        section, _, field = name.partition(".")
        if section not in changes:
            raise ValueError(f"nothing of that name can be searched: {name}; expected boost.… or forest.…")
        changes[section][field] = value
    return dataclasses.replace(
        given, **{name: varied(getattr(given, name), changes[name], fixed=THREADS) for name in SEARCHED}
    )


def check_space(given: HazardSettings, study: HazardStudySettings) -> None:
    """Raise ValueError unless the trees take everything that the space varies."""
    for name, dimension in study.space.items():
        section, _, field = name.partition(".")
        if section not in SEARCHED:
            raise ValueError(f"tune.space: {name}: nothing of that name can be searched: expected boost.… or forest.…")
        require_valid_space(getattr(given, section), {field: dimension}, name=f"tune.space.{section}", fixed=THREADS)


@dataclass(frozen=True, eq=False)
class HazardTrial:
    """Called with searched values, learns from half of the assets and is judged on the others.

    Returns the mean of the components' areas under precision over recall, of failing within the horizon. The network
    is left out: it would cost more than all trees. Raises InputError where no component fails in both halves.
    """

    table: FeatureTable
    lives: pl.DataFrame
    settings: HazardSettings
    seed: int

    def __call__(self, values: Mapping[str, Any], report: Report) -> float:
        from twinloop.prognostics.evaluation.foretelling import average_precision, outcome
        from twinloop.prognostics.models.hazard import fit_hazard

        drawn = np.random.default_rng(self.seed).permutation(len(self.table.assets))
        half = np.isin(self.table.unit, drawn[: len(drawn) // 2])
        learnt, held = self.table.where(half), np.flatnonzero(~half)
        names = [self.table.assets[unit] for unit in np.unique(learnt.unit)]
        settings = dataclasses.replace(tuned(self.settings, values), with_network=False, folds=2)
        model = fit_hazard(learnt, self.lives.filter(pl.col("asset").is_in(names)), settings, seed=self.seed)
        precisions = []
        for name in model.components:
            known = outcome(ahead(self.table, self.lives, name), horizon_h=settings.days * settings.period_h)
            judged = np.isin(known.row, held)
            if known.happened[judged].any():
                said = model.probability(self.table, self.lives, name, known.row[judged])
                precisions.append(average_precision(known.happened[judged], said))
        if not precisions:
            raise InputError("tune: no failure among the assets held out: set StudySettings.trials=0")
        return float(np.mean(precisions))
