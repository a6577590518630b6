import numpy as np
import polars as pl

from tests.simulation.lines import log_of
from tests.simulation.worn import wear, worn_line
from twinloop.contracts import AlertCurve
from twinloop.simulation.degradation.history import History, histories, watched_lives
from twinloop.simulation.degradation.sensors import telemetry


def observed(seed: int) -> tuple[History, pl.DataFrame]:
    line = worn_line(wear("gamma"))
    log = log_of(line, minutes=60_000.0, seed=seed)
    history = next(histories(line, log, seed=seed, replication=0))
    return history, telemetry(line, log, seed=seed, replication=0).of_asset("press")


def features(wide: pl.DataFrame) -> np.ndarray:
    sensors = wide.select("temperature", "power", pl.col("vibration").log())
    return sensors.select(pl.all().rolling_mean(6, min_samples=1), one=pl.lit(1.0)).to_numpy()


def test_a_regression_on_the_telemetry_of_the_twin_foresees_its_failures():
    history, wide = observed(seed=1)
    time = wide["time_min"].to_numpy()

    def remaining(history: History, time: np.ndarray) -> np.ndarray:
        ends = np.array([life.path.life_min for life in history.lives])
        return ends[history.life_at(time)] - history.age(time)

    working = wide["power"].to_numpy() > 3.0
    target = remaining(history, time)
    weights, *_ = np.linalg.lstsq(features(wide)[working], target[working], rcond=None)

    fresh, unseen = observed(seed=2)
    time, working = unseen["time_min"].to_numpy(), unseen["power"].to_numpy() > 3.0
    foreseen, truth = features(unseen) @ weights, remaining(fresh, time)
    error = np.abs(foreseen - truth)[working].mean()
    blind = np.abs(np.median(truth[working]) - truth[working]).mean()
    assert error < 0.75 * blind

    hours_left = np.where(working, foreseen, 1e6) / 60
    curve = AlertCurve.of_lives(
        watched_lives(fresh, time, -hours_left),
        thresholds=np.linspace(-12.0, 0.0, 13),
        window_hours=8.0,
        model="regression",
    )
    # By chance: alerts that come as often as those of the middle threshold, at random times.
    rng = np.random.default_rng(0)
    luck = AlertCurve.of_lives(
        watched_lives(fresh, time, rng.permutation(-hours_left)),
        thresholds=np.linspace(-12.0, 0.0, 13),
        window_hours=8.0,
        model="chance",
    )
    middle = 6
    assert curve.recall[0, middle] > 0.8
    assert curve.false_alarms[0, middle] < 0.3 * luck.false_alarms[0, middle]
    assert curve.failures > 40
