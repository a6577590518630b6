import numpy as np
import pytest

from tests.simulation.lines import camera_line, curve, exponential, queue, serial_line
from twinloop.errors import InputError, RunError
from twinloop.simulation import Rework
from twinloop.simulation.experiments.forecast import forecast

LINE = serial_line(3, buffer=2, failure=30.0, repair=6.0)
STATE = LINE.live(seed=5).run_until(90.0).state


def test_a_forecast_is_the_same_for_any_number_of_workers():
    one, two = (forecast(STATE, LINE, minutes=60.0, replications=6, workers=workers) for workers in (1, 2))
    assert one.replications.equals(two.replications)
    assert not one.replications.equals(forecast(STATE, LINE, minutes=60.0, replications=6, seed=2).replications)


def test_a_long_queue_is_seen_coming():
    """M/M/1: with eight in the system the next hour is unlike an hour that begins with an empty system."""
    line = queue(arrivals=0.5)
    live = line.live(seed=1)
    while len(live.state.parts) < 8:
        live.step(1.0)
    busy = live.forecast(minutes=30.0, replications=60)
    empty = forecast(line.live().state, line, minutes=30.0, replications=60)
    assert busy["wip"].low > empty["wip"].high
    # An empty M/M/1 of load 1/2 has at most its mean of 1 in it; with eight more than the half hour's drain.
    assert empty["wip"].low < 1.0 < busy["wip"].mean


def test_what_is_forecast_is_what_then_happens_on_average():
    """Runs that go on, against forks of each run's state: the same mean."""
    went, forecast_mean = [], []
    for replication in range(60):
        live = LINE.live(seed=11, replication=replication).run_until(100.0)
        shipped, fork = live.state.shipped, live.fork(seed=99, replication=replication)
        forecast_mean.append(fork.run_until(140.0).state.shipped - shipped)
        went.append(live.run_until(140.0).state.shipped - shipped)
    difference = np.array(went) - np.array(forecast_mean)
    assert abs(difference.mean()) < 4 * difference.std(ddof=1) / np.sqrt(60)


def test_the_models_uncertainty_widens_the_interval():
    rates = curve(accept=0.4, reject=0.8, draws=20, spread=0.15)
    line = camera_line(rework=Rework(cycle=exponential(2.0)))
    state = line.live(seed=1, curve=rates).run_until(60.0).state
    with_draws = forecast(state, line, minutes=200.0, replications=20, curve=rates)
    assert with_draws.estimate is not None
    without = forecast(state, line, minutes=200.0, replications=20, curve=curve(accept=0.4, reject=0.8))
    assert with_draws["escape_ppm"].half_width > without["escape_ppm"].half_width


def test_a_forecast_has_a_face_and_a_table():
    made = forecast(STATE, LINE, minutes=60.0, replications=4)
    assert "minute 90 to 150: 4 forks" in made._repr_html_()
    frame = made.frame()
    assert frame.columns == ["kpi", "title", "unit", "mean", "low", "high", "from", "to"]
    assert (frame["from"] <= frame["to"]).all()
    with pytest.raises(InputError, match="forecast: key figure: unknown name 'oe'; did you mean 'oee'"):
        made["oe"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"minutes": 0.0}, InputError, "minutes = 0.0: expected a number > 0"),
        ({"minutes": float("nan")}, InputError, "minutes = nan: expected a number > 0"),
        ({"minutes": 9.0, "replications": 1}, InputError, "replications = 1: expected at least 2"),
        ({"minutes": 1e-6}, RunError, "no part left serial"),
    ],
)
def test_what_cannot_be_forecast_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        forecast(STATE, LINE, **given)
