"""What each input adds to what one member of a hazard model says: its Shapley values, exact in the member's own unit.

Trees by TreeSHAP as XGBoost computes it (path-dependent; Lundberg et al. 2020): boosted ones in log odds, a forest in
probability. A regression by its terms, in log odds, inputs being taken for independent.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.prognostics.models.boosting import contributions
from twinloop.prognostics.models.forest import filled

Floats = NDArray[np.float64]


class Additive(NamedTuple):
    """values [N, F] add up to what the member says of each row less `mean`, what it says on average."""

    values: Floats
    mean: float


class Terms(NamedTuple):
    """A regression: weights [F] of the inputs as they are, their means [F], and the log odds there."""

    weights: Floats
    means: Floats
    log_odds: float


# Of inputs [N, F] as all members get them.
Explained = Callable[[NDArray[np.float32]], Additive]


def of_trees(booster: Any, *, fill: bool = False) -> Explained:
    """Of a booster; fill: whether a missing value is 0 to it, as it is to a forest."""

    def explained(values: NDArray[np.float32]) -> Additive:
        if not len(values):  # of which a booster gives a row without columns
            return Additive(np.zeros(values.shape), 0.0)
        exact = contributions(booster, filled(values) if fill else values)
        return Additive(exact[:, :-1], float(exact[0, -1]))

    return explained


def of_terms(terms: Terms) -> Explained:
    """Of a regression, as far from its training mean as each input is."""

    def explained(values: NDArray[np.float32]) -> Additive:
        return Additive((filled(values) - terms.means) * terms.weights, terms.log_odds)

    return explained
