"""Random forests (Breiman, 2001) of a hazard: the one module of this room that imports scikit-learn's."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.prognostics.models.boosting import Nodes
from twinloop.prognostics.models.settings import ForestSettings

Floats = NDArray[np.float64]


def filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values with 0, which is usual for what is relative, where one is missing."""
    return np.nan_to_num(values, nan=0.0)


def fit_forest(
    values: NDArray[np.float32], happened: NDArray[np.bool_], settings: ForestSettings, *, weight: Floats, seed: int
) -> Any:
    """A forest for the probability of what happened [N] at values [N, F]."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        settings.trees,
        max_depth=settings.depth,
        min_samples_leaf=settings.leaf,
        max_features=settings.columns,
        max_samples=settings.share,
        n_jobs=settings.threads,
        random_state=seed,
    )
    forest.fit(filled(values), happened.astype(np.int64), sample_weight=weight)
    # Trees are drawn one by one from the seed; but probabilities of several threads add up in any order.
    return forest.set_params(n_jobs=1)


def forest_probability(forest: Any, values: NDArray[np.float32]) -> Floats:
    """[N] probabilities; a forest that never saw it happen says 0."""
    answer: Floats = forest.predict_proba(filled(values))
    return answer[:, 1] if answer.shape[1] == 2 else np.zeros(len(values))


def forest_nodes(forest: Any) -> Iterator[Nodes]:
    """Its trees, whose leaves add up to its probability."""
    for tree in (grown.tree_ for grown in forest.estimators_):
        share = tree.value[:, 0, 1] if tree.value.shape[2] == 2 else np.zeros(tree.node_count)
        yield Nodes(
            left=tree.children_left,
            right=tree.children_right,
            feature=np.maximum(tree.feature, 0),
            below=_above(tree.threshold),
            value=share / len(forest.estimators_),
            weight=tree.weighted_n_node_samples,
        )


def _above(thresholds: Floats) -> NDArray[np.float32]:
    """The least number of single precision above each threshold: inputs are below it where they are at most that."""
    nearest = thresholds.astype(np.float32)
    return np.where(nearest > thresholds, nearest, np.nextafter(nearest, np.float32(np.inf)))
