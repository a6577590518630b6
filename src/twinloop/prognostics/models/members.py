"""Members of a hazard model that see one row at a time: a forest, boosted trees and, where asked for, a regression."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.prognostics.models.additive import Explained, of_terms, of_trees
from twinloop.prognostics.models.boosting import boosted, boosted_of, fit_boosted
from twinloop.prognostics.models.calibration import cut, logit
from twinloop.prognostics.models.forest import fit_forest, forest_nodes, forest_probability
from twinloop.prognostics.models.linear import fit_linear, linear_probability, linear_terms
from twinloop.prognostics.models.periods import Periods
from twinloop.prognostics.models.settings import HazardSettings

Floats = NDArray[np.float64]
# Log odds [N] of inputs [N, F + 2]: features, age of the component in hours, day.
Odds = Callable[[NDArray[np.float32]], Floats]
FOREST, BOOSTED, LINEAR = "forest", "boosted", "linear"


@dataclass(frozen=True, eq=False)
class Trees:
    """The members of one component, fitted on all units: objects of their libraries, for export and contributions.

    forest: None in a model read back; linear: there too, and where none was asked for.
    """

    forest: Any
    booster: Any
    linear: Any = None


def fit_members(values: NDArray[np.float32], periods: Periods, settings: HazardSettings, *, seed: int) -> Trees:
    """All of them, from inputs [M, F + 2] of the periods [M]."""
    forest = fit_forest(values, periods.failed, settings.forest, weight=periods.weight, seed=seed)
    booster = fit_boosted(
        values, periods.failed, settings.boost, seed=seed, objective="binary:logistic", weight=periods.weight
    )
    # A fold without a failure has nothing to be regressed on.
    regressed = settings.with_linear and len({*periods.failed.tolist()}) == 2
    linear = fit_linear(values, periods.failed, settings.linear, weight=periods.weight) if regressed else None
    return Trees(forest, booster, linear)


def members_odds(trees: Trees) -> dict[str, Odds]:
    """What each says, by name."""
    made: dict[str, Odds] = {
        FOREST: lambda values: logit(forest_probability(trees.forest, values)),
        BOOSTED: lambda values: cut(boosted(trees.booster, values, raw=True)),
    }
    if trees.linear is not None:
        made[LINEAR] = lambda values: logit(linear_probability(trees.linear, values))
    return made


def explained_members(trees: Trees) -> dict[str, Explained]:
    """What inputs add to what each says, by name."""
    made = {FOREST: of_trees(forest_booster(trees), fill=True), BOOSTED: of_trees(trees.booster)}
    return made if trees.linear is None else made | {LINEAR: of_terms(linear_terms(trees.linear))}


def forest_booster(trees: Trees) -> Any:
    """The forest as a booster that predicts its probabilities: what explains it, and can be written without code."""
    return boosted_of(forest_nodes(trees.forest), trees.forest.n_features_in_)
