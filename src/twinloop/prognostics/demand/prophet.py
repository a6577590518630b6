"""Prophet (Taylor and Letham, 2018), which is optional: the one module that imports it."""

import logging

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.demand.settings import QUANTILES

Floats = NDArray[np.float64]
SEED = 0


def foretold(past: Floats, *, horizon: int, season: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation, [horizon] each, of a trend with change points and, from a year on, a yearly season.

    Raises InputError where Prophet is not installed.
    """
    try:
        from prophet import Prophet
    except ImportError:
        raise InputError(
            "demand: method='prophet': Prophet is not installed: pip install 'twinloop[prophet]', or use method='ets'"
        ) from None
    import pandas as pd
    from scipy.special import ndtri

    logger = logging.getLogger("cmdstanpy")
    if not logger.handlers:  # it would add its own, which tells of every fit
        logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.WARNING)
    weeks = pd.date_range("2029-01-01", periods=len(past) + horizon, freq="7D")
    model = Prophet(
        interval_width=QUANTILES[-1] - QUANTILES[0],
        yearly_seasonality=len(past) >= season,
        weekly_seasonality=False,
        daily_seasonality=False,
    )
    model.fit(pd.DataFrame({"ds": weeks[: len(past)], "y": past}), seed=SEED)
    state = np.random.get_state()  # noqa: NPY002 - Prophet draws its intervals from the global state
    try:
        np.random.seed(SEED)  # noqa: NPY002
        said = model.predict(pd.DataFrame({"ds": weeks[len(past) :]}))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    low, high = said["yhat_lower"].to_numpy(), said["yhat_upper"].to_numpy()
    deviation = (high - low) / (ndtri(QUANTILES[-1]) - ndtri(QUANTILES[0]))
    return said["yhat"].to_numpy(), deviation
