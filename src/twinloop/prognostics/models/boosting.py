"""Gradient-boosted trees (Chen and Guestrin, 2016) as this room uses them: the one module that imports XGBoost."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.models.settings import BoostSettings

Floats = NDArray[np.float64]
NO_PARENT = 2**31 - 1


class Nodes(NamedTuple):
    """A tree by node [n], the root first: children, -1 for a leaf, the feature that is left where it is `below`.

    value: of what ends here. weight: of the rows that came here in training.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    below: NDArray[np.float32]
    value: Floats
    weight: Floats


def fit_boosted(
    values: NDArray[np.float32],
    target: NDArray[Any],
    settings: BoostSettings,
    *,
    seed: int,
    objective: str = "reg:squarederror",
    weight: Floats | None = None,
) -> Any:
    """A booster for target [N] from values [N, F], NaN where missing."""
    import xgboost

    parameters = {
        "objective": objective,
        "max_depth": settings.depth,
        "learning_rate": settings.learning_rate,
        "subsample": settings.share,
        "colsample_bynode": settings.columns,
        "min_child_weight": settings.leaf,
        "max_bin": settings.bins,
        "tree_method": "hist",
        "nthread": settings.threads,
        "seed": seed,
    }
    data = xgboost.QuantileDMatrix(values, target, weight=weight, max_bin=settings.bins, nthread=settings.threads)
    return xgboost.train(parameters, data, num_boost_round=settings.trees)


def boosted(booster: Any, values: NDArray[np.float32], *, raw: bool = False) -> Floats:
    """[N] predictions, or their `raw` margins (log odds of a probability)."""
    answer: Floats = booster.inplace_predict(values, predict_type="margin" if raw else "value").astype(np.float64)
    return answer


def contributions(booster: Any, values: NDArray[np.float32]) -> Floats:
    """[N, F + 1] exact Shapley values of the margin (Lundberg, Erion and Lee, 2018); the last is the mean's."""
    import xgboost

    exact: Floats = booster.predict(xgboost.DMatrix(values, nthread=1), pred_contribs=True).astype(np.float64)
    return exact


def boosted_of(trees: Iterable[Nodes], features: int) -> Any:
    """Trees that were grown elsewhere as a booster that predicts the sum of their leaves."""
    import xgboost

    parameters = {"objective": "reg:squarederror", "base_score": 0.0, "nthread": 1}
    empty = xgboost.train(parameters, xgboost.DMatrix(np.zeros((1, features)), np.zeros(1), nthread=1), 0)
    model = json.loads(empty.save_raw("json"))
    grown = [_tree(nodes, number, features) for number, nodes in enumerate(trees)]
    inner = model["learner"]["gradient_booster"]["model"]
    inner |= {"trees": grown, "tree_info": [0] * len(grown), "iteration_indptr": [*range(len(grown) + 1)]}
    inner["gbtree_model_param"] |= {"num_trees": str(len(grown)), "num_parallel_tree": "1"}
    return xgboost.Booster(model_file=bytearray(json.dumps(model).encode()))


def _tree(nodes: Nodes, number: int, features: int) -> dict[str, Any]:
    """As XGBoost's JSON schema names it: a leaf has its value as its condition."""
    nodes = _level_by_level(nodes)
    count, leaf = len(nodes.left), nodes.left < 0
    parents = np.full(count, NO_PARENT)
    inside = np.flatnonzero(~leaf)
    parents[nodes.left[inside]] = parents[nodes.right[inside]] = inside
    nothing = [0] * count
    return {
        "id": number,
        "left_children": nodes.left.tolist(),
        "right_children": nodes.right.tolist(),
        "parents": parents.tolist(),
        "split_indices": nodes.feature.tolist(),
        "split_conditions": np.where(leaf, nodes.value, nodes.below).tolist(),
        "base_weights": nodes.value.tolist(),
        "sum_hessian": nodes.weight.tolist(),
        "default_left": nothing,
        "split_type": nothing,
        "loss_changes": [0.0] * count,
        **{f"categories{part}": [] for part in ("", "_nodes", "_segments", "_sizes")},
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(features),
            "num_nodes": str(count),
            "size_leaf_vector": "1",
        },
    }


def _level_by_level(nodes: Nodes) -> Nodes:
    """The same tree as XGBoost numbers it, both children of a node side by side: its Shapley values rely on that."""
    order = [0]
    for node in order:
        if nodes.left[node] >= 0:
            order += [int(nodes.left[node]), int(nodes.right[node])]
    place = np.full(len(order) + 1, -1)
    place[order] = np.arange(len(order))
    return Nodes(
        left=place[nodes.left[order]],
        right=place[nodes.right[order]],
        feature=nodes.feature[order],
        below=nodes.below[order],
        value=nodes.value[order],
        weight=nodes.weight[order],
    )


def gains(booster: Any, features: int) -> Floats:
    """[features] share of each in the whole gain of all splits."""
    found = booster.get_score(importance_type="total_gain")
    values = np.array([found.get(f"f{number}", 0.0) for number in range(features)])
    share: Floats = values / max(values.sum(), 1e-300)
    return share


def read_booster(path: Path) -> Any:
    """A booster from XGBoost's JSON. Raises InputError for a file that is something else."""
    import xgboost

    try:
        return xgboost.Booster(model_file=path)
    except xgboost.core.XGBoostError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"model: {path}: expected XGBoost's JSON ({reason}): export it again") from None
