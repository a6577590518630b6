"""Logistic regression of a hazard on standardised inputs: few failures teach it less that is not so than they do trees.

Where wear shows as a sensor that drifts, the log odds of failing rise about evenly with it, which trees must learn in
steps. L2 penalty (ridge).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.prognostics.models.additive import Terms
from twinloop.prognostics.models.forest import filled
from twinloop.prognostics.models.settings import LinearSettings

Floats = NDArray[np.float64]


def fit_linear(
    values: NDArray[np.float32], happened: NDArray[np.bool_], settings: LinearSettings, *, weight: Floats
) -> Any:
    """A regression for the log odds of what happened [N] at values [N, F]; both must occur."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=settings.inverse_penalty, max_iter=settings.iterations)
    )
    model.fit(
        filled(values).astype(np.float64),
        happened.astype(np.int64),
        standardscaler__sample_weight=weight,
        logisticregression__sample_weight=weight,
    )
    return model


def linear_probability(model: Any, values: NDArray[np.float32]) -> Floats:
    """[N] probabilities."""
    answer: Floats = model.predict_proba(filled(values).astype(np.float64))[:, 1]
    return answer


def linear_terms(model: Any) -> Terms:
    """What it says of each input as it is, without standardising."""
    scaler, regression = model[0], model[-1]
    return Terms(regression.coef_[0] / scaler.scale_, scaler.mean_, float(regression.intercept_[0]))
