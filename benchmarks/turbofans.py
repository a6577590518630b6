"""C-MAPSS for `benchmarks/prognostics.py`: units of training and test as features, and a model's figures on both."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.data.layouts import read
from twinloop.prognostics.data.settings import DataSettings
from twinloop.prognostics.evaluation.remaining import quality
from twinloop.prognostics.features.reference import fit_reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.stream import features
from twinloop.prognostics.inference.conformal import calibrate
from twinloop.prognostics.models.remaining import fit_remaining, remaining_hours
from twinloop.prognostics.models.settings import RulSettings
from twinloop.prognostics.models.table import FeatureTable

CAP = 125.0
# Test units were watched for at least so many cycles; calibration looks at the same part of the training lives.
WATCHED = 30
FEATURES = FeatureSettings(window_min=MINUTES_PER_HOUR, within=False, spans=(5, 15, 40), early=20, joint=2)
SETTINGS = RulSettings(cap=CAP)
# Where far more than the cap remains, the label is the cap and every model is right: such rows would drown the others
# in learning and in judging.
NEAR = 1.25 * CAP
# FD002 and FD004 fly in six regimes, told apart by the three settings.
REGIMES = {"FD002": 6, "FD004": 6}


@dataclass(frozen=True, eq=False)
class Fleet:
    """Training rows with capped cycles that remain; test rows, and what remains after the last of each unit.

    judged: training rows for cross-validation and calibration, of units watched for a while.
    """

    train: FeatureTable
    hours: NDArray[np.float64]
    judged: NDArray[np.bool_]
    test: FeatureTable
    left: NDArray[np.float64]


def load(folder: Path, subset: str) -> Fleet:
    """Features of one subset; what is usual is learnt from its training units."""
    record = read(folder, DataSettings(kind="cmapss", subset=subset))
    options = FEATURES
    if subset in REGIMES:
        options = dataclasses.replace(options, regime=("setting_1", "setting_2", "setting_3"), regimes=REGIMES[subset])
    train, test = record.of_split("train"), record.of_split("test")
    reference = fit_reference(train.telemetry, options, seed=0)
    tables = [FeatureTable.of(features(part.telemetry, reference, options)) for part in (train, test)]
    hours = remaining_hours(tables[0], train.lives, cap=np.inf)
    near = hours <= NEAR
    train_table, hours = tables[0].where(near), np.minimum(hours[near], CAP)
    judged = train_table.time_min > WATCHED * MINUTES_PER_HOUR
    left = remaining_hours(tables[1], test.lives, cap=np.inf)[tables[1].last]
    return Fleet(train_table, hours, judged, tables[1], left)


def measured(fleet: Fleet, *, seed: int, settings: RulSettings = SETTINGS) -> dict[str, float]:
    """Figures of one seed: a model fitted on all training units, judged at the last row of every test unit."""
    model, blind = (
        fit_remaining(fleet.train, fleet.hours, dataclasses.replace(settings, with_age=with_age), seed=seed).stacked(
            fleet.hours, fleet.judged
        )
        for with_age in (True, False)
    )
    last, judged = fleet.test.last, fleet.judged
    predicted = model.predict(fleet.test, last)
    capped = np.minimum(fleet.left, CAP)
    out_of_fold = model.blend(model.out_of_fold)
    conformal = calibrate(fleet.hours[judged], out_of_fold[judged], fleet.train.unit[judged])
    found = quality(capped, predicted, conformal.interval(predicted, least=0.0, most=CAP))
    return {
        "rmse_capped": found.rmse,
        "rmse_raw": rmse(fleet.left, predicted),
        "score_capped": found.score,
        "coverage": found.coverage,
        "rmse_no_age": rmse(capped, blind.predict(fleet.test, last)),
        "rmse_cv": rmse(fleet.hours[judged], out_of_fold[judged]),
        "rmse_leaky": leaky(fleet, settings, seed=seed),
        "sensor_share": model.settings.sensor_share,
    }


def leaky(fleet: Fleet, settings: RulSettings, *, seed: int) -> float:
    """RMSE of the trees on rows held out at random, whose neighbours were learnt: what such a split pretends."""
    rows = np.arange(len(fleet.train))
    # Every row as a unit of its own: folds by row.
    table = dataclasses.replace(fleet.train, unit=rows, assets=tuple(map(str, rows)))
    trees = dataclasses.replace(settings, network_share=0.0)
    model = fit_remaining(table, fleet.hours, trees, seed=seed)
    return rmse(fleet.hours[fleet.judged], model.blend(model.out_of_fold)[fleet.judged])


def rmse(actual: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean((predicted - actual) ** 2)))
