"""Toss the coin."""

import numpy as np
import polars as pl
from twinloop.twins.stub import paths
from twinloop.twins.stub.config import StubConfig
from twinloop.twins.stub.twin import TWIN

from twinloop.files import atomic, sha256, write_json
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop stub prepare"


def run(stage: Stage[StubConfig]) -> str:
    """Write the tosses and their metrics."""
    data = stage.config.stub.data
    heads = np.random.default_rng(stage.config.seed).random(data.tosses) < data.chance
    with atomic(stage.root / paths.TOSSES) as temporary:
        pl.DataFrame({"heads": heads}).write_csv(temporary)
    digest = sha256(stage.root / paths.TOSSES)
    metrics = {"tosses": data.tosses, "heads": float(heads.mean()), "dataset_sha256": digest}
    write_json(stage.root / TWIN.metrics("prepare"), metrics)
    return f"{data.tosses} tosses"
