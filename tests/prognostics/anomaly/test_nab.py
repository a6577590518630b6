"""The benchmark's own series, where they lie beside the checkout."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from twinloop.prognostics.anomaly import Novelty, NoveltySettings, RollingSettings, RollingThreshold, anomalies
from twinloop.prognostics.anomaly.detector import Detector
from twinloop.prognostics.anomaly.scoring import Profile, earned, labelled, score
from twinloop.prognostics.data.layouts import read
from twinloop.prognostics.data.settings import DataSettings
from twinloop.prognostics.models.table import FeatureTable


@pytest.mark.parametrize(
    ("detector", "least", "most"),
    [(Novelty(("value",), NoveltySettings()), 55, 100), (RollingThreshold(("value",), RollingSettings()), -100, 30)],
)
def test_ours_earns_more_than_others(detector: Detector, least: float, most: float, shared_data: Path) -> None:
    folder = shared_data / "nab_real_known_cause"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    record = read(folder, DataSettings(kind="nab"))
    series = labelled(record)
    said = anomalies(FeatureTable.of(record.telemetry.frame), {"it": detector})
    rows = {name: np.flatnonzero(said.filter(pl.col("asset") == name)["alarm"].to_numpy()) for name in series}
    profile = Profile()
    earnings = [earned(one, rows[name], profile) for name, one in series.items()]
    windows = sum(len(one.windows) for one in series.values())
    assert windows == 19
    assert least <= score(earnings, windows, profile) <= most
