"""One trial of a study of hazards: its trees learn from half of some assets and are judged on the others."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from twinloop.errors import InputError
from twinloop.learning.rounds import Report
from twinloop.prognostics.evaluation.foretelling import average_precision, outcome
from twinloop.prognostics.models.hazard import fit_hazard
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.table import FeatureTable, ahead
from twinloop.prognostics.models.tuning import tuned

# What trials import, for the process that they fork from.
PRELOAD = ("twinloop.prognostics.trial",)


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
