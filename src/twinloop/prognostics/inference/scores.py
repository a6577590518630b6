"""What a hazard model says of every window, as one table of scores: what alerts are counted from."""

import numpy as np
import polars as pl

from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.table import FeatureTable

SCORES = {"asset": pl.String, "component": pl.String, "time_min": pl.Float64, "score": pl.Float64}


def scored(model: HazardModel, table: FeatureTable, lives: pl.DataFrame) -> pl.DataFrame:
    """asset, component, time_min and score of every window: the probability of failure within the model's horizon.

    lives: asset, component, begin_min; only what began until a window's end is looked at.
    """
    assets = np.array(table.assets)[table.unit]
    parts = [
        pl.DataFrame(
            {
                "asset": assets,
                "component": pl.repeat(component, len(table), eager=True),
                "time_min": table.time_min,
                "score": model.probability(table, lives, component),
            },
            schema=SCORES,
        )
        for component in model.components
    ]
    return pl.concat(parts)
