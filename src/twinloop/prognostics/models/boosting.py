"""Gradient-boosted trees (Chen and Guestrin, 2016) as this room uses them: the one module that imports XGBoost."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.models.settings import BoostSettings

Floats = NDArray[np.float64]


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
