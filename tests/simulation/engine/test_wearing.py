import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.lines import PERFECT, fixed, log_of
from tests.simulation.worn import LIFE, policy, press, wear, worn_line
from twinloop.simulation import Line, Rework, Station
from twinloop.simulation.degradation.history import histories
from twinloop.simulation.events.log import (
    BLOCKED,
    DOWN,
    MAINTENANCE,
    RUNNING,
    STARVED,
    STATES,
    WARNING,
    EventLog,
)
from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.resources import Crew

PREDICTOR = Predictor(recall=(0.7,), lead_levels=(0.0, 1.0), lead_hours=((0.5, 3.0),), false_alarms_per_hour=(0.01,))
POLICIES = {
    "run to failure": None,
    "interval": policy("interval", interval_min=600.0),
    "condition": policy("condition", interval_min=50.0, health_below=0.3),
    "predictive": policy("predictive", predictor=PREDICTOR),
    "opportunistic": policy("opportunistic", health_below=0.3),
    "oracle": policy("oracle"),
}


def share(log: EventLog, state: int, entity: int = 1) -> float:
    return float(log.time_in_states()[entity, state - STARVED]) / log.horizon


def between(stations: tuple[Station, Station], *, buffer: int = 2, **changes: object) -> Line:
    return dataclasses.replace(
        Line(name="two", minutes_per_day=1000.0, stations=stations, buffers=(buffer,), inspection=PERFECT), **changes
    )


@pytest.mark.parametrize("kind", ["gamma", "wiener", "weibull"])
def test_a_machine_that_runs_to_failure_is_available_mttf_over_mttf_plus_mttr(kind):
    log = log_of(worn_line(wear(kind)), minutes=400_000.0)
    assert 1 - share(log, DOWN) == pytest.approx(LIFE / (LIFE + 50.0), abs=0.004)
    assert (log.event == DOWN).sum() == pytest.approx(400_000 / 1050, rel=0.05)


def test_the_oracle_is_maintained_as_often_as_it_would_have_failed_and_never_fails():
    log = log_of(worn_line(wear("gamma"), maintenance=policy("oracle")), minutes=200_000.0)
    assert not (log.event == DOWN).any()
    assert 1 - share(log, MAINTENANCE) == pytest.approx(LIFE / (LIFE + 20.0), abs=0.003)
    assert set(log.value[log.event == MAINTENANCE].tolist()) == {0.0}


def test_the_lives_of_a_machine_are_the_same_under_every_policy():
    histories_of = {
        name: next(histories(line, log_of(line, minutes=20_000.0), seed=1, replication=0))
        for name, line in {
            name: worn_line(wear("gamma"), maintenance=maintenance) for name, maintenance in POLICIES.items()
        }.items()
    }
    lives = [[life.path.life_min for life in history.lives[:10]] for history in histories_of.values()]
    assert all(each == lives[0] for each in lives)


def test_a_breakdown_is_at_the_minute_of_work_at_which_the_path_reaches_its_limit():
    line = worn_line(wear("wiener"))
    log = log_of(line, minutes=20_000.0)
    history = next(histories(line, log, seed=1, replication=0))
    failed = [life for life in history.lives if life.failed]
    assert len(failed) > 10
    for life, later in zip(failed, history.lives[1:], strict=False):
        assert later.worked_before - life.worked_before == pytest.approx(life.path.life_min, rel=1e-9)


def test_a_warning_is_shown_from_the_health_it_is_set_to():
    line = worn_line(wear("gamma", warning_below=0.4))
    log = log_of(line, minutes=50_000.0)
    told = log.value[log.event == WARNING]
    assert len(told) > 50
    assert told.max() <= 0.4 + 1e-9
    assert share(log, WARNING) > 0.2
    assert not (log_of(worn_line(wear("gamma", warning_below=0.0)), minutes=50_000.0).event == WARNING).any()
    always = log_of(worn_line(wear("gamma", warning_below=1.0)), minutes=50_000.0)
    assert share(always, RUNNING) == 0.0


def test_breakdowns_say_health_zero_and_maintenance_the_health_it_found():
    log = log_of(worn_line(wear("gamma"), maintenance=POLICIES["condition"]), minutes=100_000.0)
    assert set(log.value[log.event == DOWN].tolist()) <= {0.0}
    found = log.value[log.event == MAINTENANCE]
    assert len(found) > 50
    assert ((found > 0) & (found <= 0.3)).all()


def test_maintenance_at_an_interval_comes_between_two_parts_from_that_age_on():
    line = worn_line(wear("weibull", cv=0.2), maintenance=policy("interval", interval_min=502.0))
    log = log_of(line, minutes=50_000.0)
    history = next(histories(line, log, seed=1, replication=0))
    ages = [
        later.worked_before - life.worked_before
        for life, later in zip(history.lives, history.lives[1:], strict=False)
        if not life.failed
    ]
    assert len(ages) > 50
    assert min(ages) >= 502.0
    assert max(ages) < 502.0 + 5.0 + 1e-9
    assert set(log.part[log.event == MAINTENANCE].tolist()) == {-1}


