import numpy as np
import polars as pl
import pytest

from twinloop.errors import InputError
from twinloop.prognostics.anomaly import (
    ANOMALIES,
    DETECTORS,
    IsolationSettings,
    NoveltySettings,
    RollingSettings,
    anomalies,
    fit_detector,
)
from twinloop.prognostics.models.table import FeatureTable

SETTINGS = {
    "isolation forest": IsolationSettings(trees=10),
    "rolling threshold": RollingSettings(),
    "novelty": NoveltySettings(threshold=2.0),
}


def table() -> FeatureTable:
    """Two assets, of which b jumps in y from its row 150 on."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, size=(400, 2))
    values[350:, 1] += 30
    names, times = ["a"] * 200 + ["b"] * 200, np.tile(np.arange(200.0), 2)
    return FeatureTable.of(pl.DataFrame({"asset": names, "time_min": times, "x": values[:, 0], "y": values[:, 1]}))


def test_every_detector_by_name_finds_the_asset_that_jumps() -> None:
    detectors = {name: fit_detector(name, table(), SETTINGS[name]) for name in DETECTORS}
    frame = anomalies(table(), detectors)
    assert dict(frame.schema) == ANOMALIES
    assert len(frame) == 3 * len(table())
    assert frame.select("detector", "asset", "time_min").is_unique().all()
    first = frame.filter(pl.col("alarm"), pl.col("detector") != "isolation forest").group_by("detector").first()
    assert set(first["detector"]) == {"rolling threshold", "novelty"}
    assert first.select("asset", "time_min", "column").unique().rows() == [("b", 150.0, "y")]
    forest = frame.filter(detector="isolation forest")
    jumped = (forest["asset"] == "b") & (forest["time_min"] >= 150)
    assert forest.filter(jumped)["score"].min() > forest.filter(~jumped)["score"].quantile(0.9)


def test_ours_tells_the_jump_once_and_the_assets_apart() -> None:
    frame = anomalies(table(), {"novelty": fit_detector("novelty", table(), SETTINGS["novelty"])})
    assert frame.filter("alarm").select("asset", "time_min").rows() == [("b", 150.0)]


def test_no_detectors_say_nothing() -> None:
    assert anomalies(table(), {}).is_empty()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="unknown name 'novelt'; did you mean 'novelty'"):
        fit_detector("novelt", table())
    with pytest.raises(InputError, match="novelty: expected NoveltySettings, got RollingSettings"):
        fit_detector("novelty", table(), RollingSettings())
    detector = fit_detector("rolling threshold", table())
    with pytest.raises(InputError, match="1 are missing, first y"):
        anomalies(FeatureTable.of(pl.DataFrame({"asset": ["a"], "time_min": [0.0], "x": [1.0]})), {"r": detector})
