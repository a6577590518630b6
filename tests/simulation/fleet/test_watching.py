import dataclasses

import numpy as np
import polars as pl
import pytest

from tests.simulation.fleet.fleets import DAY
from twinloop.contracts import AlertCurve
from twinloop.errors import InputError
from twinloop.simulation.fleet.comparison import WEAR, compare_policies
from twinloop.simulation.fleet.history import simulate_history
from twinloop.simulation.fleet.modes import Mode
from twinloop.simulation.fleet.policies import Alert, RunToFailure
from twinloop.simulation.fleet.sensors import Sensing
from twinloop.simulation.fleet.standard import COMPONENTS, StandardFleet
from twinloop.simulation.fleet.watching import watched_lives

# One component that shows its wear by one sensor, with the noise of the standard.
PADS = Mode(name="pads", signs={"brake_wear": 9.0})
BRAKES = dataclasses.replace(COMPONENTS[1], modes=(PADS,))
FLEET = StandardFleet(vehicles=50, components=(BRAKES,)).fleet()


@pytest.fixture(scope="module")
def past():
    return simulate_history(FLEET, days=120, policy=RunToFailure(), sensing=Sensing(faults_per_year=0.0))


@pytest.fixture(scope="module")
def scores(past):
    """The mean of what the brakes' sensor shows on three days, at the end of the last day's driving."""
    frame = past.telemetry.frame.with_columns(day=pl.col("time_min") // DAY)
    daily = frame.group_by("asset", "day", maintain_order=True).agg(
        pl.col("time_min").max(), score=pl.col("brake_wear").cast(pl.Float64).mean()
    )
    return daily.drop("day").with_columns(pl.col("score").rolling_mean(3, min_samples=1).over("asset"))


def test_a_life_is_watched_by_its_minutes_of_driving(past, scores):
    lives = watched_lives(past, "brakes", scores)
    failures = past.maintenance.filter((pl.col("component") == "brakes") & (pl.col("reason") == "failure"))
    assert 0 <= len(failures) - sum(life.failed for life in lives) <= 2  # those before the first evening have no score
    assert sum(len(life.score) for life in lives) == len(scores)
    rise = [life.score[-1] - life.score[0] for life in lives if life.failed and len(life.score) > 20]
    assert np.mean(rise) > 3.0
    for life in lives:
        assert (np.diff(life.age_min) > 0).all()
        assert life.age_min[-1] <= life.end_min + 1e-6


def test_the_last_scores_of_a_part_are_not_the_first_of_the_next(past):
    """At midnight, vehicles that failed in the day stand, and what was seen that day was seen of the old part."""
    midnight = pl.DataFrame({"time_min": np.arange(1, past.record.world.days + 1) * DAY})
    scores = pl.concat(midnight.with_columns(asset=pl.lit(name), score=1.0) for name in FLEET.names)
    lives = [life for life in watched_lives(past, "brakes", scores) if life.whole]
    assert len(lives) > 30
    assert min(life.age_min[0] for life in lives) > 1e-3


def test_from_sensors_to_savings(past, scores):
    lives = watched_lives(past, "brakes", scores)
    curve = AlertCurve.of_lives(
        lives, thresholds=np.linspace(3.0, 11.0, 17), window_hours=160.0, model="brake sensor", draws=5, seed=1
    )
    found = compare_policies(
        FLEET,
        {"alerts": Alert.of({"brakes": curve})},
        tune=("alerts",),
        days=150,
        replications=4,
        tuning_replications=2,
    )
    assert "brakes" in found.policies["alerts"].values
    assert 0 < found.saving("alerts").mean < found.saving(WEAR).mean


def test_scores_have_their_columns_and_known_names(past, scores):
    with pytest.raises(InputError, match="scores: expected the columns asset, score, time_min; got asset, score"):
        watched_lives(past, "brakes", scores.drop("time_min"))
    with pytest.raises(InputError, match="did you mean 'brakes'"):
        watched_lives(past, "brake", scores)
    with pytest.raises(InputError, match="unknown vehicle 'lorry'"):
        watched_lives(past, "brakes", scores.with_columns(asset=pl.lit("lorry")))