def test_an_imperfect_repair_leaves_wear_behind():
    line = worn_line(wear("gamma", restoration=0.75))
    log = log_of(line, minutes=100_000.0)
    history = next(histories(line, log, seed=1, replication=0))
    starts = [float(life.path.level(0.0)) for life in history.lives]
    assert starts[0] == 0.0
    assert starts[1:] == pytest.approx([0.25] * (len(starts) - 1))
    assert (log.event == DOWN).sum() > 1.15 * (log_of(worn_line(wear("gamma")), minutes=100_000.0).event == DOWN).sum()


def test_opportunistic_maintenance_waits_until_the_machine_has_no_part_or_another_stands():
    worn = press(wear("gamma"), policy("opportunistic", health_below=0.9), name="second")
    busy = Station(name="first", cycle=fixed(1.0))
    assert not (log_of(between((busy, worn)), minutes=20_000.0).event == MAINTENANCE).any()
    slow = Station(name="first", cycle=fixed(9.0))
    log = log_of(between((slow, worn)), minutes=20_000.0)
    assert (log.event == MAINTENANCE).sum() > 20
    breaks = Station(name="first", cycle=fixed(4.0), failure=fixed(300.0), repair=fixed(200.0))
    log = log_of(between((breaks, worn), buffer=60), minutes=20_000.0)
    maintained = log.time[log.event == MAINTENANCE]
    down = np.sort(log.time[(log.event == DOWN) & (log.entity == 1)])
    since = maintained - down[np.searchsorted(down, maintained, side="right") - 1]
    assert len(maintained) > 10
    assert (since <= 200.0).all()


def test_maintenance_and_repair_wait_for_the_same_crew():
    often = policy("interval", minutes=200.0, interval_min=300.0)
    stations = (press(wear("gamma", cv=0.1), often, name="a", servers=4),)
    free = Line(name="four", minutes_per_day=1000.0, stations=stations, inspection=PERFECT)
    logs = [log_of(line, minutes=10_000.0) for line in (free, dataclasses.replace(free, crew=Crew(size=1)))]
    stood = [log.time_in_states()[1:5, [DOWN - STARVED, MAINTENANCE - STARVED]].sum() for log in logs]
    # Alone, each stands 200 of 500 minutes; with one for all, each is served once in 4 × 200 minutes and works 300.
    assert stood[0] == pytest.approx(4 * 10_000 * 200 / 500, rel=0.04)
    assert stood[1] == pytest.approx(4 * 10_000 * 500 / 800, rel=0.04)


def test_a_camera_wears_too():
    camera = press(wear("gamma", mean_life_min=200.0), name="camera", inspects=True)
    line = between((Station(name="first", cycle=fixed(1.0)), camera), rework=Rework(cycle=fixed(1.0)))
    log = log_of(line, minutes=10_000.0)
    assert ((log.event == DOWN) & (log.entity == 2)).sum() > 20


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=8, deadline=None)
@given(
    kind=st.sampled_from(["gamma", "wiener", "weibull"]),
    cv=st.floats(0.1, 0.8),
    restoration=st.floats(0.3, 1.0),
    buffer=st.integers(0, 4),
    seed=st.integers(0, 99),
)
def test_time_in_states_and_parts_are_conserved(name, kind, cv, restoration, buffer, seed):
    maintenance = POLICIES[name]
    if maintenance:
        maintenance = dataclasses.replace(maintenance, restoration=restoration)
    worn = press(wear(kind, cv=cv, mean_life_min=200.0, restoration=restoration), maintenance)
    line = between((worn, Station(name="pack", cycle=fixed(6.0))), buffer=buffer)
    log = log_of(line, minutes=4000.0, seed=seed)
    minutes = log.time_in_states()
    assert minutes[1:].sum(axis=1) == pytest.approx([4000.0] * 2)
    assert (minutes >= 0).all()
    times = log.frame()["time_min"].to_numpy()
    assert times.max() <= 4000.0
    values = log.value[np.isin(log.event, (WARNING, DOWN, MAINTENANCE))]
    assert ((values >= 0) & (values <= 1)).all()
    working = minutes[1, [STATES.index("running"), STATES.index("warning")]].sum()
    history = next(histories(line, log, seed=seed, replication=0))
    assert history.minutes_in((RUNNING, WARNING), np.array([4000.0]))[0] == pytest.approx(working)
    if name == "oracle":
        assert not (log.event == DOWN).any()


def test_a_part_that_is_in_a_machine_that_fails_is_finished_afterwards():
    line = worn_line(wear("gamma", mean_life_min=33.0, cv=0.1))
    log = log_of(line, minutes=3000.0)
    ships = (log.event == 1).sum()
    worked = log.time_in_states()[1, [RUNNING - STARVED, WARNING - STARVED]].sum()
    assert ships == int(worked / 5.0 + 1e-9)
    assert share(log, BLOCKED) == 0.0
